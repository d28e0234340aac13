"""What a search for better settings tried, and what came of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from perfsuite.records.comparison import Row
from perfsuite.records.placement import Placement
from perfsuite.records.speed import Verdict
from perfsuite.spec import Variant


class Knob(StrEnum):
    """What a candidate turns; of each knob one candidate can be combined with those of others."""

    PLACEMENT = "placement"
    ALLOCATOR = "allocator"
    HUGE_PAGES = "huge pages"
    OPENMP = "OpenMP"
    COMBINED = "combined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Instances of so many threads each, all that the setting preloads, and variables that differ from the user's."""

    knob: Knob
    instances: int
    threads: int
    preload: tuple[str, ...]
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A candidate, side by side with the current setting; ``row`` is None where no time was left for it."""

    candidate: Candidate
    row: Row | None

    @property
    def gain(self) -> float | None:
        """The ratio, below 1, where it is surely faster by what matters; None elsewhere."""
        speed = self.row.outcome.speed if self.row and not self.row.outcome.failure else None
        return speed.ratio if speed and speed.verdict is Verdict.IMPROVED else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """All trials of a variant. ``placement``, ``preload`` and no variables are the current setting."""

    variant: Variant
    machine_slug: str
    placement: Placement
    preload: tuple[str, ...]
    trials: tuple[Trial, ...]
    resolution: float
    coverage: float
    wall_s: float

    @property
    def most_items(self) -> Trial | None:
        """What gets most done; None where nothing is surely better than what is."""
        return best(self.trials)

    @property
    def shortest_pass(self) -> Trial | None:
        """The fastest of one instance, whose passes take no longer for others' sake; None as above."""
        return best(trial for trial in self.trials if trial.candidate.instances == 1)


def best(trials: Iterator[Trial] | tuple[Trial, ...]) -> Trial | None:
    """The trial that gains most; None where none gains."""
    gains = {trial.gain: trial for trial in trials if trial.gain is not None}
    return gains[min(gains)] if gains else None
