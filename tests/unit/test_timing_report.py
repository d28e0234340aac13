"""The end of a timing run: verdicts, what was not judged and why, and where its time went."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from builders import ONCE_VARIANT, OTHER_VARIANT, VARIANT, baseline, measurement, replicate

from perfsuite.judge.outcome import judge_variant
from perfsuite.records.baseline import Baseline, Lack, Missing
from perfsuite.records.chore import Chore
from perfsuite.records.measurement import Measurement, Stages
from perfsuite.records.outcome import Outcome
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.report.timing import Timing, timing_lines, unsteady_lines, wall_time_line
from perfsuite.spec import Support, Variant

BASELINE = baseline(measurement(100), stack_slug="ipex-2.7.0_torch-2.7.0", accepted_at="2026-11-20T01:00:00+00:00")
MISSING = Missing(kind=Lack.NO_CLASS, machine_slug="this-machine", nearest="that-machine")


def _outcome(verdict: Verdict, baseline: Baseline | Missing = BASELINE, variant: Variant = VARIANT) -> Outcome:
    speed = Speed(
        variant=variant, verdict=verdict, reason=Reason.WITHIN, matters=1.25, candidate_s=0.02, baseline=baseline
    )
    return judge_variant(variant, speed=speed)


def _timing(outcomes: Sequence[Outcome] = (), measurements: Sequence[Measurement] = (), **changes: Any) -> Timing:
    whole = Timing(
        outcomes={outcome.variant: outcome for outcome in outcomes},
        results={one.variant: one for one in measurements},
        untimed={},
        resumed={},
        unmeasured=frozenset(),
        acceptance=None,
        not_accepted=None,
        baselines="kept",
        confirm="suspects",
        wall_s=100.0,
        chores={Chore.IMPORTING: 5.0},
    )
    return dataclasses.replace(whole, **changes)


def test_verdicts_are_counted_and_the_baseline_is_named() -> None:
    lines = timing_lines(_timing([_outcome(Verdict.UNCHANGED), _outcome(Verdict.UNCHANGED, variant=OTHER_VARIANT)]))
    assert lines == ["verdicts: 2 unchanged", "held against ipex-2.7.0_torch-2.7.0 (accepted 2026-11-20): 2"]


@pytest.mark.parametrize("verdict", [Verdict.REGRESSED, Verdict.IMPROVED, Verdict.INCONCLUSIVE])
def test_what_moved_has_a_line_of_its_own(verdict: Verdict) -> None:
    assert timing_lines(_timing([_outcome(verdict)]))[1].startswith(f"  {VARIANT.id}: {verdict}")


def test_what_is_ignored_is_told_by_its_reason_with_what_came_of_it() -> None:
    ignored = dataclasses.replace(_outcome(Verdict.REGRESSED), ignored="pt#12345")
    fine = dataclasses.replace(_outcome(Verdict.UNCHANGED, variant=OTHER_VARIANT), ignored="pt#12345")
    failed = judge_variant(ONCE_VARIANT, failure="worker 7 hung", ignored="ipex#768")
    judged = _outcome(Verdict.UNCHANGED, variant=dataclasses.replace(VARIANT, backend="stock"))
    lines = timing_lines(_timing([judged, ignored, fine, failed]))
    assert lines[:7] == [
        "verdicts: 1 unchanged",
        "ignored (2): pt#12345",
        f"  {VARIANT.id}: regressed, within 25.0%",
        f"  {OTHER_VARIANT.id}: unchanged, within 25.0%",
        "ignored (1): ipex#768",
        f"  {ONCE_VARIANT.id}: error",
        "    failed: worker 7 hung",
    ]


def test_a_machine_class_without_a_baseline_is_one_line_for_all_and_how_to_accept() -> None:
    """Every new user's first run."""
    outcomes = [_outcome(Verdict.MISSING_BASELINE, MISSING, variant) for variant in (VARIANT, OTHER_VARIANT)]
    verdicts, missing = timing_lines(_timing(outcomes))
    assert verdicts == "verdicts: 2 missing-baseline"
    assert missing.startswith("missing-baseline (2): no baseline for this machine class (this-machine) yet")
    assert "nearest: that-machine" in missing
    assert "--baseline-update-new accepts what was measured" in missing


def test_a_run_that_timed_nothing_says_why() -> None:
    reasons = {VARIANT: Support(reason="no ipex"), OTHER_VARIANT: Support(reason="no ipex")}
    assert timing_lines(_timing(untimed=reasons)) == [
        "nothing was timed: all 2 variants that were asked for are unsupported, so the run fails",
        "  2 of them: no ipex",
    ]


STAGES = Stages(start_s=1, load_s=10, prepare_s=20, first_inference_s=4, warm_up_s=6, timed_s=40)


def test_wall_time_adds_up() -> None:
    line = wall_time_line(_timing(measurements=[measurement(replicates=(replicate(1, stages=STAGES),))]))
    assert line.startswith("wall time 100 s: inside the models 50% (timed 40%, warm-up 6%,")
    assert "compilation 4%" in line
    assert line.endswith("preparing 20%, loading 10%, importing 5%, other 15%")


def test_what_is_done_beside_the_timed_workers_is_named_where_it_can_be_seen() -> None:
    chores = {Chore.IMPORTING: 5.0, Chore.SAVING: 8.0, Chore.OBSERVING: 2.0, Chore.STARTING: 0.4}
    timing = _timing(measurements=[measurement(replicates=(replicate(1, stages=STAGES),))], chores=chores)
    assert wall_time_line(timing).endswith(
        "preparing 20%, loading 10%, importing 5%, saving artefacts 8%, observing 2%, other 5%"
    )


def test_what_an_earlier_run_measured_is_none_of_this_run_s_time() -> None:
    both = measurement(replicates=(replicate(1, stages=STAGES), replicate(1, stages=STAGES)))
    timing = _timing(measurements=[both], resumed={VARIANT: 1})
    assert "inside the models 50% (timed 40%" in wall_time_line(timing)
    assert "1 of 2 replicates were measured by the run that was resumed" in timing_lines(timing)


def test_what_failed_is_named_with_how_to_try_it_again() -> None:
    *_, line = timing_lines(_timing(unmeasured=frozenset([VARIANT, OTHER_VARIANT])))
    assert line.startswith("--resume keeps what was measured, and tries again what failed (2): ")
    assert line.endswith(f"{OTHER_VARIANT.id}, {VARIANT.id}")


def test_unsteady_variants_are_named() -> None:
    unsteady = measurement(variant=OTHER_VARIANT, replicates=(replicate(1), replicate(1, steady=False)))
    (line,) = unsteady_lines([measurement(1), unsteady])
    assert "(1)" in line
    assert OTHER_VARIANT.id in line
    assert VARIANT.id not in line
    assert unsteady_lines([measurement(1)]) == []
