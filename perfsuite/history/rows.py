"""A session -> what the history's tables have of it, and back."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from perfsuite.records.history import Circumstances
from perfsuite.records.measurement import Measurement
from perfsuite.records.session import Session

#: Nights come one a day and are read seldom: the best that zlib does (0.95 MB of 32 variants become 0.17).
_LEVEL = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A session as rows of the three tables, by their columns; no ``document`` of what others measured."""

    session: dict[str, Any]
    entries: tuple[dict[str, Any], ...]
    document: bytes | None


def rows_of(session: Session, stack_slug: str, verdicts: Mapping[str, str]) -> Rows:
    """``verdicts`` are of those variants that were judged, by their ids."""
    return Rows(
        session={
            "id": session.id,
            "begun": session.begun_compact,
            "machine": session.machine.slug,
            "stack": stack_slug,
            "revision": session.commit.id if session.commit else "",
            "entries": len(session.measurements),
            "circumstances": json.dumps(msgspec.to_builtins(_circumstances(session)), sort_keys=True),
        },
        entries=tuple(
            {"session": session.id, **_figures(one), "verdict": verdicts.get(one.variant.id, "")}
            for one in session.measurements
        ),
        # The standard library's, which writes infinities: outputs that are equal lie an infinity of decibels apart.
        document=zlib.compress(json.dumps(msgspec.to_builtins(session)).encode(), _LEVEL),
    )


def session_of(document: bytes) -> Session:
    """The session of a row's document; ValueError or zlib.error if it is none."""
    return msgspec.convert(json.loads(zlib.decompress(document)), Session)


def circumstances_of(text: str) -> Circumstances:
    """Those of a session's row."""
    return msgspec.json.decode(text, type=Circumstances)


def _figures(one: Measurement) -> dict[str, Any]:
    graphs = one.evidence.graphs if one.evidence else None
    sqnr_db = one.accuracy.sqnr_db if one.accuracy else None
    return {
        "variant": one.variant.id,
        "latency_s": one.latency_s,
        "peak_bytes": min(replicate.peak_rss_bytes for replicate in one.replicates),
        # What is equal to the bit has no figure that a line could be drawn of.
        "sqnr_db": sqnr_db if sqnr_db is not None and math.isfinite(sqnr_db) else None,
        "compile_s": graphs.compile_s if graphs else None,
    }


def _circumstances(session: Session) -> Circumstances:
    state = msgspec.to_builtins(session.state)
    software = {**session.stack.packages, **session.environment, "perfsuite": session.perfsuite}
    if session.commit:
        software["commit"] = session.commit.id[:12] + (" and changes" if session.commit.dirty else "")
    return Circumstances(
        software=software,
        machine={name: str(value) for name, value in state.items() if value is not None and name != "load_1min"},
    )
