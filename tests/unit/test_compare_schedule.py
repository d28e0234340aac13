"""What a comparison measures when, what it keeps, and when it stops. The pairs themselves are made up here."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import OTHER_VARIANT, STACK
from compare_builders import PAIRING, examination, pair
from evidence_builders import evidence, kernel

from perfsuite.compare import schedule
from perfsuite.compare.pairings import Party
from perfsuite.compare.schedule import Header, Journal, Schedule
from perfsuite.errors import UsageError, WorkerError
from perfsuite.judge.paired import LOOKS
from perfsuite.measure.clock import Clock
from perfsuite.records.comparison import Look, PairingFailure
from perfsuite.records.pair import Pair, Pairing
from perfsuite.records.speed import Verdict
from perfsuite.stats.sequential import Looks

OTHER = Pairing(baseline=OTHER_VARIANT, candidate=OTHER_VARIANT)
HEADER = Header(
    baseline=STACK,
    candidate=STACK,
    commits=(None, None),
    backends=("ipex", "ipex"),
    machine_slugs=("some-machine", "some-machine"),
    environments=({}, {}),
    resolution=0.02,
    best=False,
    selection=("", "", "latency"),
)


class _Watch(Clock):
    """Time passes where it is told to, in measuring alone."""

    spent = 0.0

    @property
    def spent_s(self) -> float:
        return self.spent


class _Bench:
    """Stands where examinations and pairs are measured: hands out ratios, and notes who asked for what."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ratios: dict[Pairing, list[float]]) -> None:
        self.asked: list[Pairing | str] = []
        self.examined: list[Pairing] = []
        self._ratios = {pairing: iter(values) for pairing, values in ratios.items()}
        monkeypatch.setattr(schedule, "measure_pair", self._measure)
        monkeypatch.setattr(schedule, "examine", self._examine)

    def _measure(self, pairing: Pairing, *_: object, **__: object) -> Pair:
        self.asked.append(pairing)
        ratio = next(self._ratios[pairing], None)
        if ratio is None:
            raise WorkerError("worker 77 killed by SIGSEGV")
        return pair(ratio, pairing=pairing)

    def _examine(self, pairing: Pairing, *_: object) -> Any:
        self.examined.append(pairing)
        return examination(evidence([kernel()]), pairing=pairing)

    def party(self) -> Party:
        rig = SimpleNamespace(relaunch=lambda variant: self.asked.append("relaunch"), preload=lambda variant: None)
        return Party(name="some", backend="ipex", rig=cast(Any, rig))


def _schedule(
    bench: _Bench, journal: Journal, pairings: tuple[Pairing, ...], budget_s: float = 1e6, clock: Clock | None = None
) -> Schedule:
    return Schedule(
        bench.party(),
        bench.party(),
        pairings,
        journal,
        looks=Looks(counts=LOOKS, coverage=0.95, comparisons=len(pairings)),
        resolution=0.02,
        clock=clock or Clock(budget_s),
        say=lambda _: None,
    )


def _run(plan: Schedule) -> None:
    plan.examine()
    plan.measure()


def _verdicts(plan: Schedule) -> list[Verdict | None]:
    return [found.verdict if found else None for found in plan.decided.values()]


def test_what_is_decided_is_measured_no_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sure, noisy = [1.5, 1.501, 1.499, 1.5] * 4, [0.9, 1.1] * (LOOKS[-1] // 2)
    bench = _Bench(monkeypatch, {PAIRING: sure, OTHER: noisy})
    plan = _schedule(bench, Journal.create(tmp_path, HEADER), (PAIRING, OTHER))
    _run(plan)
    assert _verdicts(plan) == [Verdict.REGRESSED, Verdict.INCONCLUSIVE]
    assert (bench.asked.count(PAIRING), bench.asked.count(OTHER)) == (LOOKS[0], LOOKS[-1])
    assert bench.examined == [PAIRING, OTHER]


def test_passes_turn_round_and_load_both_stacks_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bench = _Bench(monkeypatch, {PAIRING: [0.9, 1.1] * 8, OTHER: [0.9, 1.1] * 8})
    _run(_schedule(bench, Journal.create(tmp_path, HEADER), (PAIRING, OTHER)))
    assert bench.asked[:8] == ["relaunch", "relaunch", PAIRING, OTHER, "relaunch", "relaunch", OTHER, PAIRING]


def test_a_failure_costs_its_own_pairing_and_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench = _Bench(monkeypatch, {PAIRING: [1.0], OTHER: [1.0, 1.001, 0.999, 1.0] * 4})
    journal = Journal.create(tmp_path, HEADER)
    plan = _schedule(bench, journal, (PAIRING, OTHER))
    _run(plan)
    assert _verdicts(plan) == [None, Verdict.UNCHANGED]
    assert bench.asked.count(PAIRING) == 2
    (failure,) = journal.of(PairingFailure)
    assert (failure.pairing, failure.reason) == (PAIRING, "worker 77 killed by SIGSEGV")


def test_without_time_nothing_is_started_and_nothing_claimed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bench = _Bench(monkeypatch, {PAIRING: [1.0] * 16})
    plan = _schedule(bench, Journal.create(tmp_path, HEADER), (PAIRING,), budget_s=0.0)
    _run(plan)
    assert (bench.asked, bench.examined, _verdicts(plan)) == ([], [], [None])


@pytest.mark.parametrize(
    ("budget_s", "asked"),
    [
        (11.0, [PAIRING, OTHER]),  # one more of neither
        (14.0, [PAIRING, OTHER, PAIRING]),  # one more of the faster
        (19.0, [PAIRING, OTHER, OTHER]),  # backwards: the slower comes first, and leaves no time for the faster
    ],
)
def test_what_no_longer_fits_starts_no_launchers(
    budget_s: float, asked: list[Pairing], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    watch, took_s = _Watch(budget_s), {PAIRING: 3.0, OTHER: 7.0}
    bench = _Bench(monkeypatch, {PAIRING: [0.9, 1.1] * 8, OTHER: [0.9, 1.1] * 8})

    def measured(pairing: Pairing, *rigs: object, **_: object) -> Pair:
        watch.spent += took_s[pairing]
        return bench._measure(pairing, *rigs)

    monkeypatch.setattr(schedule, "measure_pair", measured)
    _run(_schedule(bench, Journal.create(tmp_path, HEADER), (PAIRING, OTHER), clock=watch))
    assert [what for what in bench.asked if what != "relaunch"] == asked
    assert bench.asked.count("relaunch") == 2 * (1 + (len(asked) > 2))


def test_when_the_time_is_up_what_there_is_is_judged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, HEADER)
    for ratio in (1.1, 1.101, 1.099):
        journal.append(pair(ratio))
    plan = _schedule(_Bench(monkeypatch, {}), journal, (PAIRING,), budget_s=0.0)
    _run(plan)
    assert _verdicts(plan) == [Verdict.REGRESSED]
    found = plan.decided[PAIRING]
    assert found is not None
    assert found.observations == 3


def test_a_look_s_error_is_spent_once_however_often_a_run_is_resumed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The time is over after 3, 5 and 7 pairs; each time somebody reads the interval and resumes."""
    noisy = [0.9, 1.1] * 12
    Journal.create(tmp_path, HEADER)
    for pairs in (3, 5, 7):
        journal = Journal.resume(tmp_path, HEADER)
        for ratio in noisy[len(journal.of(Pair)) : pairs]:
            journal.append(pair(ratio))
        plan = _schedule(_Bench(monkeypatch, {}), journal, (PAIRING,), budget_s=0.0)
        _run(plan)
        assert _verdicts(plan) == [Verdict.INCONCLUSIVE]
    last = Journal.resume(tmp_path, HEADER)
    assert _verdicts(_schedule(_Bench(monkeypatch, {}), last, (PAIRING,))) == [None]
    spent = [look.error for look in last.of(Look)]
    assert spent == pytest.approx([0.045, 0.0045, 0.00045])


def test_what_an_earlier_run_decided_stays_decided(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, HEADER)
    sure = [1.5, 1.501, 1.499, 1.5]
    _run(_schedule(_Bench(monkeypatch, {PAIRING: sure}), journal, (PAIRING,)))
    bench = _Bench(monkeypatch, {})
    plan = _schedule(bench, Journal.resume(tmp_path, HEADER), (PAIRING,))
    assert _verdicts(plan) == [Verdict.REGRESSED]
    _run(plan)
    assert bench.asked == []
    assert len(journal.of(Look)) == 1


def test_a_resumed_journal_counts_its_pairs_and_examinations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, HEADER)
    journal.append(examination(evidence([kernel()])))
    for ratio in (1.0, 1.001, 0.999):
        journal.append(pair(ratio))
    bench = _Bench(monkeypatch, {PAIRING: [1.0]})
    plan = _schedule(bench, Journal.resume(tmp_path, HEADER), (PAIRING,))
    _run(plan)
    assert bench.examined == []
    assert bench.asked.count(PAIRING) == 1
    assert _verdicts(plan) == [Verdict.UNCHANGED]


def test_what_failed_is_tried_again_when_the_comparison_is_resumed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _run(_schedule(_Bench(monkeypatch, {PAIRING: [1.0]}), Journal.create(tmp_path, HEADER), (PAIRING,)))
    bench = _Bench(monkeypatch, {PAIRING: [1.0, 1.001, 0.999, 1.0] * 4})
    plan = _schedule(bench, Journal.resume(tmp_path, HEADER), (PAIRING,))
    _run(plan)
    assert _verdicts(plan) == [Verdict.UNCHANGED]
    assert (bench.asked.count(PAIRING), bench.examined) == (LOOKS[0] - 1, [])


def test_another_comparison_is_not_resumed(tmp_path: Path) -> None:
    Journal.create(tmp_path, HEADER)
    with pytest.raises(UsageError, match="another resolution; run without it"):
        Journal.resume(tmp_path, dataclasses.replace(HEADER, resolution=0.01))
