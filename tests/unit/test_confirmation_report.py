"""What a user reads of a night's plan and of its suspicions."""

from __future__ import annotations

import dataclasses

import pytest
from builders import OTHER_VARIANT, VARIANT, baseline, measurement
from compare_builders import speed

from perfsuite.judge.outcome import judge_variant
from perfsuite.measure.plan import Plan
from perfsuite.records.baseline import Difference
from perfsuite.records.confirmation import Confirmation, Finding
from perfsuite.records.outcome import Outcome
from perfsuite.records.speed import Reason, Verdict
from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.report.confirmation import confirmation_lines, plan_line, suspicion_lines
from perfsuite.report.outcome import outcome_lines

STORED = dataclasses.replace(speed(Verdict.REGRESSED, 1.08, Reason.BEYOND), baseline=baseline(measurement(100)))
KERNEL = Difference(name="kernel", before="6.1", now="6.2")
LOAD = Difference(name="CPU time of other processes", before="", now="48% while the pairs were timed")
PLAN = Plan(variants=24, replicates=2, measure_s=300.0, extra_s=0.0, confirm_s=720.0)


def _confirmation(finding: Finding, **changes: object) -> Confirmation:
    whole = Confirmation(finding=finding, stored=STORED, pairs=12, moved=1.08, differences=(KERNEL, LOAD))
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]


def _outcome(finding: Finding, ratio: float = 1.001, **changes: object) -> Outcome:
    return judge_variant(VARIANT, speed=speed(ratio=ratio), confirmation=_confirmation(finding, **changes))


@pytest.mark.parametrize(
    ("confirmation", "lines"),
    [
        pytest.param(
            _confirmation(Finding.REGRESSION, differences=(), moved=1.0),
            [
                "confirmed regression: 12 pairs of processes, side by side with the baseline's stack; the stored "
                "sessions said 1.080",
                "the baseline's stack itself takes 1.00 times what it did in its sessions",
            ],
            id="regression",
        ),
        pytest.param(
            _confirmation(Finding.DRIFT),
            [
                "machine drift: side by side it is no slower (12 pairs of processes); the stored sessions said 1.080",
                "the baseline's stack itself takes 1.08 times what it did in its sessions",
                "of the machine: kernel 6.2 (was 6.1), CPU time of other processes 48% while the pairs were timed",
            ],
            id="drift",
        ),
        pytest.param(
            _confirmation(Finding.DRIFT, pairs=0, differences=(KERNEL,)),
            [
                "machine drift: packages, variables and code are those of the accepted session, so that both sides "
                "would be one process; the stored sessions said 1.080",
                "the baseline's stack itself takes 1.08 times what it did in its sessions",
                "of the machine: kernel 6.2 (was 6.1)",
            ],
            id="drift of the same software",
        ),
        pytest.param(
            _confirmation(Finding.NOT_REPRODUCED, pairs=1),
            [
                "not reproduced: 1 pair of processes, side by side with the baseline's stack; the stored sessions said "
                "1.080"
            ],
            id="not reproduced",
        ),
        pytest.param(
            _confirmation(Finding.INCONCLUSIVE, differences=(LOAD,), moved=None),
            [
                "12 pairs of processes, side by side with the baseline's stack, do not tell; the stored sessions said "
                "1.080",
                "of the machine: CPU time of other processes 48% while the pairs were timed",
            ],
            id="inconclusive",
        ),
        pytest.param(
            _confirmation(Finding.NOT_RUN, why="uv cannot build it"),
            ["not confirmed: uv cannot build it; the stored sessions said 1.080"],
            id="not run",
        ),
        pytest.param(
            _confirmation(
                Finding.NOT_RUN,
                why="there was no time for it",
                doubtful_costs=(
                    Violation(kind=Kind.STALLS, expected=0.004, found=0.513, against=Against.BASELINE),
                    Violation(kind=Kind.FIRST_INFERENCE, expected=0.1, found=3.0, against=Against.BASELINE),
                ),
            ),
            [
                "not confirmed: there was no time for it; the stored sessions said 1.080",
                "costs, not confirmed: 51.3% of the time is stalls, 0.4% in the baseline",
                "costs, not confirmed: first inference takes 3.00 s, 0.10 s in the baseline",
            ],
            id="not run, with costs",
        ),
    ],
)
def test_what_is_said_of_a_suspicion(confirmation: Confirmation, lines: list[str]) -> None:
    assert confirmation_lines(confirmation) == lines
    outcome = judge_variant(VARIANT, speed=speed(), confirmation=confirmation)
    assert [line.strip() for line in outcome_lines(outcome)[1:]] == lines


def test_the_end_of_a_run_tells_what_came_to_nothing() -> None:
    drifted = [_outcome(Finding.DRIFT), dataclasses.replace(_outcome(Finding.DRIFT, moved=1.12), variant=OTHER_VARIANT)]
    better = judge_variant(VARIANT, speed=speed(Verdict.IMPROVED, 0.9), confirmation=_confirmation(Finding.IMPROVEMENT))
    assert list(suspicion_lines([*drifted, better, _outcome(Finding.REGRESSION)], "suspects")) == [
        f"confirmed improvement (1, stored 1.080, side by side 0.900): {VARIANT.id}",
        "  to accept: --baseline-update",
        f"machine drift (2, stored 1.080, side by side 1.001): {VARIANT.id}, {OTHER_VARIANT.id}",
        "  the baseline's stack itself takes 1.08 to 1.12 times what it did in its sessions",
        "  of the machine: kernel 6.2 (was 6.1), CPU time of other processes 48% while the pairs were timed",
    ]


def test_a_ratio_that_nobody_stepped_is_told_as_stored_alone() -> None:
    unstepped = [_outcome(Finding.DRIFT, ratio=ratio, pairs=0, differences=()) for ratio in (1.3, 1.9)]
    (head, _) = suspicion_lines(unstepped, "suspects")
    assert head == f"machine drift (2, stored 1.080): {VARIANT.id}, {VARIANT.id}"


def test_the_end_of_a_run_counts_those_whose_software_is_the_same() -> None:
    same = [_outcome(Finding.SAME_SOFTWARE, pairs=0), _outcome(Finding.SAME_SOFTWARE, pairs=0)]
    assert list(suspicion_lines(same, "suspects")) == [
        "same software (2, stored 1.080): packages, variables and code are those of the accepted session, so that both "
        "sides would be one process"
    ]


def test_the_end_of_a_run_tells_why_nobody_could_tell() -> None:
    unbuilt = _outcome(Finding.NOT_RUN, why="uv cannot build it:\n  no such version")
    slow = dataclasses.replace(_outcome(Finding.NOT_RUN, why="there was no time for it"), variant=OTHER_VARIANT)
    assert list(suspicion_lines([unbuilt, slow, _outcome(Finding.INCONCLUSIVE)], "suspects")) == [
        "of the machine: kernel 6.2 (was 6.1), CPU time of other processes 48% while the pairs were timed",
        f"not confirmed (1): {VARIANT.id}",
        "  uv cannot build it:",
        "    no such version",
        f"not confirmed (1): {OTHER_VARIANT.id}",
        "  there was no time for it",
    ]


def test_who_confirms_nothing_is_told_what_is_lost() -> None:
    assert list(suspicion_lines([], "none")) == [
        "--confirm none: a slowdown below --regression-ratio was not looked for, and one above it may be the machine's"
    ]


@pytest.mark.parametrize(
    ("plan", "confirm", "line"),
    [
        (
            PLAN,
            "suspects",
            "plan: 24 variants, 2 replicates each, then outputs and kernels: about 5 min; suspects beside the "
            "baseline's stack: at most 12 min",
        ),
        (
            dataclasses.replace(PLAN, variants=1, measure_s=18.0, extra_s=120.0),
            "all",
            "plan: 1 variant, 2 replicates each, then outputs and kernels: about 18 s; 2 min more of them for what "
            "varies most; all variants beside the baseline's stack: at most 12 min",
        ),
        (
            dataclasses.replace(PLAN, confirm_s=0.0),
            "none",
            "plan: 24 variants, 2 replicates each, then outputs and kernels: about 5 min",
        ),
    ],
)
def test_a_run_begins_with_its_plan(plan: Plan, confirm: str, line: str) -> None:
    assert plan_line(plan, confirm) == line
