"""Suspects and the stacks that their baselines ran in, on a bench whose pairs are as planned."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import DIGESTS, OTHER_VARIANT, VARIANT, baseline, measurement
from compare_builders import PairHeader, PairJournal, pair
from evidence_builders import evidence, kernel

from perfsuite.confirm import night
from perfsuite.confirm import run as confirming
from perfsuite.confirm.night import Aim
from perfsuite.confirm.run import Confirmed, Suspect, confirm
from perfsuite.errors import StackError, WorkerError
from perfsuite.measure.clock import Clock
from perfsuite.records.baseline import Baseline, Difference
from perfsuite.records.confirmation import Finding
from perfsuite.records.pair import Pair, Pairing
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.records.violation import Kind, Violation
from perfsuite.spec import Variant

AIM = Aim(matters=1.02, false_alarm=0.01, missed=0.05)
KERNEL = Difference(name="kernel", before="6.1", now="6.2")
COST = Violation(kind=Kind.PEAK_MEMORY, expected=1, found=2)
EVIDENCE = evidence([kernel()])


class _Bench:
    """Pairs of each variant at its ratio; ``opened`` are the baselines whose stacks were opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ratios: dict[Variant, float]) -> None:
        self.ratios = ratios
        self.opened: list[Baseline] = []
        self.closed = 0
        self.asked: list[Variant] = []
        self.broken: str = ""
        self.costs: tuple[Violation, ...] = ()
        self.digests = DIGESTS
        self.alike: set[Variant] = set()
        monkeypatch.setattr(night, "measure_pair", self._measure)
        monkeypatch.setattr(confirming, "pair_cost_violations", lambda pairs, limits: self.costs)

    def _measure(self, pairing: Pairing, *_: object, candidate_first: bool) -> Pair:
        self.asked.append(pairing.candidate)
        spread = (0.0, 0.002, -0.002, 0.001)[len(self.asked) % 4]
        whole = pair(self.ratios[pairing.candidate] * (1 + spread), pairing=pairing)
        return dataclasses.replace(whole, candidate=dataclasses.replace(whole.candidate, digests=self.digests))

    @contextmanager
    def open(self, found: Baseline) -> Iterator[Any]:
        self.opened.append(found)
        if self.broken:
            raise StackError(self.broken)
        yield _rig(lambda variant: EVIDENCE, alike=self.alike)
        self.closed += 1

    def confirm(self, folder: Path, *suspects: Suspect, budget_s: float = 60.0) -> dict[Variant, Confirmed]:
        return confirm(
            suspects,
            _rig(lambda variant: EVIDENCE),
            self.open,
            PairJournal.create(folder, PairHeader()),
            AIM,
            drift=lambda found, pairs: (KERNEL,),
            clock=Clock(budget_s),
            say=lambda words: None,
        )


def _rig(observe: Callable[[Variant], Any], *, alike: Collection[Variant] = ()) -> Any:
    return SimpleNamespace(
        relaunch=lambda variant: None, evidence=observe, runs_alike=lambda other, variant: variant in alike
    )


def _suspect(variant: Variant = VARIANT, *, matters: float = 1.02, **stored: Any) -> Suspect:
    found = baseline(measurement(100_000_000, variant=variant, **stored))
    speed = Speed(
        variant=variant,
        verdict=Verdict.INCONCLUSIVE,
        reason=Reason.SPREAD,
        matters=1.25,
        ratio=1.06,
        candidate_s=0.106,
        baseline_s=0.1,
        baseline=found,
    )
    return Suspect(stored=speed, limits=cast(Any, SimpleNamespace(matters=matters, costs=None)))


def test_the_slow_one_is_a_regression_and_the_other_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _Bench(monkeypatch, {VARIANT: 1.08, OTHER_VARIANT: 1.0})
    found = bench.confirm(tmp_path, _suspect(), _suspect(OTHER_VARIANT))
    assert {variant: one.judgement.confirmation.finding for variant, one in found.items()} == {
        VARIANT: Finding.REGRESSION,
        OTHER_VARIANT: Finding.NOT_REPRODUCED,
    }
    assert found[VARIANT].judgement.confirmation.differences == (KERNEL,)
    assert len(bench.opened) == bench.closed == 1


def test_what_would_be_one_process_twice_is_not_stepped_beside_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = _Bench(monkeypatch, {OTHER_VARIANT: 1.0})
    bench.alike = {VARIANT}
    found = bench.confirm(tmp_path, _suspect(), _suspect(OTHER_VARIANT))
    assert set(bench.asked) == {OTHER_VARIANT}
    judgement = found[VARIANT].judgement
    assert (judgement.speed.verdict, judgement.speed.reason) == (Verdict.UNCHANGED, Reason.SAME_SOFTWARE)
    assert judgement.confirmation.finding is Finding.SAME_SOFTWARE
    assert judgement.confirmation.differences == (KERNEL,)


def test_each_stack_and_environment_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    third = dataclasses.replace(VARIANT, model="minilm")
    bench = _Bench(monkeypatch, dict.fromkeys((VARIANT, OTHER_VARIANT, third), 1.0))
    capped = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    bench.confirm(tmp_path, _suspect(), _suspect(OTHER_VARIANT, environment=capped), _suspect(third))
    assert len(bench.opened) == bench.closed == 2


def test_a_stack_that_cannot_be_had_leaves_its_suspects_unconfirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = _Bench(monkeypatch, {})
    bench.broken = "uv: no such version"
    found = bench.confirm(tmp_path, _suspect())[VARIANT].judgement
    assert (found.confirmation.finding, found.confirmation.why) == (Finding.NOT_RUN, "uv: no such version")
    assert (found.speed.verdict, bench.asked) == (Verdict.INCONCLUSIVE, [])


def test_without_time_suspects_stay_unconfirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _Bench(monkeypatch, {}).confirm(tmp_path, _suspect(), budget_s=0.0)[VARIANT].judgement
    assert found.confirmation.finding is Finding.NOT_RUN
    assert "--budget" in found.confirmation.why


def test_each_suspect_s_own_limit_is_what_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _Bench(monkeypatch, {VARIANT: 1.06, OTHER_VARIANT: 1.06})
    found = bench.confirm(tmp_path, _suspect(matters=1.02), _suspect(OTHER_VARIANT, matters=1.2))
    speeds = {variant: (one.judgement.speed.verdict, one.judgement.speed.matters) for variant, one in found.items()}
    assert speeds == {VARIANT: (Verdict.REGRESSED, 1.02), OTHER_VARIANT: (Verdict.UNCHANGED, 1.2)}


def test_other_weights_are_no_regression(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _Bench(monkeypatch, {VARIANT: 1.08})
    bench.digests = dataclasses.replace(DIGESTS, weights_sha256="f" * 64)
    found = bench.confirm(tmp_path, _suspect())[VARIANT].judgement
    assert (found.speed.verdict, found.speed.reason) == (Verdict.INCOMPARABLE, Reason.OTHER_DATA)


def test_costs_are_those_of_the_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _Bench(monkeypatch, {VARIANT: 1.0})
    bench.costs = (COST,)
    assert bench.confirm(tmp_path, _suspect())[VARIANT].judgement.confirmation.costs == (COST,)


@pytest.mark.parametrize(
    ("ratio", "stored", "observed"),
    [(1.08, None, EVIDENCE), (1.08, EVIDENCE, None), (1.0, None, None)],
    ids=["regressed without evidence", "regressed with evidence", "not regressed"],
)
def test_evidence_that_a_regression_s_baseline_lacks_is_observed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ratio: float, stored: Any, observed: Any
) -> None:
    bench = _Bench(monkeypatch, {VARIANT: ratio})
    assert bench.confirm(tmp_path, _suspect(evidence=stored))[VARIANT].evidence == observed


def test_a_baseline_that_cannot_be_observed_is_explained_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = _Bench(monkeypatch, {VARIANT: 1.08})

    @contextmanager
    def broken(found: Baseline) -> Iterator[Any]:
        def fail(variant: Variant) -> Any:
            raise WorkerError("hung")

        yield _rig(fail)

    monkeypatch.setattr(bench, "open", broken)
    found = bench.confirm(tmp_path, _suspect())[VARIANT]
    assert (found.judgement.speed.verdict, found.evidence) == (Verdict.REGRESSED, None)
