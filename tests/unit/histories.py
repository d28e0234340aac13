"""Histories on both databases, and what tests put into them."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import OTHER_VARIANT, VARIANT, measurement, session
from postgresql import postgresql, programs
from sqlalchemy import text
from sqlalchemy.engine import URL

from perfsuite.backends.registry import slug_of
from perfsuite.history.address import VARIABLE, history_url
from perfsuite.history.database import History
from perfsuite.history.rows import Rows, rows_of
from perfsuite.records.session import Session

NOBODY = {VARIABLE: ""}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if programs() is None:
        pytest.skip("no PostgreSQL here: Debian's package postgresql has one")
    with tempfile.TemporaryDirectory(prefix="pg") as folder:  # a socket's path may not be long
        Path(folder).chmod(0o755)
        with postgresql(Path(folder) / "server") as address:
            yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    """An empty database."""
    if request.param == "sqlite":
        yield history_url(tmp_path, None, NOBODY)
        return
    found = history_url(tmp_path, request.getfixturevalue("server"), NOBODY)
    yield found
    history = History(found)
    with history._engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    history.close()


def session_of_day(day: int, *latencies_ms: int, **changes: object) -> Session:
    """Begun on that day of a year; of one variant, or of two."""
    begun = f"2026-{1 + day // 28:02}-{1 + day % 28:02}T02:00:00+00:00"
    variants = (VARIANT, OTHER_VARIANT)
    measured = tuple(
        dataclasses.replace(measurement(latency_ms * 1_000_000), variant=variant)
        for latency_ms, variant in zip(latencies_ms, variants, strict=False)
    )
    found = dataclasses.replace(session(*measured), begun_at=begun, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(found, id=f"{found.begun_compact}-{day}")


def rows_of_day(day: int, *latencies_ms: int, **changes: object) -> Rows:
    found = session_of_day(day, *latencies_ms, **changes)
    return rows_of(found, slug_of(found.stack), {VARIANT.id: "unchanged"})


def foreign(*benchmarks: tuple[str, float]) -> bytes:
    document = {
        "datetime": "2026-01-02T03:04:05+00:00",
        "machine_info": {"machine": "x86_64"},
        "benchmarks": [{"fullname": name, "stats": {"median": median}} for name, median in benchmarks],
    }
    return json.dumps(document).encode()
