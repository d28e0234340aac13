"""The history on both databases: what is kept, once, whole or not at all, and what is read of it."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import OTHER_VARIANT, VARIANT
from histories import NOBODY, foreign, rows_of_day, server, session_of_day, url
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from perfsuite.backends.registry import slug_of
from perfsuite.errors import HistoryError, UsageError
from perfsuite.history.address import VARIABLE, history_url, shown
from perfsuite.history.changes import trend_of
from perfsuite.history.database import REVISION, History
from perfsuite.history.imports import foreign_rows, rows_in
from perfsuite.history.rows import rows_of
from perfsuite.records.history import Metric, Origin

__all__ = ["server", "url"]


def test_a_session_is_kept_once_and_whole(url: URL) -> None:
    whole = session_of_day(1, 100, 50)
    for kept in (True, False):
        history = History(url)
        assert history.keep(rows_of(whole, slug_of(whole.stack), {VARIANT.id: "unchanged"})) is kept
        (one,) = history.sessions()
        assert (one.id, one.entries, one.verdicts) == (whole.id, 2, {"unchanged": 1})
        assert history.session(whole.id) == whole
        assert history.newest() == {one.id: whole.id for one in (VARIANT, OTHER_VARIANT)}
        history.close()


def test_a_session_that_was_cut_short_is_replaced_by_the_whole_one(url: URL) -> None:
    history = History(url)
    told = [history.keep(rows_of_day(1, *latencies)) for latencies in ((100,), (100, 50), (100,))]
    assert told == [True, True, False]
    (one,) = history.sessions()
    assert one.entries == 2
    (series,) = history.series(OTHER_VARIANT.id, Metric.LATENCY)
    assert [round(point.value, 6) for point in series.points] == [0.05]
    history.close()


def test_a_series_is_oldest_first_and_of_one_machine_class_each(url: URL) -> None:
    history = History(url)
    other = dataclasses.replace(session_of_day(0, 1).machine, physical_cores=99)
    for day, latency_ms in ((3, 130), (1, 110), (2, 120)):
        history.keep(rows_of_day(day, latency_ms))
    history.keep(rows_of_day(4, 40, machine=other))
    found = {
        series.machine_slug: [round(point.value, 6) for point in series.points]
        for series in history.series(VARIANT.id, Metric.LATENCY)
    }
    assert found == {session_of_day(0, 1).machine.slug: [0.11, 0.12, 0.13], other.slug: [0.04]}
    assert [one.id[-1] for one in history.sessions(last=2)] == ["3", "4"]
    assert history.series("nobody", Metric.LATENCY) == ()
    assert history.series(VARIANT.id, Metric.LATENCY, stack="another") == ()
    history.close()


def test_a_change_is_joined_with_what_changed_there(url: URL) -> None:
    history = History(url)
    first = session_of_day(0, 1)
    newer = dataclasses.replace(first.stack, packages={**first.stack.packages, "torch": "9.9"})
    kernel = dataclasses.replace(first.state, kernel="7.0")
    for day in range(40):
        # The first night with another torch is as fast as before, so that the change is found a night later.
        latency_ms = 100 + day % 3 + (20 if day > 10 else 0) + (30 if day >= 20 else 0) + (50 if day >= 30 else 0)
        stack = newer if day >= 10 else first.stack
        history.keep(rows_of_day(day, latency_ms, stack=stack, state=kernel if day >= 20 else first.state))
    (series,) = history.series(VARIANT.id, Metric.LATENCY)
    found = [
        (one.number, one.origin, [difference.name for difference in one.changed]) for one in trend_of(series).changes
    ]
    assert found == [
        (11, Origin.SOFTWARE, ["torch"]),
        (20, Origin.MACHINE, ["kernel"]),
        (30, Origin.UNKNOWN, []),
    ]
    history.close()


def test_a_session_that_names_a_variant_twice_is_an_error_and_not_there(url: URL) -> None:
    history = History(url)
    rows = rows_of_day(1, 100)
    with pytest.raises(HistoryError, match="a variant twice"):
        history.keep(dataclasses.replace(rows, entries=rows.entries * 2))
    assert history.sessions() == ()
    history.close()


@pytest.mark.parametrize("metric", list(Metric))
def test_a_figure_that_is_nothing_is_none(url: URL, metric: Metric) -> None:
    history = History(url)
    columns = dict(zip(Metric, ("latency_s", "peak_bytes", "sqnr_db", "compile_s"), strict=True))
    for day, figure in enumerate([0.0] * 12 + [1.0] * 12):
        rows = rows_of_day(day, 100)
        history.keep(dataclasses.replace(rows, entries=({**rows.entries[0], columns[metric]: figure},)))
    (series,) = history.series(VARIANT.id, metric)
    assert len(series.points) == (24 if metric is Metric.ACCURACY else 12)
    assert len(trend_of(series).changes) == (1 if metric is Metric.ACCURACY else 0)
    history.close()


def test_a_session_of_another_perfsuite_is_one_clear_error(url: URL) -> None:
    with contextlib.closing(History(url)) as history:
        history.keep(dataclasses.replace(rows_of_day(1, 100), document=b"what nobody can read"))
        with pytest.raises(HistoryError, match="another perfsuite wrote it"):
            history.session(session_of_day(1, 100).id)


def test_tables_of_somebody_else_are_one_clear_error(url: URL) -> None:
    with contextlib.closing(History(url)) as history, history._engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(HistoryError, match="are not perfsuite's"):
        History(url)
    # What comes after finds them as they were.
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{REVISION}'"))
    engine.dispose()


def test_a_file_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    for name, median in (("a.json", 0.25), ("renamed.json", 0.25), ("b.json", 0.5)):
        (tmp_path / name).write_bytes(foreign(("test_a", median)))
    names = [rows_in(path).session["id"] for path in sorted(tmp_path.glob("*.json"))]
    assert names[0] == names[2] != names[1]


def test_what_pytest_benchmark_measured_by_itself_has_latencies(url: URL) -> None:
    history = History(url)
    assert history.keep(foreign_rows(Path("0001.json"), foreign(("test_a", 0.25), ("test_b", 0.5))))
    (series,) = history.series("test_b", Metric.LATENCY)
    assert [(point.value, point.machine_slug) for point in series.points] == [(0.5, "x86_64")]
    history.close()


@pytest.mark.parametrize(
    "content",
    [
        foreign(("test_a", math.inf)),
        foreign(("test_a", math.nan)),
        foreign(("test_a", 0.0)),
        foreign(("test_a", 1.0), ("test_a", 1.0)),
        b"[]",
        b"{}",
        b"no JSON",
    ],
)
def test_a_file_of_nobody_s_is_refused_with_its_name(content: bytes) -> None:
    with pytest.raises(UsageError, match=r"0001\.json"):
        foreign_rows(Path("0001.json"), content)


def test_who_finds_the_file_locked_tries_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfsuite.history.database._WAIT_S", 0.0)
    url = history_url(tmp_path, None, NOBODY)
    history = History(url)
    other = sqlite3.connect(url.database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            other.execute("ROLLBACK")

    monkeypatch.setattr("time.sleep", wait)
    assert history.keep(rows_of_day(1, 100))
    assert len(waits) == 2
    history.close()
    other.close()


#: Forks writers, for each would import for seconds; every fifth is killed once it has kept its first session.
_WRITERS = """
import os, signal, sys, time
from pathlib import Path
from perfsuite.history.address import history_url
from perfsuite.history.database import History
from histories import rows_of_day

folder = Path(sys.argv[1])
url = history_url(folder, sys.argv[2] or None, {})


def write(number):
    history = History(url)
    with (folder / f"{number}.kept").open("w") as kept:
        for day in range(number * 5, number * 5 + 5):
            rows = rows_of_day(day, 100, 50)
            history.keep(rows)
            print(rows.session["id"], file=kept, flush=True)


writers = {}
for number in range(20):
    pid = os.fork()
    if not pid:
        try:
            write(number)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    writers[number] = pid
for number in range(0, 20, 5):
    while not (folder / f"{number}.kept").exists() or not (folder / f"{number}.kept").read_text():
        time.sleep(0.001)
    os.kill(writers[number], signal.SIGKILL)
statuses = {number: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for number, pid in writers.items()}
assert {status for number, status in statuses.items() if number % 5} == {0}, statuses
print(sum(status == -9 for status in statuses.values()))
"""


def test_twenty_writers_and_some_killed_keep_every_finished_session_once(url: URL, tmp_path: Path) -> None:
    address = url.render_as_string(hide_password=False) if url.drivername != "sqlite" else ""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", _WRITERS, str(tmp_path), address], env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 1  # else nobody died in the middle
    finished = {line for file in tmp_path.glob("*.kept") for line in file.read_text().splitlines()}
    assert len(finished) >= 16 * 5
    history = History(url)
    kept = history.sessions()
    assert finished <= {one.id for one in kept}
    assert len({one.id for one in kept}) == len(kept)
    assert all(history.session(one.id) is not None and one.entries == 2 for one in kept)
    history.close()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("postgresql://me:secret@nowhere.invalid/x", "does not answer"),
        ("postgresql://me:secret@127.0.0.1:1/x", "does not answer"),
        ("postgresql://me@127.0.0.1:1/x?password=secret&sslpassword=secret", "does not answer"),
        ("sqlite:////proc/none/history.sqlite", ""),
    ],
)
def test_what_does_not_answer_is_one_error_without_the_password(tmp_path: Path, said: str, words: str) -> None:
    with pytest.raises((HistoryError, OSError)) as raised:
        History(history_url(tmp_path, said, NOBODY))
    assert words in str(raised.value)
    assert "secret" not in str(raised.value)


def _garbage(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


@pytest.mark.parametrize("spoil", [_garbage, Path.mkdir], ids=["garbage", "a folder"])
def test_a_file_that_is_no_database_is_one_error(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    path = tmp_path / "history.sqlite"
    spoil(path)
    with pytest.raises(HistoryError, match=str(path)):
        History(history_url(tmp_path, f"sqlite:///{path}", NOBODY))


@pytest.mark.parametrize("said", ["mysql://me:secret@here/x", "secret", "postgresql://me:secret@here:port/x"])
def test_what_is_no_address_is_refused_without_the_password(tmp_path: Path, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        history_url(tmp_path, None, {VARIABLE: said})
    assert VARIABLE in str(raised.value)
    assert "secret" not in str(raised.value)


def test_the_variable_wins_over_the_setting_and_either_over_the_project_s_file(tmp_path: Path) -> None:
    setting, variable = "sqlite:///theirs.sqlite", "postgresql://me:secret@here/nights"
    assert shown(history_url(tmp_path, None, NOBODY)) == str(tmp_path / ".perfsuite" / "history.sqlite")
    assert shown(history_url(tmp_path, setting, NOBODY)) == str(tmp_path / "theirs.sqlite")
    assert shown(history_url(tmp_path, setting, {VARIABLE: variable})) == "postgresql+psycopg://me:***@here/nights"


def test_a_history_of_a_newer_perfsuite_is_left_alone(tmp_path: Path) -> None:
    url = history_url(tmp_path, None, NOBODY)
    history = History(url)
    with history._engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    history.close()
    with pytest.raises(HistoryError, match=r"newer perfsuite"):
        History(url)


def test_migrations_make_the_tables_that_the_code_has(url: URL) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from perfsuite.history.schema import METADATA

    history = History(url)
    with history._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    history.close()
    versions = Path(sys.modules["perfsuite.history.database"].__file__ or "").parent / "migrations" / "versions"
    assert max(re.match(r"\d+", path.name)[0] for path in versions.glob("0*.py")) == REVISION  # type: ignore[index]
