"""What a night shows while it runs, made of its journal."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest
from builders import ONCE_VARIANT, OTHER_VARIANT, VARIANT, replicate
from rich.console import Console
from test_campaign import HEADER, UNOBSERVED, WRONG

from perfsuite.judge.outcome import judge_variant
from perfsuite.measure.campaign import CheckEntry, Journal, JournalEntry
from perfsuite.measure.clock import Clock
from perfsuite.measure.plan import Plan
from perfsuite.records.measurement import Failure
from perfsuite.records.pair import Pair, Pairing
from perfsuite.report.live import NightRow, NightScreen, Size, confirming_table, night_rows, night_table, remaining_s
from perfsuite.spec import Variant

SIZE = Size(width=100, height=40)
PLAN = Plan(variants=3, replicates=2, measure_s=60.0, extra_s=0.0, confirm_s=180.0)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path, HEADER)


def night_screen(
    journal: Journal, variants: tuple[Variant, ...] = (VARIANT, OTHER_VARIANT), clock: Clock | None = None
) -> NightScreen:
    each_s = dict.fromkeys(variants, 10.0)
    return NightScreen(variants=variants, journal=journal, replicates=2, plan=PLAN, each_s=each_s, clock=clock)


def _printed(table: Any, size: Size = SIZE) -> list[str]:
    console = Console(file=io.StringIO(), width=size.width)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def _timed(variant: Variant, latency_ns: int) -> JournalEntry:
    return JournalEntry(variant=variant, replicate=replicate(latency_ns))


def test_rows_tell_how_far_each_variant_is(journal: Journal) -> None:
    for entry in (_timed(VARIANT, 10_000_000), _timed(VARIANT, 10_000_000), _timed(ONCE_VARIANT, 5_000_000)):
        journal.append(entry)
    journal.append(Failure(variant=OTHER_VARIANT, reason="hung"))
    pairing = Pairing(baseline=VARIANT, candidate=VARIANT)
    journal.append(Pair(pairing=pairing, baseline=replicate(10_000), candidate=replicate(15_000)))
    decided = {ONCE_VARIANT: judge_variant(ONCE_VARIANT)}
    rows = night_rows((VARIANT, OTHER_VARIANT, ONCE_VARIANT), journal, 2, decided)
    assert (rows[0].measured, rows[0].planned, rows[0].pairs, rows[0].decided) == (2, 2, 1, "")
    assert rows[0].latency_s == pytest.approx(0.01)
    assert rows[0].ratio == pytest.approx(1.5)
    assert (rows[1].failed, rows[1].measured) == (True, 0)
    assert (rows[2].planned, rows[2].measured, rows[2].decided) == (1, 1, "unchanged")


def test_while_it_measures_who_runs_what_was_found_and_what_is_left_are_there(journal: Journal) -> None:
    screen = night_screen(journal)
    begun = _printed(screen.measuring(VARIANT, SIZE))
    assert begun[0] == f"measuring {VARIANT.id}"
    assert "0 of 2 measured; about 48 s left to measure, then at most 3 min to confirm" in begun
    journal.append(_timed(VARIANT, 19_700_000))
    journal.append(_timed(VARIANT, 19_700_000))
    told = _printed(screen.measuring(OTHER_VARIANT, SIZE))
    assert any(line.split() == [VARIANT.id, "2/2", "19.7", "ms"] for line in told)
    assert any(line.split() == [OTHER_VARIANT.id, "0/2"] for line in told)


@pytest.mark.parametrize(
    ("spent_s", "timed", "left"),
    [(0.0, 0, "5 min"), (280.0, 0, "48 s"), (280.0, 2, "20 s"), (400.0, 2, "0 s")],
    ids=["all of the budget", "what was planned takes longer", "some for more", "over"],
)
def test_what_is_measured_beyond_the_plan_takes_what_the_budget_has_left(
    journal: Journal, spent_s: float, timed: int, left: str
) -> None:
    screen = night_screen(journal, (VARIANT, OTHER_VARIANT), Clock(300.0, spent_s=spent_s))
    assert screen.left() == f"about {'5 min' if not spent_s else '48 s'} left to measure, then at most 3 min to confirm"
    for variant in (VARIANT, OTHER_VARIANT):
        for _ in range(timed):
            journal.append(_timed(variant, 19_700_000))
            journal.append(dataclasses.replace(UNOBSERVED, variant=variant))
    assert screen.left() == f"about {left} left to measure, then at most 3 min to confirm"


@pytest.mark.parametrize(("wrong", "word"), [((), "right"), ((WRONG,), "wrong")])
def test_outputs_are_told_as_soon_as_they_are_checked(journal: Journal, wrong: tuple[Any, ...], word: str) -> None:
    check: CheckEntry = dataclasses.replace(UNOBSERVED, variant=VARIANT, wrong=wrong)
    journal.append(_timed(VARIANT, 19_700_000))
    journal.append(check)
    told = _printed(night_screen(journal).measuring(VARIANT, SIZE))
    assert any(line.split() == [VARIANT.id, "1/2", "19.7", "ms", word] for line in told)
    assert any("1 wrong" in line for line in told) == (word == "wrong")


def test_while_it_confirms_what_is_undecided_comes_first_with_its_ratio_so_far(journal: Journal) -> None:
    decided = {VARIANT: judge_variant(VARIANT)}
    pairing = Pairing(baseline=OTHER_VARIANT, candidate=OTHER_VARIANT)
    journal.append(Pair(pairing=pairing, baseline=replicate(10_000), candidate=replicate(15_000)))
    rows = night_rows((VARIANT, OTHER_VARIANT), journal, 2, decided)
    told = _printed(confirming_table(rows, "confirming bert-base, pair 2", Clock(300.0, spent_s=60.0), SIZE))
    cells = [line.split() for line in told if "latency" in line and "outputs" not in line]
    assert cells == [[OTHER_VARIANT.id, "0/2", "1", "1.500"], [VARIANT.id, "0/2", "unchanged"]]
    assert told[0] == "confirming bert-base, pair 2"
    assert any("at most 4 min left to confirm" in line for line in told)


@pytest.mark.parametrize("size", [SIZE, Size(width=80, height=24), Size(width=60, height=8), Size(width=300, height=5)])
@pytest.mark.parametrize("running", [0, 50, 95])
def test_a_night_of_96_variants_fits_the_terminal_and_shows_who_runs(size: Size, running: int) -> None:
    variants = [dataclasses.replace(VARIANT, model=f"m{number}") for number in range(96)]
    rows = [NightRow(variant=variant, planned=2, measured=1, latency_s=0.01) for variant in variants]
    lines = _printed(night_table(rows, variants[running], "measuring", "left", size), size)
    assert len(lines) <= max(size.height, 8)
    assert max(map(len, lines)) <= min(size.width, 100)
    assert any(line.lstrip().startswith(f"m{running}-") for line in lines)


@pytest.mark.parametrize(
    ("to_do_s", "elapsed_s", "left_s"),
    [(100.0, 0.0, 100.0), (95.0, 60.0, 95.0), (50.0, 100.0, 100.0), (50.0, 25.0, 25.0), (0.0, 99.0, 0.0)],
    ids=["begun", "too early to tell", "twice as slow", "twice as fast", "done"],
)
def test_what_is_left_goes_at_the_pace_so_far(to_do_s: float, elapsed_s: float, left_s: float) -> None:
    assert remaining_s(100.0, to_do_s, elapsed_s) == pytest.approx(left_s)
