"""Annotations as GitHub reads them in a job's log (docs.github.com: workflow commands)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: What GitHub takes, in bytes: of a step's summary 1 MiB; of a comment or an issue 65,536 characters, which no text of
#: fewer bytes has.
SUMMARY_BYTES, COMMENT_BYTES = 2**20, 65_535
#: It shows so many of a step's errors, and drops the others without a word.
_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the repository something is said: a path from its root, and a line, counted from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What is said, at a place or of the whole job."""

    title: str
    text: str
    place: Place | None = None


def annotation_lines(annotations: Iterable[Annotation]) -> Iterator[str]:
    """An ``::error`` each, as many as are shown; the last one counts the rest."""
    told = list(annotations)
    shown = told if len(told) <= _MOST else told[: _MOST - 1]
    yield from map(_line, shown)
    if rest := told[len(shown) :]:
        yield _line(Annotation(title=f"{len(rest)} more", text=", ".join(one.title for one in rest)))


def _line(annotation: Annotation) -> str:
    properties = {"title": annotation.title}
    if place := annotation.place:
        properties = {"file": place.file, "line": str(place.line), **properties}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::error {told}::{_data(annotation.text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
