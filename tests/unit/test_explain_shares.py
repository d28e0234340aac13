"""What part of the change each cause gets, in which order they come, and what else is said."""

import dataclasses

import pytest
from builders import DIGESTS, MACHINE, OLD_STACK, OTHER_VARIANT, measurement
from evidence_builders import FP32, POINTWISE, REORDER, evidence, kernel, only, operator_kernel, said, sentences, side

from perfsuite.explain.causes import explain
from perfsuite.records.evidence import Evidence
from perfsuite.records.explanation import Cause, Explanation
from perfsuite.report.sentences import milliseconds_change, note_lines

REST = kernel(8.0, operation="pooling", implementation="jit:avx512_core", macs=0)


def causes(explanation: Explanation) -> list[Cause]:
    return [one.cause for one in explanation.contributions]


def test_latencies_too_close_to_tell_still_name_the_kernels_that_differ() -> None:
    found = explain(side(20, kernel(10), REST), side(20.5, kernel(11, **FP32), dataclasses.replace(REST, time_s=0.009)))
    assert not found.latencies.differ
    assert causes(found) == [Cause.PRECISION]
    assert only(found).share is None
    assert said(found).endswith("bf16 lost (+1.00 ms)")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0850, "+85.0 ms"),
        (-0.00999999, "-10.0 ms"),
        (0.0009999999, "+1.00 ms"),
        (0.00006, "+0.060 ms"),
        (1.2345, "+1230 ms"),
        (-1e-9, "+0.000 ms"),
    ],
)
def test_times_have_a_sign_and_no_exponent(seconds: float, words: str) -> None:
    assert milliseconds_change(seconds) == words


@pytest.mark.parametrize(("after", "differ"), [(20.59, False), (20.61, True), (19.42, False), (19.41, True)])
def test_three_percent_either_way_is_a_difference(after: float, differ: bool) -> None:
    assert explain(side(20, REST), side(after, REST)).latencies.differ is differ


def test_a_pass_against_itself_has_nothing_to_say() -> None:
    found = explain(side(20, kernel(10), REST), side(20, kernel(10), REST))
    assert (found.contributions, found.changes, note_lines(found.notes)) == ((), (), [])


def test_what_worked_against_the_change_comes_after_it() -> None:
    before = side(20, kernel(10), kernel(5, **POINTWISE))
    after = side(25, kernel(18, **FP32), kernel(2, **POINTWISE | {"implementation": "brgconv:avx10_1_512_amx"}))
    explained = explain(before, after)
    found = explained.contributions
    assert [f.share for f in found] == pytest.approx([1.6, -0.6])
    assert sentences(explained)[0].startswith("more than all of the slowdown (+8.00 ms of +5.00 ms) is 1 convolution")
    assert sentences(explained)[1].startswith("against the slowdown (-3.00 ms of +5.00 ms): 1 convolution that moved")


def test_what_worked_against_the_change_never_comes_first_nor_after_what_explains_nothing() -> None:
    gone, added = operator_kernel("aten::mul", 6), operator_kernel("aten::copy_", 4)
    before = side(20, kernel(1), gone, kernel(5, **POINTWISE))
    after = side(24, kernel(1.1, **FP32), added, kernel(11, **POINTWISE | {"implementation": "gemm:jit"}))
    found = explain(before, after)
    assert causes(found) == [Cause.IMPLEMENTATION, Cause.REORDERS, Cause.OPERATORS, Cause.PRECISION]
    assert [f.share for f in found.contributions[:3]] == pytest.approx([1.5, 1.0, -1.5])
    assert found.contributions[3].share is None


@pytest.mark.parametrize(("after", "same"), [(20.8, 8.15), (120, 9)], ids=["1 % of a pass", "5 % of the change"])
def test_drift_is_named_from_a_part_of_a_pass_and_of_the_change_on(after: float, same: float) -> None:
    moved = kernel(10 + after - 20 - (same - 8), implementation="gemm:jit")
    found = explain(side(20, kernel(10), REST), side(after, moved, dataclasses.replace(REST, time_s=same * 1e-3)))
    assert causes(found) == [Cause.IMPLEMENTATION]


def test_a_small_part_of_the_change_is_named_last_and_without_a_share() -> None:
    before = side(20, kernel(1), kernel(9, **POINTWISE))
    after = side(30, kernel(1.4, **FP32), kernel(18.6, **POINTWISE | {"implementation": "gemm:jit"}))
    explained = explain(before, after)
    found = explained.contributions
    assert [f.cause for f in found] == [Cause.IMPLEMENTATION, Cause.PRECISION]
    assert found[0].share == pytest.approx(0.96)
    assert found[1].share is None
    assert sentences(explained)[1].endswith("(+0.400 ms)")


def test_the_accounts_add_up_and_changes_are_ranked_by_time() -> None:
    before = side(20, kernel(5), REST, kernel(1, **REORDER, tensors="a"))
    after = side(
        60,
        kernel(25, **FP32),
        dataclasses.replace(REST, time_s=0.001),
        kernel(4, **REORDER, tensors="a", count=3),
        operator_kernel(milliseconds=6),
    )
    found = explain(before, after)
    assert causes(found) == [Cause.PRECISION, Cause.OUTSIDE, Cause.OPERATORS, Cause.REORDERS, Cause.SAME_KERNELS]
    assert sum(f.delta_s for f in found.contributions) == pytest.approx(0.040)
    assert sum(f.share or 0 for f in found.contributions) == pytest.approx(1.0)
    assert [change.delta_s for change in found.changes] == pytest.approx([0.020, -0.007, 0.006, 0.008 / 3, 0.001 / 3])


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (None, evidence(), "ran in the first:"),
        (evidence(), None, "ran in the second:"),
        (None, None, "ran in either side:"),
    ],
)
def test_without_evidence_the_way_to_get_it_is_said(
    before: Evidence | None, after: Evidence | None, words: str
) -> None:
    explained = explain(measurement(20_000_000, evidence=before), measurement(30_000_000, evidence=after))
    found = only(explained)
    assert (found.cause, found.share) == (Cause.NO_EVIDENCE, None)
    assert words in said(explained)
    assert "`pytest --benchmark-only` stores them" in said(explained)


def test_without_evidence_another_thread_count_is_still_seen() -> None:
    halved = measurement(30_000_000, environment={"OMP_NUM_THREADS": "2"})
    found = explain(measurement(20_000_000), halved)
    assert causes(found) == [Cause.THREADS, Cause.NO_EVIDENCE]
    # No figures: nobody knows what of the difference is theirs.
    assert sentences(found) == [
        "2 threads in place of 4",
        said(explain(measurement(20_000_000), measurement(30_000_000))),
    ]
    assert "ms" not in " ".join(sentences(found)).split()


def test_two_models_are_expected_to_have_other_weights() -> None:
    other = dataclasses.replace(DIGESTS, weights_sha256="c" * 64)
    assert note_lines(explain(measurement(20), measurement(30, variant=OTHER_VARIANT, digests=other)).notes) == []


def test_packages_that_compute_nothing_are_only_counted() -> None:
    other = dataclasses.replace(OLD_STACK, packages={**OLD_STACK.packages, "idna": "3.1"})
    found = explain(measurement(20, stack=OLD_STACK), measurement(30, stack=other))
    assert note_lines(found.notes) == ["packages: 1, none of them decisive"]


def test_notes_name_whatever_else_was_not_the_same() -> None:
    packages = {"intel-extension-for-pytorch": "2.8.0", "torch": "2.8.0", "idna": "3.1"}
    before = measurement(20, environment={"OMP_NUM_THREADS": "4"}, stack=OLD_STACK)
    after = measurement(
        30,
        environment={"OMP_NUM_THREADS": "4", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
        stack=dataclasses.replace(OLD_STACK, python="3.12.0", packages=packages),
        machine=dataclasses.replace(MACHINE, physical_cores=16),
        digests=dataclasses.replace(before.digests, inputs_sha256="c" * 64),
        evidence=evidence(unread=evidence().unread.__class__(count=7, samples=("x",))),
    )
    assert note_lines(explain(before, after).notes) == [
        "variables: ONEDNN_MAX_CPU_ISA AVX512_CORE (was unset)",
        "packages: Python 3.12.0 (was 3.11.7), torch 2.8.0 (was 2.7.0), "
        "intel-extension-for-pytorch 2.8.0 (was 2.7.0), 1 more",
        "machine: physical_cores: 8 against 16",
        "weights or inputs: their digests differ, so that the work itself may",
        "evidence: 7 lines of the second were not understood, so that kernels may be missing",
    ]
