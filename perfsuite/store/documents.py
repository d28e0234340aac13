"""A session as a pytest-benchmark document: the only reader and writer of stored sessions.

Under ``perfsuite`` the document carries the session without its measurements, and in ``extra_info`` each of its
benchmarks a measurement, without what the session has: the stack, the machine class and the environment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from perfsuite.errors import BaselineError
from perfsuite.partial import partial_of
from perfsuite.records.measurement import Measurement
from perfsuite.records.session import Session
from perfsuite.spec import Variant

#: Of ours, at the top of a document as in a benchmark's ``extra_info``.
KEY = "perfsuite"
#: Below it, for a history that takes the session in.
_VERDICTS = "verdicts"
#: What the measurements of a session have in common.
_COMMON = ("stack", "machine", "environment")
#: What a document that is not what it should be raises here; msgspec's errors are ValueErrors.
UNTRUSTED = (KeyError, TypeError, ValueError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session that was read, and when it was accepted or saved (ISO 8601); None: not told."""

    session: Session
    accepted_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """What is read of a pytest-benchmark document, under its names."""

    benchmarks: list[dict[str, Any]]
    perfsuite: dict[str, Any]
    datetime: str | None = None


def head_fields(session: Session) -> dict[str, Any]:
    """What a document of the session has under ``KEY``: all but its measurements, which its benchmarks have."""
    fields: dict[str, Any] = msgspec.to_builtins(replace(session, measurements=()), order="deterministic")
    return fields


def measurement_fields(measurement: Measurement) -> dict[str, Any]:
    """What its benchmark has under ``KEY`` in its ``extra_info``."""
    fields: dict[str, Any] = msgspec.to_builtins(measurement)
    return {name: value for name, value in fields.items() if name not in _COMMON}


def parsed(content: bytes) -> Any:
    """A file's JSON; one of UNTRUSTED if it is none.

    As the standard library has it, with infinities: outputs that are equal lie an infinity of decibels apart.
    """
    return json.loads(content, parse_constant=_infinity)


def is_ours(content: bytes) -> bool:
    """Whether a JSON file has anything of perfsuite's; False for what is no such file."""
    try:
        document = parsed(content)
        return KEY in document or any(KEY in one["extra_info"] for one in document["benchmarks"])
    except UNTRUSTED:
        return False


def with_verdicts(document: Mapping[str, Any], verdicts: Mapping[str, str]) -> dict[str, Any]:
    """The document with what came of its variants, by their ids: for a history that takes it in later."""
    return {**document, KEY: {**document[KEY], **({_VERDICTS: dict(verdicts)} if verdicts else {})}}


def verdicts_in(document: Mapping[str, Any]) -> dict[str, str]:
    """What a document of ours says of them; nothing if nobody judged."""
    found = document.get(KEY, {}).get(_VERDICTS, {})
    return {str(name): str(one) for name, one in found.items()} if isinstance(found, dict) else {}


def stored_session(document: Any) -> StoredSession:
    """The session in a document, without others' benchmarks; one of UNTRUSTED if there is none to trust."""
    whole = msgspec.convert(document, _Document)
    session = msgspec.convert(whole.perfsuite, Session)
    if whole.datetime is not None:
        datetime.fromisoformat(whole.datetime)
    if not session.id.startswith(session.begun_compact):
        raise ValueError(f"the session {session.id!r} began at {session.begun_at}")
    common = {name: whole.perfsuite[name] for name in _COMMON}
    measurements = tuple(
        msgspec.convert({**one["extra_info"][KEY], **common}, Measurement)
        for one in whole.benchmarks
        if KEY in one["extra_info"]
    )
    if len({one.variant for one in measurements}) < len(measurements):
        raise ValueError("a variant is there twice")
    return StoredSession(session=replace(session, measurements=measurements), accepted_at=whole.datetime)


def write_session(path: Path, document: Mapping[str, Any], session: Session) -> None:
    """Write the session and of the document's benchmarks those of its measurements, in one step, a line each.

    BaselineError, and nothing is written, if it could not be read again; OSError if it cannot be written.
    """
    measured = {one.variant.id for one in session.measurements}
    verdicts = {name: one for name, one in verdicts_in(document).items() if name in measured}
    head = with_verdicts({**document, KEY: head_fields(session)}, verdicts)
    head.pop("benchmarks")
    lines = ",\n".join(json.dumps(one) for one in _benchmarks(document, session.measurements))
    text = f'{json.dumps(head, indent=1)[:-2]},\n "benchmarks": [\n{lines}\n]\n}}\n'
    try:
        stored_session(parsed(text.encode()))
    except UNTRUSTED as error:
        raise BaselineError(f"this session could not be read again ({type(error).__name__}: {error})") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_of(path)
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _benchmarks(document: Mapping[str, Any], measurements: Iterable[Measurement]) -> list[Any]:
    """Those of the measurements, in the order of ids."""
    mine = {
        msgspec.convert(one["extra_info"][KEY]["variant"], Variant): one
        for one in document["benchmarks"]
        if KEY in one["extra_info"]
    }
    return [mine[one.variant] for one in sorted(measurements, key=lambda one: one.variant.id)]


def _infinity(text: str) -> float:
    if text == "NaN":
        raise ValueError("NaN is no figure")
    return float(text)
