"""Which settings are tried, what is combined of them, and the lines that come of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import MACHINE, PLACEMENT, VARIANT
from compare_builders import PAIRING, pair, row, speed
from rich.console import Console

from perfsuite.cli import main
from perfsuite.compare.pairings import Party
from perfsuite.judge.outcome import judge_variant
from perfsuite.measure.clock import Clock
from perfsuite.records.comparison import Row
from perfsuite.records.speed import Reason, Verdict
from perfsuite.records.tuning import Candidate, Knob, Trial, Tuning
from perfsuite.report.tune import best_lines, print_tuning, setting
from perfsuite.settings import Settings
from perfsuite.spec import Support
from perfsuite.tune import run
from perfsuite.tune.candidates import candidates, combined, huge_pages_on_request
from perfsuite.tune.run import tune

BOTH = ("jemalloc", "iomp5")


def _shapes(cores: int, instances: int, threads: int) -> set[tuple[int, int]]:
    found = candidates(
        cores=cores, instances=instances, threads=threads, preload=(), environ={}, there=(), huge_pages=False
    )
    return {(one.instances, one.threads) for one in found if one.knob is Knob.PLACEMENT}


@pytest.mark.parametrize(
    ("cores", "now", "expected"),
    [
        (1, (1, 1), set()),
        (2, (1, 2), {(1, 1), (2, 1)}),
        (2, (2, 1), {(1, 1), (1, 2)}),
        (6, (1, 6), {(1, 1), (6, 1), (1, 2), (3, 2), (1, 4)}),
    ],
)
def test_placements_leave_no_core_twice_and_the_current_one_out(
    cores: int, now: tuple[int, int], expected: set[tuple[int, int]]
) -> None:
    found = _shapes(cores, *now)
    assert found == expected
    assert all(instances * threads <= cores for instances, threads in found)


def _candidates(environ: dict[str, str], threads: int = 2, **changes: Any) -> list[Candidate]:
    how: dict[str, Any] = {"preload": (), "there": BOTH, "huge_pages": True, **changes}
    found = candidates(cores=2, instances=1, threads=threads, environ=environ, **how)
    return [one for one in found if one.knob is not Knob.PLACEMENT]


def _variables(environ: dict[str, str], threads: int = 2, **changes: Any) -> list[dict[str, str]]:
    return [dict(one.variables) for one in _candidates(environ, threads, **changes)]


def test_what_is_installed_is_tried_and_what_is_set_is_kept() -> None:
    plain = _variables({})
    assert {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"} in plain
    assert {"OMP_PROC_BIND": "close"} not in _variables({"OMP_PROC_BIND": "close"})
    assert not any("OMP_PROC_BIND" in one for one in _variables({}, threads=1))
    bare = _variables({}, there=(), huge_pages=False)
    assert not any("GLIBC_TUNABLES" in one for one in bare)


@pytest.mark.parametrize(
    ("preload", "environ", "there", "expected"),
    [
        ((), {}, (), []),
        ((), {}, BOTH, [("jemalloc",), ("iomp5",)]),
        ((), {"LD_PRELOAD": "mine.so"}, BOTH, [("jemalloc",), ("iomp5",)]),
        ((), {"LD_PRELOAD": "mine.so /usr/lib/libjemalloc.so.2"}, BOTH, [("iomp5",)]),
        (("jemalloc",), {}, BOTH, [("iomp5", "jemalloc")]),
        (("jemalloc", "/mine.so"), {}, ("jemalloc", "tcmalloc"), [("tcmalloc", "/mine.so")]),
        (("iomp5",), {}, BOTH, [("jemalloc", "iomp5")]),
    ],
)
def test_a_library_is_tried_before_those_of_the_setting_and_an_allocator_in_the_place_of_another(
    preload: tuple[str, ...], environ: dict[str, str], there: tuple[str, ...], expected: list[tuple[str, ...]]
) -> None:
    found = candidates(cores=2, instances=1, threads=2, preload=preload, environ=environ, there=there, huge_pages=False)
    assert [one.preload for one in found if one.preload != preload] == expected
    (runtimes,) = [[one.variables for one in found if "iomp5" in one.preload and "iomp5" not in preload]]
    assert all("KMP_BLOCKTIME" in variables for variables in runtimes)
    assert all(one.preload == preload for one in found if one.knob is Knob.PLACEMENT)


@pytest.mark.parametrize(
    ("text", "expected"), [("always [madvise] never\n", True), ("[always] madvise never\n", False), (None, False)]
)
def test_huge_pages_are_tried_where_they_are_on_request(text: str | None, expected: bool, tmp_path: Path) -> None:
    if text is not None:
        file = tmp_path / "sys/kernel/mm/transparent_hugepage/enabled"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    assert huge_pages_on_request(tmp_path) is expected


def _row(ratio: float) -> Row:
    verdict = Verdict.IMPROVED if ratio < 0.98 else Verdict.REGRESSED if ratio > 1.02 else Verdict.UNCHANGED
    found = speed(verdict, ratio, Reason.BEYOND)
    return row(judge_variant(VARIANT, speed=found), pairs=(pair(ratio), pair(ratio, latency_ns=200_000_000)))


def _trial(
    ratio: float,
    knob: Knob = Knob.PLACEMENT,
    *preload: str,
    instances: int = 1,
    threads: int = 4,
    **variables: str,
) -> Trial:
    candidate = Candidate(knob=knob, instances=instances, threads=threads, preload=preload, variables=variables)
    return Trial(candidate=candidate, row=_row(ratio))


def _tuning(*trials: Trial) -> Tuning:
    return Tuning(
        variant=VARIANT,
        machine_slug=MACHINE.slug,
        placement=PLACEMENT,
        preload=(),
        trials=trials,
        resolution=0.02,
        coverage=0.95,
        wall_s=60.0,
    )


JEMALLOC = _trial(0.9, Knob.ALLOCATOR, "jemalloc")
TCMALLOC = _trial(0.95, Knob.ALLOCATOR, "tcmalloc")
KEPT = _trial(0.85, Knob.ALLOCATOR, MALLOC_TRIM_THRESHOLD_="9")
IOMP = _trial(0.8, Knob.OPENMP, "iomp5", KMP_BLOCKTIME="1")
TWO = _trial(0.7, instances=2, threads=2)
FOUR = _trial(0.6, instances=4, threads=1)
SLOWER = _trial(1.3, instances=1, threads=1)
SAME = _trial(1.0, Knob.HUGE_PAGES, GLIBC_TUNABLES="x")


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        ([SLOWER, SAME], []),
        ([FOUR, TWO, SLOWER], []),
        ([JEMALLOC, TCMALLOC], []),
        ([JEMALLOC, IOMP], [(1, 4, ("jemalloc", "iomp5"), {"KMP_BLOCKTIME": "1"})]),
        ([KEPT, IOMP], [(1, 4, ("iomp5",), {"MALLOC_TRIM_THRESHOLD_": "9", "KMP_BLOCKTIME": "1"})]),
        ([TWO, FOUR, TCMALLOC, SAME], [(4, 1, ("tcmalloc",), {})]),
    ],
)
def test_the_best_of_each_knob_are_tried_at_once(
    trials: list[Trial], expected: list[tuple[int, int, tuple[str, ...], dict[str, str]]]
) -> None:
    found = combined(trials, instances=1, threads=4, preload=())
    assert [(one.instances, one.threads, one.preload, dict(one.variables)) for one in found] == expected


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        ([_trial(0.9, Knob.ALLOCATOR, "tcmalloc", "/mine.so"), FOUR], ("tcmalloc", "/mine.so")),
        ([IOMP, FOUR], ("iomp5", "jemalloc", "/mine.so")),
        ([_trial(0.9, Knob.ALLOCATOR, "tcmalloc", "/mine.so"), IOMP], ("tcmalloc", "iomp5", "/mine.so")),
        ([SAME, FOUR, KEPT], ("jemalloc", "/mine.so")),
    ],
)
def test_at_once_the_setting_s_libraries_stay_but_for_another_allocator(
    trials: list[Trial], expected: tuple[str, ...]
) -> None:
    found = combined(trials, instances=1, threads=4, preload=("jemalloc", "/mine.so"))
    assert [one.preload for one in found] == [expected]


def test_lines_to_paste_are_of_most_items_and_of_the_shortest_pass() -> None:
    assert list(best_lines(_tuning(TWO, JEMALLOC, FOUR, SLOWER))) == [
        "most items per second (0.600 of the time for each): pytest --benchmark-only --instances 4 --threads 1",
        "shortest pass (0.900 of the time): pytest --benchmark-only --instances 1 --threads 4 --preload=jemalloc",
    ]
    (nothing,) = best_lines(_tuning(SLOWER, SAME, Trial(candidate=TWO.candidate, row=None)))
    assert nothing.startswith("nothing is surely faster")


def test_the_table_has_every_candidate_and_says_what_was_not_tried() -> None:
    console = Console(file=io.StringIO(), width=140)
    print_tuning(_tuning(JEMALLOC, Trial(candidate=TWO.candidate, row=None)), console)
    assert isinstance(console.file, io.StringIO)
    lines = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]
    assert "now 141 200" in lines
    assert "--preload=jemalloc 127 180 0.900 0.891..0.909 improved" in lines
    assert "2 x 2 no time was left" in lines


def test_each_candidate_has_its_share_of_time_and_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[str, int, float]] = []
    told: list[tuple[str, str]] = []
    ratios = iter([0.9, 0.8, 0.7])

    def compare(
        _: Party, party: Party, request: Any, *, clock: Clock, say: Callable[[str], None], **__: object
    ) -> SimpleNamespace:
        say(f"pair 1 of {party.name}")
        assert request.fits(PAIRING.candidate)
        asked.append((party.name, request.beside, clock.budget_s))
        return SimpleNamespace(rows=(_row(next(ratios)),))

    @contextmanager
    def opened(candidate: Candidate) -> Iterator[Party]:
        yield Party(name=candidate.knob, backend="ipex", rig=cast(Any, None))

    monkeypatch.setattr(run, "compare_stacks", compare)
    rig = SimpleNamespace(placement=PLACEMENT, machine=MACHINE, settings=Settings())
    found = tune(
        VARIANT,
        Party(name="current", backend="ipex", rig=cast(Any, rig)),
        [JEMALLOC.candidate, IOMP.candidate],
        opened,
        resolution=0.02,
        journals=tmp_path,
        clock=Clock(400.0),
        say=lambda candidate, text: told.append((candidate.knob, text)),
    )
    assert told == [(name, f"pair 1 of {name}") for name, _, _ in asked]
    assert [(name, beside) for name, beside, _ in asked] == [("allocator", 3), ("OpenMP", 3), ("combined", 3)]
    assert [budget_s for *_, budget_s in asked] == pytest.approx([100, 133.3, 400], rel=0.01)
    best = found.most_items
    assert best is not None
    assert best.candidate.knob is Knob.COMBINED
    assert best is found.shortest_pass


def test_the_command_says_which_setting_it_tries(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rig = SimpleNamespace(
        models={VARIANT.model: None}, placement=PLACEMENT, machine=MACHINE, support=lambda _: Support()
    )
    monkeypatch.setattr("perfsuite.measure.rig.Rig", lambda _: nullcontext(rig))
    monkeypatch.setattr("perfsuite.measure.placement.place", lambda _: PLACEMENT)
    monkeypatch.setattr("perfsuite.backends.registry.variants", lambda *_: [VARIANT])
    monkeypatch.setattr(
        "perfsuite.tune.run.tune", lambda *_, say, **__: (say(IOMP.candidate, "pair 1 of it"), _tuning(JEMALLOC))[1]
    )
    monkeypatch.setenv("PERFSUITE_LOCK_FOLDER", str(tmp_path))
    assert main(["tune", VARIANT.id]) == 0
    name = setting(IOMP.candidate, placement=PLACEMENT, preload=())
    assert "--preload=iomp5" in name
    assert f"{name}: pair 1 of it" in capfd.readouterr().err
