"""What the terminal says: figures, intervals and reasons are all there."""

import dataclasses

import pytest
from builders import OTHER_VARIANT, VARIANT, measurement, replicate

from perfsuite.records.accuracy import Accuracy
from perfsuite.records.baseline import Baseline, Lack, Missing
from perfsuite.records.measurement import Stages
from perfsuite.records.speed import Speed, Verdict
from perfsuite.report import text
from perfsuite.report.baselines import lack_line
from perfsuite.spec import Support
from perfsuite.stats.intervals import Interval

REGRESSED = Speed(
    variant=VARIANT,
    verdict=Verdict.REGRESSED,
    reason="slower than agreed",
    candidate_s=0.0213,
    baseline_s=0.0142,
    ratio=1.5,
    interval=Interval(low=1.4321, high=1.5678, coverage=0.95),
)
UNCHANGED = dataclasses.replace(REGRESSED, verdict=Verdict.UNCHANGED, reason="within limits", ratio=1.01)
LACK = Missing(kind=Lack.NO_VARIANT, machine_slug="here", stacks=("torch-2.8.0",))
MISSING = Speed(variant=VARIANT, verdict=Verdict.MISSING_BASELINE, reason="", candidate_s=0.02, baseline=LACK)
BASELINE = Baseline(measurement=measurement(1), stack_slug="torch-2.8.0", accepted_at="2026-01-02T03:04:05+00:00")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0000214, "0.0214 ms"),
        (0.0142, "14.2 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1.0, "1 s"),
        (65.4, "65.4 s"),
        (1234.0, "1234 s"),
    ],
)
def test_durations_are_shown_with_a_unit_and_no_exponent(seconds: float, shown: str) -> None:
    assert text.milliseconds(seconds) == shown


def test_a_comparison_shows_ratio_interval_both_figures_and_reason() -> None:
    line = text.comparison_line(REGRESSED)
    assert line.startswith(f"{VARIANT.id}: regressed, ")
    assert "ratio 1.500 [1.432, 1.568] at 95%" in line
    assert "21.3 ms against 14.2 ms" in line
    assert line.endswith("slower than agreed")


def test_a_comparison_without_interval_shows_the_rest() -> None:
    line = text.comparison_line(dataclasses.replace(REGRESSED, interval=None))
    assert "ratio 1.500: 21.3 ms against 14.2 ms" in line


def test_a_comparison_names_the_stack_it_was_held_against() -> None:
    line = text.comparison_line(dataclasses.replace(REGRESSED, baseline=BASELINE))
    assert "21.3 ms against 14.2 ms of torch-2.8.0 (accepted 2026-01-02), slower" in line


def test_a_comparison_without_baseline_says_why() -> None:
    assert text.comparison_line(MISSING) == f"{VARIANT.id}: missing-baseline, {lack_line(LACK)}"


def test_verdicts_are_counted_in_one_line() -> None:
    first = text.verdict_lines([UNCHANGED, REGRESSED, UNCHANGED, MISSING], "kept")[0]
    assert first == "verdicts: 2 unchanged, 1 regressed, 1 missing-baseline"


@pytest.mark.parametrize("verdict", [Verdict.REGRESSED, Verdict.IMPROVED, Verdict.INCONCLUSIVE])
def test_what_moved_is_shown_in_full(verdict: Verdict) -> None:
    moved = dataclasses.replace(REGRESSED, verdict=verdict)
    assert text.verdict_lines([moved], "kept")[1:] == [f"  {text.comparison_line(moved)}"]


def test_what_is_unchanged_is_only_counted() -> None:
    assert text.verdict_lines([UNCHANGED], "kept") == ["verdicts: 1 unchanged"]


def test_one_reason_for_many_variants_is_one_line_and_how_to_accept() -> None:
    other = dataclasses.replace(MISSING, variant=OTHER_VARIANT)
    _, reason, accept = text.verdict_lines([MISSING, other], "kept")
    assert reason == f"  missing-baseline (2): {lack_line(LACK)}"
    assert "kept" in accept
    assert "--baseline-update" in accept


def test_wall_time_adds_up() -> None:
    stages = Stages(start_s=1, load_s=10, prepare_s=20, first_inference_s=4, warm_up_s=6, timed_s=40)
    measured = [measurement(replicates=(replicate(1, stages=stages),))]
    line = text.wall_time_line(measured, wall_s=100, import_s=5)
    assert line.startswith("wall time 100 s: inside the models 50% (timed 40%, warm-up 6%,")
    assert "compilation 4%" in line
    assert line.endswith("preparing 20%, loading 10%, importing 5%, other 15%")


def test_unsteady_variants_are_named() -> None:
    unsteady = measurement(variant=OTHER_VARIANT, replicates=(replicate(1), replicate(1, steady=False)))
    (line,) = text.unsteady_lines([measurement(1), unsteady])
    assert "(1)" in line
    assert OTHER_VARIANT.id in line
    assert VARIANT.id not in line
    assert text.unsteady_lines([measurement(1)]) == []


def test_accuracy_is_a_table_with_aligned_columns() -> None:
    accuracy = Accuracy(sqnr_db=46.25, centred_cosine=0.9991234, variation=1.0, agreement=0.98765, max_error=0.0123)
    head, first, second = text.accuracy_lines([(VARIANT, accuracy), (OTHER_VARIANT, accuracy)])
    assert first.split() == [VARIANT.id, "46.2", "0.999123", "0.9877", "0.012"]
    assert len(head) == len(first) == len(second)


@pytest.mark.parametrize(
    ("support", "word"),
    [
        (Support(), "yes"),
        (Support(reason="missing"), "no"),
        (Support(caveat="simulated: float kernels"), "simulated"),
    ],
)
def test_support_in_one_word(support: Support, word: str) -> None:
    assert text.support_word(support) == word
