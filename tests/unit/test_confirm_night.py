"""Whose pair comes when in a night, on a bench whose pairs are as planned."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import OTHER_VARIANT, VARIANT
from compare_builders import PairHeader, PairJournal, pair

from perfsuite.confirm import night
from perfsuite.confirm.night import PAIRS_A_LAUNCH, Aim, Night
from perfsuite.errors import StandError
from perfsuite.measure.clock import Clock
from perfsuite.records.confirmation import Shortlist
from perfsuite.records.pair import Pair, Pairing
from perfsuite.spec import Variant
from perfsuite.stats.confirming import Conclusion

FINE, SLOW, DEAD = VARIANT, OTHER_VARIANT, dataclasses.replace(VARIANT, model="minilm")
AIM = Aim(matters=1.02, false_alarm=0.01, missed=0.05)
#: Spreads that no two variants share, so that a variance can be told.
SPREAD = (0.0, 0.004, -0.003, 0.002, -0.004, 0.003, 0.001, -0.002)


class _Clock(Clock):
    """Each pair takes 8 s."""

    def __init__(self, budget_s: float) -> None:
        super().__init__(budget_s)
        self.pairs = 0

    @property
    def spent_s(self) -> float:
        return 8.0 * self.pairs


class _Bench:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, clock: _Clock, ratios: dict[Variant, float]) -> None:
        self.asked: list[Variant] = []
        self.first: list[bool] = []
        self.launches = 0
        self.dead = 0
        self.clock = clock
        self._ratios = ratios
        monkeypatch.setattr(night, "measure_pair", self._measure)

    def _measure(self, pairing: Pairing, *_: object, candidate_first: bool) -> Pair:
        variant = pairing.candidate
        count = self.asked.count(variant)
        self.asked.append(variant)
        self.first.append(candidate_first)
        self.clock.pairs += 1
        if variant == DEAD and count == 1:
            raise StandError(self.dead, "worker 7 killed by SIGSEGV")
        return pair(self._ratios[variant] * (1 + SPREAD[count % len(SPREAD)]), pairing=pairing)

    def rig(self) -> Any:
        def relaunch(variant: Variant) -> None:
            self.launches += 1

        return SimpleNamespace(relaunch=relaunch)


def _night(bench: _Bench, journal: PairJournal, variants: list[Variant], aim: Aim = AIM) -> dict[Variant, night.Trial]:
    rig = bench.rig()
    baselines = cast(Any, dict.fromkeys(variants, rig))
    return Night(variants, rig, baselines, journal, aim, clock=bench.clock, say=lambda words: None).run()


def _conclusion(trial: night.Trial) -> Conclusion:
    assert trial.conclusion is not None
    return trial.conclusion.conclusion


def test_every_suspect_is_screened_and_the_slow_one_gets_the_fresh_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = _Bench(monkeypatch, _Clock(8.0 * 40), {FINE: 1.0, SLOW: 1.08})
    found = _night(bench, PairJournal.create(tmp_path, PairHeader()), [FINE, SLOW])
    assert bench.asked[:4] == [FINE, SLOW, SLOW, FINE]
    counts = Counter(bench.asked[4:])
    assert counts[SLOW] >= 4
    conclusion = found[SLOW].conclusion
    assert conclusion is not None
    assert conclusion.conclusion is Conclusion.REGRESSED
    # Its ratio is of the fresh pairs: what made it a suspect has no say.
    assert len(found[SLOW].told) == conclusion.pairs == len(found[SLOW].pairs) - 2
    assert _conclusion(found[FINE]) is not Conclusion.REGRESSED


def test_either_side_starts_as_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _Bench(monkeypatch, _Clock(8.0 * 20), {SLOW: 1.08})
    _night(bench, PairJournal.create(tmp_path, PairHeader()), [SLOW])
    assert bench.first == [number % 2 == 1 for number in range(len(bench.first))]


def test_launchers_are_started_anew_every_few_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _Bench(monkeypatch, _Clock(8.0 * 12), {SLOW: 1.02})
    _night(bench, PairJournal.create(tmp_path, PairHeader()), [SLOW])
    assert bench.launches == 2 * -(-len(bench.asked) // PAIRS_A_LAUNCH)


def test_it_ends_with_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _Bench(monkeypatch, _Clock(8.0 * 10), {FINE: 1.0, SLOW: 1.021})
    found = _night(bench, PairJournal.create(tmp_path, PairHeader()), [FINE, SLOW])
    assert bench.clock.pairs <= 11
    assert found[SLOW].conclusion is not None


def test_without_time_for_any_pair_nothing_is_concluded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _Bench(monkeypatch, _Clock(0.0), {SLOW: 1.08})
    found = _night(bench, PairJournal.create(tmp_path, PairHeader()), [SLOW])
    assert (bench.asked, found[SLOW].conclusion, found[SLOW].pairs) == ([], None, ())


def test_a_worker_that_dies_costs_its_own_variant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _Bench(monkeypatch, _Clock(8.0 * 40), {SLOW: 1.08, DEAD: 1.08})
    found = _night(bench, PairJournal.create(tmp_path, PairHeader()), [SLOW, DEAD])
    assert "SIGSEGV" in found[DEAD].failure
    assert bench.asked.count(DEAD) == 2
    assert _conclusion(found[SLOW]) is Conclusion.REGRESSED


@pytest.mark.parametrize(("dead", "crash"), [(0, "worker 7 killed by SIGSEGV"), (1, "")], ids=["candidate", "baseline"])
def test_whose_worker_died_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dead: int, crash: str) -> None:
    """It dies in the second pair, which the candidate starts."""
    bench = _Bench(monkeypatch, _Clock(8.0 * 10), {DEAD: 1.0})
    bench.dead = dead
    assert _night(bench, PairJournal.create(tmp_path, PairHeader()), [DEAD])[DEAD].crash == crash


def test_a_resumed_night_measures_only_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _Bench(monkeypatch, _Clock(8.0 * 40), {FINE: 1.0, SLOW: 1.08})
    journal = PairJournal.create(tmp_path, PairHeader())
    expected = _night(whole, journal, [FINE, SLOW])
    again = _Bench(monkeypatch, _Clock(8.0 * 40), {})
    assert _night(again, PairJournal.resume(tmp_path, PairHeader()), [FINE, SLOW]) == expected
    assert again.asked == []


def test_a_resumed_night_keeps_whom_screening_suspected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what was fresh would have a say in who is a suspect, and the looks would be others."""
    journal = PairJournal.create(tmp_path, PairHeader())
    for variant in (FINE, SLOW):
        for ratio in (1.0, 1.002):
            journal.append(pair(ratio, pairing=Pairing(baseline=variant, candidate=variant)))
    journal.append(Shortlist(matters=1.02, suspects=(SLOW,), fresh_pairs=30))
    bench = _Bench(monkeypatch, _Clock(8.0 * 40), {FINE: 1.5, SLOW: 1.0})
    _night(bench, journal, [FINE, SLOW])
    assert set(bench.asked) == {SLOW}


def test_faster_is_sought_only_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for improvements, expected in ((False, Conclusion.UNCHANGED), (True, Conclusion.IMPROVED)):
        bench = _Bench(monkeypatch, _Clock(8.0 * 40), {FINE: 0.9})
        aim = dataclasses.replace(AIM, improvements=improvements)
        found = _night(bench, PairJournal.create(tmp_path, PairHeader()), [FINE], aim)[FINE]
        assert _conclusion(found) is expected
