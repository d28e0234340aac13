"""Everything that one invocation measured, and in what circumstances."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from perfsuite.records.machine import MachineClass
from perfsuite.records.measurement import Failure, Measurement, Stack
from perfsuite.records.placement import Placement
from perfsuite.spec import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The commit of the user's project; ``dirty``: files differed from it."""

    id: str
    dirty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineState:
    """What two sessions of one machine class may differ in without any package being another; None: not told.

    ``load_1min`` is the load average when the session began, before it computed anything.
    """

    node: str | None = None
    kernel: str | None = None
    microcode: str | None = None
    governor: str | None = None
    turbo: str | None = None
    huge_pages: str | None = None
    load_1min: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """A variant that was asked for and cannot run, and why."""

    variant: Variant
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of ``count`` parts of a night, each measured by a runner of its own; ``number`` counts from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What one invocation measured of one stack on one machine. ``begun_at`` is ISO 8601, and begins ``id``.

    ``contents`` is a digest of each installed package's files, by its name: what a rebuilt stack is checked by.
    ``settings`` are those that decide what a figure is. Variants in ``restarted`` were accepted with another speed
    than the baseline's: what earlier sessions say of their speed holds no more. Those in ``given_up`` the user
    wants no more: earlier sessions have none of them.
    """

    id: str
    begun_at: str
    perfsuite: str
    commit: Commit | None
    stack: Stack
    contents: dict[str, str]
    machine: MachineClass
    state: MachineState
    environment: dict[str, str]
    settings: dict[str, int | float | str | None]
    measurements: tuple[Measurement, ...] = ()
    failures: tuple[Failure, ...] = ()
    unsupported: tuple[Unsupported, ...] = ()
    #: Where its workers ran; absent in files older than it.
    placement: Placement | None = None
    #: Which part of a night it is; None for the whole.
    shard: Shard | None = None
    restarted: frozenset[str] = field(default_factory=frozenset)
    given_up: frozenset[str] = field(default_factory=frozenset)

    @property
    def head(self) -> Session:
        """The session without its entries: what a journal begins with, and a file carries once."""
        return replace(self, measurements=(), failures=(), unsupported=())

    @property
    def begun_compact(self) -> str:
        """When it began, in UTC, as files and ids are named: sorted by it, the last is the newest.

        ValueError or OverflowError if ``begun_at`` is no time; one without a zone is UTC.
        """
        moment = datetime.fromisoformat(self.begun_at)
        return f"{(moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"

    def of(self, variant: Variant) -> Measurement | None:
        """What was measured of the variant; None if nothing was."""
        return next((one for one in self.measurements if one.variant == variant), None)
