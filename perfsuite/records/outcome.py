"""All that came of one variant, and what the user lets pass."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from perfsuite.records.confirmation import Confirmation, Finding
from perfsuite.records.speed import Speed, Verdict
from perfsuite.records.violation import Violation
from perfsuite.spec import Variant


class Colour(StrEnum):
    """What an outcome means for whoever waits for it."""

    GREEN = "green"
    GREY = "grey"  # nothing was asked of it: unsupported, or given up by the user
    YELLOW = "yellow"  # could not be told
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Speed, outputs, kernels, support and failure of one variant; ``verdict`` is the worst of them.

    ``outputs`` and ``kernels`` are not what is expected of them; ``lost`` is what the baseline did or
    supports and this side does not. ``costs`` are what it takes beside latency (memory, compiling, ...) and now
    takes more of. ``unsupported`` is this side's reason, ``failure`` the worker's, ``ignored`` why the user's
    settings let pass whatever came of it. ``confirmation`` is there where the stored baseline raised suspicion.
    """

    variant: Variant
    verdict: Verdict
    speed: Speed | None = None
    outputs: tuple[Violation, ...] = ()
    kernels: tuple[Violation, ...] = ()
    lost: tuple[Violation, ...] = ()
    costs: tuple[Violation, ...] = ()
    unsupported: str = ""
    failure: str = ""
    ignored: str = ""
    confirmation: Confirmation | None = None

    @property
    def only_machine_moved(self) -> bool:
        """Whether its ratio is of stored sessions, nothing was stepped, and only the machine can have made it."""
        found = self.confirmation
        if found is None or found.pairs or self.verdict is not Verdict.UNCHANGED:
            return False
        return found.finding in (Finding.DRIFT, Finding.SAME_SOFTWARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the user lets pass: nothing, unless said.

    ``require_verdict`` makes red what could not be told. ``accept_lost`` gives up what the baseline did and
    this side does not. ``accept_speed`` takes every latency as the new baseline.
    """

    require_verdict: bool = False
    accept_lost: bool = False
    accept_speed: bool = False
