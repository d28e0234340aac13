"""What the history is asked, on both databases: searches, what a session is held against, the last figures."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest
from builders import OTHER_VARIANT, VARIANT
from histories import foreign, rows_of_day, server, session_of_day, url
from sqlalchemy.engine import URL

from perfsuite.backends.registry import slug_of
from perfsuite.history.changes import trends_of
from perfsuite.history.database import History
from perfsuite.history.imports import foreign_rows
from perfsuite.history.last import last_measured
from perfsuite.records.history import Metric
from perfsuite.spec import Variant

__all__ = ["server", "url"]


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ([], [1, 2, 3]),
        (["2026-01-03"], [2]),
        (["2026-01-03", "resnet50"], [2]),
        (["BERT-base"], [3]),
        (["2026-01-03", "bert-base"], []),
        (["torch-2.8"], [1, 2, 3]),
        (["%"], []),
        (["_"], [1, 2, 3]),
        (["-"], [1, 2, 3]),
    ],
)
def test_sessions_are_found_by_every_word(url: URL, words: list[str], days: list[int]) -> None:
    with contextlib.closing(History(url)) as history:
        for day, latencies_ms in ((1, [100]), (2, [100]), (3, [100, 50])):
            history.keep(rows_of_day(day, *latencies_ms))
        assert [int(one.id[-1]) for one in history.sessions(words=words)] == days
        assert history.count(words) == len(days)


def test_what_a_session_is_held_against_is_the_last_of_its_kind(url: URL) -> None:
    """Two sessions that have the variant, of the same machine class and stack; of another stack where there is none."""
    other = dataclasses.replace(session_of_day(0, 1).machine, physical_cores=99)
    newer = dataclasses.replace(session_of_day(0, 1).stack, packages={"torch": "9.9.0"})
    with contextlib.closing(History(url)) as history:
        for day, latencies_ms in ((1, [100]), (2, [100, 50]), (3, [100]), (4, [100])):
            history.keep(rows_of_day(day, *latencies_ms))
        history.keep(rows_of_day(5, 100, machine=other))
        history.keep(rows_of_day(6, 100, stack=newer))
        history.keep(foreign_rows(Path("0001.json"), foreign((VARIANT.id, 0.25))))
        history.keep(dataclasses.replace(rows_of_day(7, 100), document=None))  # of which there are figures alone

        def before(day: int, *variants: Variant, **changes: object) -> list[int]:
            found = session_of_day(day, 100, 50, **changes)
            ids = history.last(
                found.machine.slug, [one.id for one in variants], stack=slug_of(found.stack), most=2,
                before=found.begun_compact,
            )  # fmt: skip
            return [int(one[-1]) for one in ids]

        assert before(9, VARIANT) == [4, 3]
        assert before(9, VARIANT, OTHER_VARIANT) == [4, 3, 2]
        assert before(4, VARIANT) == [3, 2]
        assert before(9, VARIANT, stack=newer) == [6]
        assert before(5, VARIANT, stack=newer) == [4, 3]
        assert before(1, VARIANT) == []


def test_the_last_figures_of_one_machine_class_can_be_had_alone(url: URL) -> None:
    with contextlib.closing(History(url)) as history:
        slug = session_of_day(0, 1).machine.slug
        for day in range(1, 7):
            history.keep(rows_of_day(day, 100 + day))
        history.keep(rows_of_day(7, 40, machine=dataclasses.replace(session_of_day(0, 1).machine, physical_cores=99)))
        (series,) = history.series(VARIANT.id, Metric.LATENCY, machine=slug, last=2)
        assert [round(point.value, 6) for point in series.points] == [0.105, 0.106]
        found = trends_of(history, session_of_day(6, 106), [VARIANT, OTHER_VARIANT], [Metric.LATENCY], last=3)
        assert [len(trend.series.points) for trend in found[VARIANT]] == [3]
        assert OTHER_VARIANT not in found


def test_what_was_measured_last_is_of_the_same_machine_class(url: URL) -> None:
    machine = session_of_day(0, 1).machine
    other = dataclasses.replace(machine, physical_cores=99)
    both, stack_slug = [VARIANT, OTHER_VARIANT], slug_of(session_of_day(0, 1).stack)

    def latencies(slug: str, *variants: Variant) -> dict[Variant, float]:
        found = last_measured(url, variants, machine_slug=slug, stack_slug=stack_slug)
        return {variant: round(one.latency_s, 6) for variant, one in found.items()}

    assert latencies(machine.slug, *both) == {}
    with contextlib.closing(History(url)) as history:
        for day, latencies_ms in ((1, [100]), (2, [110, 50]), (3, [120])):
            history.keep(rows_of_day(day, *latencies_ms))
        history.keep(rows_of_day(4, 40, machine=other))
    assert latencies(machine.slug, *both) == {VARIANT: 0.12, OTHER_VARIANT: 0.05}
    assert latencies(machine.slug, OTHER_VARIANT) == {OTHER_VARIANT: 0.05}
    assert latencies(other.slug, *both) == {VARIANT: 0.04}
    assert latencies("nowhere", *both) == {}


def test_a_history_that_does_not_answer_knows_nothing_and_none_is_made(tmp_path: Path) -> None:
    missing, broken = tmp_path / "missing.sqlite", tmp_path / "broken.sqlite"
    broken.write_bytes(b"no database, but long enough to be taken for one" * 40)
    for file in (missing, broken):
        url = URL.create("sqlite", database=str(file))
        assert last_measured(url, [VARIANT], machine_slug="any", stack_slug="any") == {}
    assert not missing.exists()
