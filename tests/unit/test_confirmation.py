"""What became of a suspicion, from the stored ratio and from pairs."""

from __future__ import annotations

import dataclasses

import pytest
from builders import VARIANT, baseline, measurement
from compare_builders import pair, side

from perfsuite.judge.confirmation import judge_confirmation, same_software, unconfirmed, unsuspected
from perfsuite.judge.outcome import judge_variant, with_confirmation
from perfsuite.records.confirmation import Finding
from perfsuite.records.pair import Pair
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.stats.confirming import Conclusion, Confirmation
from perfsuite.stats.intervals import Interval

STORED = Speed(
    variant=VARIANT,
    verdict=Verdict.INCONCLUSIVE,
    reason=Reason.SPREAD,
    matters=1.02,
    candidate_s=0.106,
    baseline_s=0.1,
    ratio=1.06,
    baseline=baseline(measurement(100_000_000)),
)


def _found(conclusion: Conclusion, ratio: float, pairs: int, *, slower: bool = False) -> Confirmation:
    interval = Interval(low=ratio * 0.99, high=ratio * 1.01, coverage=0.95)
    return Confirmation(conclusion=conclusion, pairs=pairs, ratio=ratio, interval=interval, slower=slower)


def _pairs(ratio: float, count: int, *, latency_ms: int = 100) -> list[Pair]:
    """They vary by 5 %, so that the slowest quarters tell nothing."""
    return [pair(ratio * (1.05, 0.95)[number % 2], latency_ns=latency_ms * 1_000_000) for number in range(count)]


@pytest.mark.parametrize(
    ("conclusion", "ratio", "stored_ratio", "latency_ms", "finding", "verdict"),
    [
        pytest.param(Conclusion.REGRESSED, 1.05, 1.06, 100, Finding.REGRESSION, Verdict.REGRESSED, id="regressed"),
        pytest.param(Conclusion.IMPROVED, 0.9, 0.91, 100, Finding.IMPROVEMENT, Verdict.IMPROVED, id="improved"),
        pytest.param(Conclusion.UNCHANGED, 1.0, 1.06, 106, Finding.DRIFT, Verdict.UNCHANGED, id="both moved"),
        pytest.param(Conclusion.UNCHANGED, 1.0, 1.06, 104, Finding.DRIFT, Verdict.UNCHANGED, id="moved by most of it"),
        pytest.param(Conclusion.UNCHANGED, 1.0, 1.06, 102, Finding.NOT_REPRODUCED, Verdict.UNCHANGED, id="hardly"),
        pytest.param(Conclusion.UNCHANGED, 1.0, 1.06, 94, Finding.NOT_REPRODUCED, Verdict.UNCHANGED, id="moved back"),
        pytest.param(Conclusion.UNCHANGED, 1.0, 1.01, 106, Finding.NOT_REPRODUCED, Verdict.UNCHANGED, id="never"),
        pytest.param(Conclusion.UNCHANGED, 1.0, 0.9, 91, Finding.DRIFT, Verdict.UNCHANGED, id="both got faster"),
        pytest.param(
            Conclusion.INCONCLUSIVE, 1.03, 1.06, 106, Finding.INCONCLUSIVE, Verdict.INCONCLUSIVE, id="inconclusive"
        ),
    ],
)
def test_what_became_of_a_suspicion(
    conclusion: Conclusion, ratio: float, stored_ratio: float, latency_ms: int, finding: Finding, verdict: Verdict
) -> None:
    stored = dataclasses.replace(STORED, ratio=stored_ratio)
    pairs = _pairs(ratio, 6, latency_ms=latency_ms)
    found = judge_confirmation(stored, pairs, _found(conclusion, ratio, 6), matters=1.02, slow_error=0.01)
    assert (found.confirmation.finding, found.speed.verdict) == (finding, verdict)
    assert found.confirmation.stored == stored
    assert found.confirmation.moved == pytest.approx(latency_ms / 100, rel=1e-3)
    assert found.speed.ratio == ratio
    assert found.speed.observations == 6


@pytest.mark.parametrize(
    ("count", "slower", "reason"),
    [(6, True, Reason.EDGE), (6, False, Reason.SPREAD), (3, False, Reason.TIME)],
    ids=["slower but perhaps by less", "spread", "no first look"],
)
def test_why_nothing_could_be_told(count: int, slower: bool, reason: Reason) -> None:
    conclusion = _found(Conclusion.INCONCLUSIVE, 1.03, count, slower=slower)
    found = judge_confirmation(STORED, _pairs(1.03, count), conclusion, matters=1.02, slow_error=0.01)
    assert found.speed.reason is reason


def test_without_a_look_there_is_no_interval() -> None:
    nothing = Confirmation(
        conclusion=Conclusion.INCONCLUSIVE,
        pairs=0,
        ratio=None,
        interval=None,
    )
    found = judge_confirmation(STORED, [], nothing, matters=1.02, slow_error=0.01)
    assert (found.speed.interval, found.speed.candidate_s, found.confirmation.moved) == (None, None, None)


def test_a_slower_slowest_quarter_is_a_regression() -> None:
    """Every eighth iteration four times as long leaves the ratio at 1."""
    fine, stalling = side(*[100_000_000] * 8), side(*[100_000_000] * 7, 400_000_000)
    pairs = [dataclasses.replace(one, baseline=fine, candidate=stalling) for one in _pairs(1.0, 4)]
    found = judge_confirmation(STORED, pairs, _found(Conclusion.UNCHANGED, 1.0, 4), matters=1.02, slow_error=0.01)
    assert (found.speed.verdict, found.speed.reason) == (Verdict.REGRESSED, Reason.SLOW_PART)
    assert found.confirmation.finding is Finding.REGRESSION


def test_who_could_not_be_stepped_is_inconclusive_and_says_why() -> None:
    found = unconfirmed(STORED, "uv cannot build it", matters=1.02)
    assert (found.speed.verdict, found.speed.reason) == (Verdict.INCONCLUSIVE, Reason.UNCONFIRMED)
    assert (found.confirmation.finding, found.confirmation.why) == (Finding.NOT_RUN, "uv cannot build it")


def test_who_raises_no_suspicion_is_unchanged() -> None:
    found = unsuspected(STORED, matters=1.05)
    assert (found.verdict, found.reason, found.matters) == (Verdict.UNCHANGED, Reason.NO_SUSPECT, 1.05)
    assert found.baseline == STORED.baseline


HEAVIER, LARGER, LATER = (
    Violation(kind=kind, expected=1.0, found=9.0, against=Against.BASELINE)
    for kind in (Kind.PEAK_MEMORY, Kind.ARTEFACT_SIZE, Kind.FIRST_INFERENCE)
)


@pytest.mark.parametrize(
    ("stored", "pairs", "left", "verdict"),
    [
        pytest.param((HEAVIER,), (HEAVIER,), (HEAVIER,), Verdict.REGRESSED, id="confirmed"),
        pytest.param((HEAVIER,), (), (), Verdict.UNCHANGED, id="not reproduced"),
        pytest.param((), (LATER,), (LATER,), Verdict.REGRESSED, id="seen by pairs alone"),
        pytest.param((LARGER, HEAVIER), (), (LARGER,), Verdict.REGRESSED, id="pairs do not tell an artefact's size"),
    ],
)
def test_costs_that_vary_are_those_that_pairs_tell(
    stored: tuple[Violation, ...], pairs: tuple[Violation, ...], left: tuple[Violation, ...], verdict: Verdict
) -> None:
    found = _found(Conclusion.UNCHANGED, 1.0, 6)
    judgement = judge_confirmation(STORED, _pairs(1.0, 6), found, matters=1.02, slow_error=0.01, costs=pairs)
    outcome = with_confirmation(judge_variant(VARIANT, speed=STORED, costs=stored), judgement)
    assert (outcome.costs, outcome.verdict) == (left, verdict)


_LASTING = (Kind.PEAK_MEMORY, Kind.MEMORY_GROWTH, Kind.ARTEFACT_SIZE, Kind.ACCURACY_DRIFT)
_OF_THE_MACHINE = (Kind.FIRST_INFERENCE, Kind.PREPARE, Kind.COMPILE, Kind.IMPORT, Kind.STALLS)


@pytest.mark.parametrize(
    ("kind", "stays"), [*((kind, True) for kind in _LASTING), *((kind, False) for kind in _OF_THE_MACHINE)]
)
def test_a_cost_that_nobody_could_confirm_is_red_only_where_the_machine_adds_nothing_to_it(
    kind: Kind, stays: bool
) -> None:
    cost = Violation(kind=kind, expected=1.0, found=9.0, against=Against.BASELINE)
    stored = judge_variant(VARIANT, speed=STORED, costs=(cost,))
    outcome = with_confirmation(stored, unconfirmed(STORED, "no uv", matters=1.02))
    assert outcome.confirmation is not None
    found = (outcome.costs, outcome.confirmation.doubtful_costs, outcome.verdict)
    assert found == (((cost,), (), Verdict.REGRESSED) if stays else ((), (cost,), Verdict.INCONCLUSIVE))


@pytest.mark.parametrize(
    ("stored_ratio", "finding"),
    [
        pytest.param(1.06, Finding.DRIFT, id="slower by more than what matters"),
        pytest.param(0.9, Finding.DRIFT, id="faster by it"),
        pytest.param(1.01, Finding.SAME_SOFTWARE, id="within it"),
    ],
)
def test_of_the_same_software_only_the_machine_can_have_moved(stored_ratio: float, finding: Finding) -> None:
    found = same_software(dataclasses.replace(STORED, ratio=stored_ratio), matters=1.02)
    assert (found.speed.verdict, found.speed.reason) == (Verdict.UNCHANGED, Reason.SAME_SOFTWARE)
    assert (found.confirmation.finding, found.confirmation.moved) == (finding, stored_ratio)
