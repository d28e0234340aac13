"""What is said of an outcome: figures, intervals and reasons are all there."""

import dataclasses

import pytest
from builders import VARIANT

from perfsuite.judge.outcome import judge_support, judge_variant
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.report.outcome import outcome_lines, outcome_properties, reason_words, speed_line, verdict_words
from perfsuite.spec import Support
from perfsuite.stats.intervals import Interval

REGRESSED = Speed(
    variant=VARIANT,
    verdict=Verdict.REGRESSED,
    reason=Reason.BEYOND,
    matters=1.25,
    observations=3,
    candidate_s=0.0213,
    baseline_s=0.0142,
    ratio=1.5,
    interval=Interval(low=1.4321, high=1.5678, coverage=0.95),
)
UNCHANGED = dataclasses.replace(REGRESSED, verdict=Verdict.UNCHANGED, reason=Reason.WITHIN, ratio=1.01)
WRONG = Violation(kind=Kind.SQNR_LOW, expected=25.0, found=3.0)
LOST = Violation(kind=Kind.PRECISION, subject="bf16", expected=1.0, found=0.25, against=Against.BASELINE)


def test_a_speed_shows_ratio_interval_both_figures_and_reason() -> None:
    assert speed_line(REGRESSED) == (
        "ratio 1.500 [1.432, 1.568] at 95%: 21.3 ms against 14.2 ms, slower by more than 25.0%"
    )


def test_a_speed_without_interval_shows_the_rest() -> None:
    assert speed_line(dataclasses.replace(REGRESSED, interval=None)).startswith("ratio 1.500: 21.3 ms against 14.2 ms")


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("ratio", [0.5, 1.5, None])
def test_every_reason_has_words(reason: Reason, ratio: float | None) -> None:
    assert reason_words(dataclasses.replace(REGRESSED, reason=reason, ratio=ratio))


def test_an_outcome_tells_the_verdict_and_whatever_is_wrong() -> None:
    found = judge_variant(VARIANT, speed=UNCHANGED, outputs=(WRONG,), lost=(LOST,))
    head, wrong, lost = outcome_lines(found)
    assert head.startswith(f"{VARIANT.id}: error (unchanged in speed), ratio 1.010")
    assert wrong == "  wrong: SQNR 3.0 dB is below 25.0 dB"
    assert lost.startswith(
        "  lost: precision lost: bf16 does 25.0% of the multiply-accumulates, 100.0% in the baseline"
    )
    assert verdict_words(found) == "error (unchanged in speed)"


def test_what_costs_more_has_a_line_and_what_is_ignored_its_reason() -> None:
    heavier = Violation(kind=Kind.PEAK_MEMORY, expected=307e6, found=557e6, against=Against.BASELINE)
    found = judge_variant(VARIANT, speed=UNCHANGED, costs=(heavier,), ignored="pt#12345")
    head, costs, ignored = outcome_lines(found)
    assert head.startswith(f"{VARIANT.id}: regressed (unchanged in speed), ratio 1.010")
    assert costs == "  costs: peak memory: 557.0 MB, 307.0 MB in the baseline"
    assert ignored == "  ignored: pt#12345"
    assert verdict_words(judge_variant(VARIANT, speed=REGRESSED, costs=(heavier,))) == "regressed"


def test_a_failure_tells_its_whole_reason() -> None:
    assert outcome_lines(judge_variant(VARIANT, failure="worker 7 hung\n  its output")) == [
        f"{VARIANT.id}: error",
        "  failed: worker 7 hung",
        "    its output",
    ]


@pytest.mark.parametrize("in_baseline", [True, False])
def test_what_is_unsupported_tells_why_once(in_baseline: bool) -> None:
    lines = outcome_lines(judge_support(VARIANT, Support(reason="no torchao"), in_baseline=in_baseline))
    assert "".join(lines).count("no torchao") == 1


def test_what_junit_has_of_an_outcome_is_figures_under_names_with_units() -> None:
    assert outcome_properties(judge_variant(VARIANT, speed=REGRESSED, ignored="pt#1")) == {
        "variant": VARIANT.id,
        "verdict": "regressed",
        "latency_s": 0.0213,
        "baseline_s": 0.0142,
        "ratio": 1.5,
        "interval_low": 1.4321,
        "interval_high": 1.5678,
        "coverage": 0.95,
        "ignored": "pt#1",
    }
    assert outcome_properties(judge_variant(VARIANT, failure="hung")) == {"variant": VARIANT.id, "verdict": "error"}
