"""One thing the doctor found out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters: a warning can falsify a comparison, a note explains a number."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found about one topic, and the command or setting to change it; a warning always has one."""

    topic: str
    level: Level
    summary: str
    remedy: str = ""

    def __post_init__(self) -> None:
        """Reject a warning that leaves the reader without a next step."""
        if self.level is Level.WARNING and not self.remedy:
            raise ValueError(f"a warning needs a remedy: {self.topic}: {self.summary}")


def ok(topic: str, summary: str) -> Finding:
    """Nothing to do."""
    return Finding(topic=topic, level=Level.OK, summary=summary)


def note(topic: str, summary: str, remedy: str = "") -> Finding:
    """Worth knowing when reading the numbers."""
    return Finding(topic=topic, level=Level.NOTE, summary=summary, remedy=remedy)


def warning(topic: str, summary: str, remedy: str) -> Finding:
    """Likely to slow or disturb what is measured."""
    return Finding(topic=topic, level=Level.WARNING, summary=summary, remedy=remedy)
