"""What a side-by-side run made of a suspect."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from perfsuite.records.baseline import Difference
from perfsuite.records.speed import Speed
from perfsuite.stats.intervals import Interval


class Finding(StrEnum):
    """What became of a suspicion."""

    REGRESSION = "confirmed regression"
    IMPROVEMENT = "confirmed improvement"
    DRIFT = "machine drift"  # both sides moved
    NOT_REPRODUCED = "not reproduced"  # neither is slower any more
    INCONCLUSIVE = "inconclusive"  # too few pairs to tell
    NOT_RUN = "not confirmed"  # the baseline's stack was not to be had, or nobody asked; ``why`` tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """``stored`` is what the baseline's sessions made of it, ``pairs`` how many pairs of processes told.

    ``moved`` is the baseline's stack now over what it was in its sessions: above 1 the machine is slower today.
    ``differences`` are what of the machine is another than in the newest of them.
    """

    finding: Finding
    stored: Speed
    pairs: int = 0
    moved: Interval | None = None
    differences: tuple[Difference, ...] = ()
    why: str = ""
