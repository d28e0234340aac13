"""What a side-by-side run made of a suspect."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from perfsuite.records.baseline import Difference
from perfsuite.records.speed import Speed
from perfsuite.records.violation import Violation
from perfsuite.spec import Variant


class Finding(StrEnum):
    """What became of a suspicion."""

    REGRESSION = "confirmed regression"
    IMPROVEMENT = "confirmed improvement"
    DRIFT = "machine drift"  # both sides moved
    SAME_SOFTWARE = "same software"  # as in the baseline's newest session: nothing to step side by side
    NOT_REPRODUCED = "not reproduced"  # neither is slower any more
    INCONCLUSIVE = "inconclusive"  # too few pairs to tell
    NOT_RUN = "not confirmed"  # the baseline's stack was not to be had, or nobody asked; ``why`` tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """``stored`` is what the baseline's sessions made of it, ``pairs`` how many pairs of processes told.

    ``moved`` is what the baseline's stack takes now over what it took in its sessions: above 1 the machine is slower
    today. ``differences`` are what of the machine is another than in the newest of them. ``costs`` are what a
    worker takes more of than one of the baseline's beside it, ``doubtful_costs`` those of the stored sessions that only
    pairs could have confirmed, where there are none.
    """

    finding: Finding
    stored: Speed
    pairs: int = 0
    moved: float | None = None
    differences: tuple[Difference, ...] = ()
    costs: tuple[Violation, ...] = ()
    doubtful_costs: tuple[Violation, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortlist:
    """Whom screening made a suspect, the most suspicious first, and how many fresh pairs they may have together.

    ``matters`` is the ratio from which on a slowdown of theirs matters.
    """

    matters: float
    suspects: tuple[Variant, ...]
    fresh_pairs: int
