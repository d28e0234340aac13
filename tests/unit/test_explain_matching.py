"""Calls find their partner: the most alike first, every call once, and none that does other work."""

import dataclasses
from typing import Any

import pytest
from evidence_builders import FP32, REORDER, kernel, operator_kernel
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.explain.matching import match, moves_data
from perfsuite.records.evidence import Kernel, Source
from perfsuite.records.explanation import KernelChange

SMALL = "mb1_ic64oc64_ih7oh7kh3sh1dh0ph1_iw7ow7kw3sw1dw0pw1"
LINEAR: dict[str, Any] = {
    "operation": "inner_product",
    "implementation": "brgemm:avx512_core_bf16",
    "tensors": "src:bf16:ab",
}
SGEMM: dict[str, Any] = {
    "operation": "SGEMM",
    "implementation": "",
    "source": Source.MKL,
    "dtype": "fp32",
    "tensors": "",
}


def _sides(change: KernelChange) -> tuple[int | None, int | None]:
    return change.before.count if change.before else None, change.after.count if change.after else None


def test_identical_calls_are_one_change() -> None:
    (change,) = match([kernel(1.0, count=3)], [kernel(1.5, count=3)])
    assert _sides(change) == (3, 3)
    assert change.delta_s == pytest.approx(0.0005)


def test_the_same_implementation_is_a_better_partner_than_the_same_place() -> None:
    one, other = kernel(implementation="a"), kernel(implementation="b")
    changes = match([one, other], [other, one])
    assert [(c.before, c.after) for c in changes] == [(one, one), (other, other)]


def test_the_same_type_is_a_better_partner_than_another() -> None:
    wide, narrow, moved = kernel(**FP32), kernel(), kernel(implementation="jit:avx512_core_bf16")
    changes = match([wide, narrow], [moved, dataclasses.replace(wide, implementation="gemm:jit")])
    assert {c.before.dtype == c.after.dtype for c in changes if c.before and c.after} == {True}


def test_another_type_of_the_same_shape_is_a_partner() -> None:
    (change,) = match([kernel()], [kernel(**FP32)])
    assert _sides(change) == (1, 1)


def test_another_type_of_the_same_shape_is_a_partner_without_any_arithmetic() -> None:
    gelu: dict[str, Any] = {
        "operation": "eltwise",
        "implementation": "jit:avx512_core",
        "problem": "128x3072",
        "macs": 0,
    }
    (change,) = match([kernel(**gelu)], [kernel(**gelu | {"dtype": "fp32"})])
    assert _sides(change) == (1, 1)


def test_another_shape_of_the_same_operation_is_none() -> None:
    changes = match([kernel()], [kernel(problem=SMALL, macs=1_806_336)])
    assert sorted(map(_sides, changes), key=str) == [(1, None), (None, 1)]


def test_a_linear_layer_is_found_in_another_library_by_its_work() -> None:
    before = kernel(**LINEAR, problem="mb128ic768oc3072", count=12, macs=12 * 301_989_888)
    after = kernel(**SGEMM, problem="3072x128x768", count=12, macs=12 * 301_989_888)
    (change,) = match([before], [after])
    assert (change.before, change.after) == (before, after)


def test_equal_work_of_another_kind_is_no_partner() -> None:
    assert len(match([kernel()], [kernel(**SGEMM, problem="64x64x64")])) == 2


def test_work_that_nobody_told_matches_nothing() -> None:
    before = kernel(**LINEAR, problem="", macs=None)
    assert len(match([before], [kernel(**SGEMM, problem="1x1x1", macs=None)])) == 2


def test_one_product_in_place_of_three_is_a_partner_by_the_sum_of_work() -> None:
    before = kernel(3.0, **LINEAR, problem="mb128ic768oc768", count=48, macs=48 * 75_497_472)
    fused = kernel(2.0, **SGEMM, problem="2304x128x768", count=12, macs=36 * 75_497_472)
    single = kernel(1.0, **SGEMM, problem="768x128x768", count=12, macs=12 * 75_497_472)
    changes = match([before], [fused, single])
    assert sorted(map(_sides, changes)) == [(12, 12), (36, 12)]
    assert [c.after for c in changes if c.before and c.before.count == 36] == [fused]


def test_a_kernel_is_split_when_only_some_of_its_calls_moved() -> None:
    before = kernel(4.0, count=4)
    changes = match([before], [kernel(3.0, count=3), kernel(5.0, **FP32)])
    assert [_sides(c) for c in changes] == [(3, 3), (1, 1)]
    assert [c.delta_s for c in changes] == pytest.approx([0.0, 0.004])
    assert [c.before.macs for c in changes if c.before] == [3 * 115_605_504, 115_605_504]


def test_calls_beyond_the_partner_s_were_added_or_removed() -> None:
    more = match([kernel(1.0)], [kernel(3.0, count=3)])
    assert [_sides(c) for c in more] == [(1, 1), (None, 2)]
    assert [c.delta_s for c in more] == pytest.approx([0.0, 0.002])
    fewer = match([kernel(3.0, count=3)], [kernel(1.0)])
    assert [_sides(c) for c in fewer] == [(1, 1), (2, None)]
    assert [c.delta_s for c in fewer] == pytest.approx([0.0, -0.002])


def test_a_reorder_between_other_layouts_is_another_reorder() -> None:
    before = kernel(**REORDER, tensors="src:f32:abcd dst:bf16:acdb")
    assert len(match([before], [kernel(**REORDER, tensors="src:f32:acdb dst:bf16:acdb")])) == 2
    assert len(match([before], [dataclasses.replace(before, dtype="f32")])) == 2
    (change,) = match([before], [dataclasses.replace(before, implementation="simple:any")])
    assert _sides(change) == (1, 1)


@pytest.mark.parametrize(
    ("name", "is_mover"),
    [("aten::copy_", True), ("aten::clone", True), ("aten::contiguous", True), ("aten::add", False)],
)
def test_operators_that_move_data(name: str, is_mover: bool) -> None:
    assert moves_data(operator_kernel(name)) is is_mover


KERNELS = st.lists(
    st.builds(
        kernel,
        st.floats(0.01, 10),
        operation=st.sampled_from(["convolution", "inner_product", "SGEMM", "reorder"]),
        implementation=st.sampled_from(["a", "b"]),
        dtype=st.sampled_from(["bf16", "fp32"]),
        problem=st.sampled_from(["small", "large"]),
        count=st.integers(1, 9),
        macs=st.sampled_from([None, 0, 2520, 5040]),
    ),
    max_size=8,
)


@given(KERNELS, KERNELS)
def test_every_call_and_all_its_time_is_in_exactly_one_change(before: list[Kernel], after: list[Kernel]) -> None:
    changes = match(before, after)
    for side, found in ((before, [c.before for c in changes]), (after, [c.after for c in changes])):
        kernels = [one for one in found if one]
        assert sum(one.count for one in kernels) == sum(one.count for one in side)
        assert sum(one.time_s for one in kernels) == pytest.approx(sum(one.time_s for one in side))
    assert all(change.before or change.after for change in changes)


@given(KERNELS)
def test_a_pass_matches_itself(kernels: list[Kernel]) -> None:
    for change in match(kernels, kernels):
        assert change.before == change.after
