"""The only reader and writer of baseline files.

``<folder>/<machine class>/<stack>.json`` is a standard pytest-benchmark file; each of its benchmarks
carries our Measurement, and whence it came, in ``extra_info``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from perfsuite.errors import BaselineError
from perfsuite.partial import partial_of
from perfsuite.records.baseline import Provenance
from perfsuite.records.measurement import Digests, Measurement, Replicate
from perfsuite.spec import Variant

EXTRA_INFO_KEY = "perfsuite"
_PROVENANCE_KEY = "perfsuite_provenance"
_EVIDENCE_PROVENANCE_KEY = "perfsuite_evidence_provenance"

#: What a document that is not what it should be raises here; msgspec's errors are ValueErrors.
UNTRUSTED = (KeyError, TypeError, ValueError, RecursionError)
#: 292 years: clocks count nanoseconds in 64 bits.
_LONGEST_NS = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One stored benchmark: pytest-benchmark's object, our record in it, and whence both came.

    ``evidence_provenance`` is set where the evidence is older than the timings.
    """

    benchmark: dict[str, Any]
    measurement: Measurement
    provenance: Provenance
    evidence_provenance: Provenance | None = None

    @property
    def key(self) -> tuple[Variant, Digests]:
        return self.measurement.variant, self.measurement.digests

    @property
    def accepted_s(self) -> float:
        """When it was accepted, in seconds since 1970; what does not tell is older than all that does."""
        return _seconds(self.provenance.accepted_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Commit:
    id: str | None = None
    dirty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machine:
    node: str | None = None
    release: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """What is read of a pytest-benchmark document, under its names."""

    benchmarks: list[dict[str, Any]]
    datetime: str | None = None
    commit_info: _Commit | None = None
    machine_info: _Machine | None = None


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Whatever keeps ``path`` from being read is a BaselineError that names it."""
    try:
        yield
    except OSError as error:
        raise BaselineError(
            f"{path} cannot be read ({error.strerror or error}): baselines are <machine class>/<stack>.json files"
        ) from error


def read_entries(path: Path) -> tuple[Entry, ...]:
    """Every entry of a baseline file; BaselineError if one cannot be trusted."""
    with readable(path):
        content = path.read_bytes()
    return _entries_of(content, path)


def entries_in(document: Any, where: str) -> tuple[Entry, ...]:
    """Every entry of a pytest-benchmark document; an entry without provenance has the document's."""
    try:
        whole = msgspec.convert(document, _Document)
        commit, machine = whole.commit_info or _Commit(), whole.machine_info or _Machine()
        session = Provenance(
            accepted_at=whole.datetime,
            commit=commit.id,
            dirty=commit.dirty,
            node=machine.node,
            kernel=machine.release,
        )
        return tuple(_entry(benchmark, session) for benchmark in whole.benchmarks)
    except UNTRUSTED as error:
        raise BaselineError(
            f"{where} is not a perfsuite baseline ({type(error).__name__}: {error}): baselines are written by "
            "pytest --benchmark-only --baseline-update"
        ) from error


def measurement_in(benchmark: Any) -> Measurement:
    """Our record in one of pytest-benchmark's; one of UNTRUSTED if there is none to trust."""
    measurement = msgspec.convert(benchmark["extra_info"][EXTRA_INFO_KEY], Measurement)
    if not measurement.replicates or not all(_has_latencies(r) for r in measurement.replicates):
        raise TypeError(f"{measurement.variant.id} has no latencies")
    return measurement


def write_entries(path: Path, document: dict[str, Any], entries: Iterable[Entry]) -> None:
    """Replace the file in one step; one line for each benchmark, so that a diff shows what changed.

    BaselineError, and nothing is written, if it could not be read again.
    """
    head = json.dumps({key: value for key, value in document.items() if key != "benchmarks"}, indent=1)
    lines = ",\n".join(json.dumps(_benchmark(entry)) for entry in entries)
    text = f'{head[:-2]},\n "benchmarks": [\n{lines}\n]\n}}\n'
    _entries_of(text.encode(), path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_of(path)
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _entries_of(content: bytes, path: Path) -> tuple[Entry, ...]:
    try:
        document = msgspec.json.decode(content)
    except UNTRUSTED as error:
        raise BaselineError(
            f"{path} is not JSON ({error}): restore it, or delete it and accept anew with --baseline-update"
        ) from error
    entries = entries_in(document, str(path))
    if len({entry.key for entry in entries}) < len(entries):
        raise BaselineError(f"{path} is not as it was written: a variant is there twice; delete one of its lines")
    return entries


def _entry(benchmark: dict[str, Any], session: Provenance) -> Entry:
    measurement, extra = measurement_in(benchmark), benchmark["extra_info"]
    entry = Entry(
        benchmark=benchmark,
        measurement=measurement,
        provenance=msgspec.convert(extra.get(_PROVENANCE_KEY, session), Provenance),
        evidence_provenance=msgspec.convert(extra.get(_EVIDENCE_PROVENANCE_KEY), Provenance | None),
    )
    for provenance in (entry.provenance, entry.evidence_provenance or session):
        _seconds(provenance.accepted_at)  # a ValueError if it is no time
    return entry


def _benchmark(entry: Entry) -> dict[str, Any]:
    extra = dict(entry.benchmark["extra_info"])
    extra[_PROVENANCE_KEY] = msgspec.to_builtins(entry.provenance)
    if entry.evidence_provenance:
        extra[_EVIDENCE_PROVENANCE_KEY] = msgspec.to_builtins(entry.evidence_provenance)
    return {**entry.benchmark, "extra_info": extra}


def with_evidence_of(entry: Entry, stored: Entry) -> Entry:
    """The entry with the evidence of another, and whence that came."""
    extra = entry.benchmark["extra_info"]
    evidence = stored.benchmark["extra_info"][EXTRA_INFO_KEY]["evidence"]
    record = {**extra[EXTRA_INFO_KEY], "evidence": evidence}
    benchmark = {**entry.benchmark, "extra_info": {**extra, EXTRA_INFO_KEY: record}}
    return Entry(
        benchmark=benchmark,
        measurement=measurement_in(benchmark),
        provenance=entry.provenance,
        evidence_provenance=stored.evidence_provenance or stored.provenance,
    )


def _has_latencies(replicate: Replicate) -> bool:
    return bool(replicate.latencies_ns) and 0 < min(replicate.latencies_ns) <= max(replicate.latencies_ns) < _LONGEST_NS


def _seconds(accepted_at: str | None) -> float:
    if accepted_at is None:
        return float("-inf")
    moment = datetime.fromisoformat(accepted_at)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
