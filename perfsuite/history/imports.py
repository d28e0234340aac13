"""Files -> rows of the history: sessions of ours, and what pytest-benchmark measured by itself."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from perfsuite.backends.registry import slug_of
from perfsuite.errors import UsageError
from perfsuite.history.rows import Rows, rows_of
from perfsuite.records.history import Circumstances
from perfsuite.store.documents import is_ours, parsed, verdicts_in
from perfsuite.store.sessions import read_stored

#: What a document of pytest-benchmark's that is not what it should be raises here.
_UNTRUSTED = (KeyError, TypeError, ValueError, AttributeError)


def files_in(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files themselves, and every .json below a folder, in order; UsageError for what is not there."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.rglob("*.json") if file.is_file())
        elif path.is_file():
            found.append(path)
        else:
            raise UsageError(f"there is no {path}")
    return tuple(dict.fromkeys(found))


def rows_in(path: Path) -> Rows:
    """Of a session of ours, or of what pytest-benchmark measured by itself; UsageError for any other file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if not is_ours(content):
        return foreign_rows(path, content)
    session = read_stored(path).session
    return rows_of(session, slug_of(session.stack), verdicts_in(parsed(content)))


def foreign_rows(path: Path, content: bytes) -> Rows:
    """Of a file that pytest-benchmark wrote and perfsuite did not: latencies alone, no document.

    What it is called does not matter. UsageError if it is none.
    """
    try:
        document = json.loads(content)
        begun = datetime.fromisoformat(document["datetime"])
        begun_compact = f"{(begun if begun.tzinfo else begun.replace(tzinfo=UTC)).astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"
        machine = document["machine_info"]
        commit = (document.get("commit_info") or {}).get("id") or ""
        names = [str(one["fullname"]) for one in document["benchmarks"]]
        if len(set(names)) < len(names):
            raise ValueError("a benchmark is there twice")
        name = f"{begun_compact}-{hashlib.sha256(content).hexdigest()[:12]}"
        return Rows(
            session={
                "id": name,
                "begun": begun_compact,
                "machine": str((machine.get("cpu") or {}).get("brand_raw") or machine["machine"]),
                "stack": "pytest-benchmark",
                "revision": str(commit),
                "entries": len(document["benchmarks"]),
                "circumstances": json.dumps(msgspec.to_builtins(_circumstances(machine, str(commit)))),
            },
            entries=tuple(_entries(name, document["benchmarks"])),
            document=None,
        )
    except _UNTRUSTED as error:
        raise UsageError(
            f"{path} is no file of perfsuite's or pytest-benchmark's ({type(error).__name__}: {error})"
        ) from error


def _entries(session: str, benchmarks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in benchmarks:
        figures = {"peak_bytes": None, "sqnr_db": None, "compile_s": None, "verdict": ""}
        latency_s = float(one["stats"]["median"])
        if not 0 < latency_s < math.inf:
            raise ValueError(f"the median of {one['fullname']} is {latency_s}")
        yield {"session": session, "variant": str(one["fullname"]), "latency_s": latency_s, **figures}


def _circumstances(machine: dict[str, Any], commit: str) -> Circumstances:
    told = {name: str(machine[name]) for name in ("node", "release", "machine") if machine.get(name)}
    software = {"python": str(machine.get("python_version", "")), "commit": commit[:12]}
    return Circumstances(software={name: value for name, value in software.items() if value}, machine=told)
