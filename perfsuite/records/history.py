"""What the history tells: sessions that were kept, one variant's series over them, and where it changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from perfsuite.records.baseline import Difference


class Metric(StrEnum):
    """What a series is of."""

    LATENCY = "latency"
    MEMORY = "memory"
    ACCURACY = "accuracy"
    COMPILE = "compile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What two sessions may differ in, by name: of the ``software`` packages, variables and commit."""

    software: dict[str, str]
    machine: dict[str, str]


def begun_iso(begun: str) -> str:
    """``Session.begun_compact``, which is in UTC, as ISO 8601 to the second."""
    return f"{begun[:4]}-{begun[4:6]}-{begun[6:8]}T{begun[9:11]}:{begun[11:13]}:{begun[13:15]}+00:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSession:
    """A session of the history; ``begun`` is ``Session.begun_compact``, ``verdicts`` counts its entries' by name.

    ``whole`` says whether all that it measured is there, or figures alone, as of what others measured.
    """

    id: str
    begun: str
    machine_slug: str
    stack_slug: str
    commit: str
    entries: int
    verdicts: dict[str, int]
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One session's figure: seconds, bytes, or dB. ``verdict`` is empty where nobody judged."""

    session: str
    begun: str
    machine_slug: str
    stack_slug: str
    value: float
    verdict: str
    circumstances: Circumstances


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A variant's figures on one machine class, oldest first."""

    variant: str
    metric: Metric
    machine_slug: str
    points: tuple[Point, ...]


class Origin(StrEnum):
    """What changed where a series did."""

    SOFTWARE = "software"
    MACHINE = "machine"
    BOTH = "software and machine"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """Where a new level begins: ``number`` counts the points; ``ratio`` is of its median over the last level's.

    Of accuracy there is no ratio, and ``difference`` is the median's in dB.
    """

    number: int
    point: Point
    ratio: float | None
    difference: float
    origin: Origin
    changed: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A series of one point or more, and where it went to another level."""

    series: Series
    changes: tuple[ChangePoint, ...]
