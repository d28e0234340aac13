"""From lines and operators to the kernel table: what is one row, how long it took, how much it multiplied."""

from __future__ import annotations

import dataclasses

import pytest
from evidence_builders import kernel, operator, operator_kernel
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.evidence import mkl, onednn
from perfsuite.evidence.table import Pass, library_kernels, with_operators
from perfsuite.records.evidence import Kernel, Operator, Source
from perfsuite.records.isa import Isa

_NEW = "onednn_verbose,v1,primitive,exec,cpu"
_BF16 = "src:bf16:a:blocked:ab::f0 wei:bf16:a:blocked:BA16b64a2b::f0 dst:bf16:a:blocked:ab::f0"


def _matmul(
    time_ms: float,
    *,
    tensors: str = _BF16,
    implementation: str = "brg_matmul:avx10_1_512_amx",
    shape: str = "8x16:16x24",
) -> str:
    return f"{_NEW},matmul,{implementation},undef,{tensors},attr-scratchpad:user,,{shape},{time_ms}"


def _brgemm(time_ms: float) -> str:
    tensors = "src:bf16::blocked:ab::f0 wei:bf16::blocked:ab::f0 dst:f32::blocked:ab::f0"
    return f"onednn_verbose,v1,ukernel,exec,cpu,brgemm,,undef,{tensors},,bs:2 beta:0,4x32:32x8,{time_ms}"


def _sgemm(time_us: float, thread: int, size: int = 4) -> str:
    return f"MKL_VERBOSE SGEMM(T,N,{size},5,6,0x7f01) {time_us}us CNR:OFF Dyn:1 FastMM:1 TID:{thread}  NThr:1"


def _table(*passes: list[str], threads: int = 2) -> list[Kernel]:
    read = [Pass(primitives=onednn.parse(one), calls=mkl.parse(one), duration_s=1.0) for one in passes]
    assert [(one.primitives.unread, one.calls.unread) for one in read] == [((), ())] * len(passes)
    return library_kernels(read, threads, forward_s=1.0)


def test_a_primitive_s_row() -> None:
    (row,) = _table([_matmul(0.5)])
    assert row == Kernel(
        source=Source.ONEDNN,
        operation="matmul",
        implementation="brg_matmul:avx10_1_512_amx",
        isa=Isa.AMX,
        dtype="bf16",
        tensors="src:bf16:ab wei:bf16:BA16b64a2b dst:bf16:ab",
        problem="8x16:16x24",
        count=1,
        time_s=0.0005,
        macs=8 * 16 * 24,
    )


def test_equal_calls_are_one_row() -> None:
    (row,) = _table([_matmul(0.5), _matmul(0.25), _matmul(0.25)])
    assert (row.count, row.macs) == (3, 3 * 8 * 16 * 24)
    assert row.time_s == pytest.approx(0.001)


@pytest.mark.parametrize(
    "other",
    [
        _matmul(1, tensors=_BF16.replace("BA16b64a2b", "ab")),
        _matmul(1, tensors=_BF16.replace("bf16", "f32")),
        _matmul(1, implementation="gemm:jit:bf16"),
        _matmul(1, shape="8x16:16x25"),
        _matmul(1).replace("matmul,", "inner_product,", 1).replace("8x16:16x24", "mb8ic16oc24"),
    ],
    ids=["layout", "type", "implementation", "shape", "operation"],
)
def test_other_calls_are_another_row(other: str) -> None:
    assert [row.count for row in _table([_matmul(0.5), other, _matmul(0.5)])] == [2, 1]


@pytest.mark.parametrize(("short", "dtype"), [("f32", "fp32"), ("f16", "fp16"), ("f64", "fp64"), ("u8", "int8")])
def test_types_are_spelt_our_way(short: str, dtype: str) -> None:
    (row,) = _table([_matmul(1, tensors=_BF16.replace("bf16", short))])
    assert row.dtype == dtype


def test_reference_kernels_are_marked() -> None:
    assert [row.reference for row in _table([_matmul(1), _matmul(1, implementation="ref:any")])] == [False, True]


def test_rows_of_the_last_pass_with_the_median_of_all_times() -> None:
    rare, usual = _matmul(7, shape="1x1:1x1"), [_matmul(1), _matmul(2)]
    first, last = _table([rare, _matmul(0.5)], usual, [_matmul(4), _matmul(1), _sgemm(9, 0)])
    assert (first.count, first.problem, last.operation) == (2, "8x16:16x24", "SGEMM")
    assert [first.time_s, last.time_s] == pytest.approx([0.003, 9e-6])


def test_threads_call_micro_kernels_side_by_side() -> None:
    (row,) = _table([_brgemm(0.5), _brgemm(0.25)], threads=3)
    assert (row.count, row.macs) == (2, 2 * 2 * 4 * 32 * 8)
    assert row.time_s == pytest.approx(0.00025)


def test_calls_of_mkl_on_other_threads_run_side_by_side() -> None:
    (row,) = _table([_sgemm(3, 0), _sgemm(5, 1), _sgemm(4, 0)])
    assert (row.source, row.operation, row.isa, row.dtype) == (Source.MKL, "SGEMM", Isa.UNKNOWN, "fp32")
    assert (row.count, row.macs) == (3, 3 * 4 * 5 * 6)
    assert row.time_s == pytest.approx(7e-6)
    assert [row.problem for row in _table([_sgemm(3, 0), _sgemm(5, 0, size=7)])] == ["4x5x6", "7x5x6"]


def test_a_batch_of_mkl_does_not_tell_its_work() -> None:
    batch = _sgemm(2, 0).replace("SGEMM(T,N,4,5,6,", "SGEMM_BATCH(T,N,0x7f02,0x7f03,")
    (row,) = _table([batch, batch])
    assert (row.operation, row.count, row.macs) == ("SGEMM_BATCH", 2, None)


def test_a_silent_pass_has_no_rows() -> None:
    assert _table([_matmul(1)], []) == []


_MM = operator("aten::mm", 2, shapes="[[10, 10], [10, 10]]", dtypes="float float")
_BMM = operator("aten::bmm", 1, shapes="[[2, 10, 1], [2, 1, 10]]", dtypes="c10::BFloat16 c10::BFloat16", count=3)
_ATTENTION = operator(
    "aten::_scaled_dot_product_flash_attention_for_cpu",
    1,
    shapes="[[1, 2, 5, 10], [1, 2, 5, 10], [1, 2, 5, 10]]",
    dtypes="float float float",
)
_FBGEMM = operator("quantized::linear_dynamic", 3, shapes="[[5, 5], [], []]", dtypes="float", count=4)


def _rows(
    kernels: list[Kernel], *operators: Operator, model_macs: int = 0, forward_s: float = 1.0
) -> list[tuple[str, int | None, str]]:
    rows = with_operators(kernels, operators, model_macs=model_macs, forward_s=forward_s)
    return [(row.operation, row.macs, row.dtype) for row in rows]


def _product(milliseconds: float = 5.0, **changes: object) -> Kernel:
    return kernel(milliseconds, **{"operation": "matmul", "dtype": "fp32", "macs": 700, **changes})


def test_an_operator_outside_the_libraries_gets_a_row() -> None:
    add = operator("aten::add", 3, count=2)
    rows = with_operators([_product(5)], [add], model_macs=700, forward_s=0.01)
    assert rows == (_product(5), operator_kernel("aten::add", 3, count=2))


def test_rows_are_in_order_of_time() -> None:
    operators = [operator("aten::add", 1), operator("aten::copy_", 3)]
    rows = with_operators([_product(2)], operators, model_macs=700, forward_s=1.0)
    assert [row.operation for row in rows] == ["aten::copy_", "matmul", "aten::add"]


def test_an_operator_that_calls_a_library_gets_none() -> None:
    assert _rows([_product()], operator("aten::linear", 9), model_macs=700) == [("matmul", 700, "fp32")]


@pytest.mark.parametrize(("milliseconds", "shown"), [(0.99, False), (1.01, True)])
def test_a_thousandth_of_a_pass_is_worth_a_row(milliseconds: float, shown: bool) -> None:
    assert bool(_rows([], operator("aten::add", milliseconds))) is shown


def test_small_operators_share_what_libraries_leave_of_a_pass() -> None:
    operators = [operator("aten::add", 3), operator("aten::copy_", 1), operator("aten::mm", 50, shapes="")]
    rows = with_operators([_product(8)], operators, model_macs=700, forward_s=0.01)
    assert [row.operation for row in rows] == ["matmul", "aten::add", "aten::copy_"]
    assert [row.time_s for row in rows] == pytest.approx([0.008, 0.0015, 0.0005])


def test_operators_that_multiply_outside_the_libraries_share_it_too() -> None:
    rows = with_operators([_product(8)], [_BMM, operator("aten::add", 3)], model_macs=1300, forward_s=0.01)
    assert sum(row.time_s for row in rows) == pytest.approx(0.01)
    assert [row.operation for row in rows] == ["matmul", "aten::add", "aten::bmm"]


def test_without_time_left_only_what_multiplies_has_a_row() -> None:
    rows = with_operators([_product(10)], [_BMM, operator("aten::add", 3)], model_macs=1300, forward_s=0.009)
    assert [(row.operation, row.time_s) for row in rows] == [("matmul", 0.01), ("aten::bmm", 0.0)]


def test_missing_work_is_the_silent_operator_s() -> None:
    assert _rows([_product()], _BMM, model_macs=1300) == [("matmul", 700, "fp32"), ("aten::bmm", 600, "bf16")]


def test_nothing_missing_leaves_nothing_to_operators() -> None:
    assert _rows([_product(macs=1300)], _BMM, model_macs=1300) == [("matmul", 1300, "fp32")]
    assert _rows([_product()], _BMM, model_macs=1299) == [("matmul", 700, "fp32")]


def test_padding_may_make_an_operator_a_little_larger() -> None:
    wide = operator("aten::mm", shapes="[[1000, 10], [10, 100]]", dtypes="float")
    assert ("aten::mm", 1_000_000, "fp32") in _rows([_product()], wide, model_macs=700 + 999_500)
    assert ("aten::mm", 1_000_000, "fp32") not in _rows([_product()], wide, model_macs=700 + 998_500)


def test_an_operator_whose_calls_equal_a_library_s_spoke() -> None:
    assert _rows([_product(macs=3000, count=3)], _MM, model_macs=4000) == [("matmul", 3000, "fp32")]


def test_the_largest_operator_comes_first() -> None:
    small = operator("aten::mm", shapes="[[10, 5], [5, 10]]", dtypes="float")
    assert _rows([_product()], small, _MM, model_macs=1800) == [
        ("matmul", 700, "fp32"),
        ("aten::mm", 1000, "fp32"),
    ]


@pytest.mark.parametrize(("dtype", "spoke"), [("fp32", True), ("bf16", False)])
def test_attention_spoke_if_mkl_multiplied_its_type(dtype: str, spoke: bool) -> None:
    rows = _rows([_product(source=Source.MKL, operation="SGEMM", dtype=dtype)], _ATTENTION, model_macs=1700)
    assert (("aten::_scaled_dot_product_flash_attention_for_cpu", 1000, "fp32") not in rows) is spoke


def test_rows_that_do_not_tell_are_what_silent_operators_called() -> None:
    untold = [_product(3, operation="brgemm", macs=None, dtype="bf16"), _product(1, operation="SGEMM_BATCH", macs=None)]
    untold[1] = dataclasses.replace(untold[1], dtype="")
    assert _rows([_product(9), *untold], _BMM, model_macs=1300) == [
        ("matmul", 700, "fp32"),
        ("brgemm", 450, "bf16"),
        ("SGEMM_BATCH", 150, "bf16"),
    ]


def test_without_times_they_share_alike() -> None:
    untold = [_product(0, operation=name, macs=None) for name in ("brgemm", "SGEMM_BATCH")]
    assert [row[1] for row in _rows(untold, _BMM, model_macs=600)] == [300, 300]


def test_without_a_silent_operator_they_stay_untold() -> None:
    assert _rows([_product(macs=None)], model_macs=600) == [("matmul", None, "fp32")]


def test_what_is_left_belongs_to_operators_that_hide_their_shapes() -> None:
    other = dataclasses.replace(_FBGEMM, self_time_s=0.00075)
    assert _rows([_product()], _FBGEMM, other, _BMM, model_macs=700 + 600 + 1000) == [
        ("matmul", 700, "fp32"),
        ("quantized::linear_dynamic", 800, "int8"),
        ("aten::bmm", 600, "bf16"),
        ("quantized::linear_dynamic", 200, "int8"),
    ]
    assert _rows([_product()], _FBGEMM, model_macs=700) == [
        ("matmul", 700, "fp32"),
        ("quantized::linear_dynamic", 0, ""),
    ]


_OPERATORS = st.lists(
    st.sampled_from([_MM, _BMM, _ATTENTION, _FBGEMM, operator("aten::add", 4), operator("aten::linear", 2)]),
    unique=True,
)


@given(_OPERATORS, st.lists(st.none() | st.integers(0, 2000), max_size=4), st.integers(0, 5000), st.floats(0.001, 0.1))
def test_operators_never_claim_more_than_is_missing(
    operators: list[Operator], macs: list[int | None], model_macs: int, forward_s: float
) -> None:
    kernels = [_product(1, macs=one, problem=str(index)) for index, one in enumerate(macs)]
    known = sum(one or 0 for one in macs)
    rows = with_operators(kernels, operators, model_macs=model_macs, forward_s=forward_s)
    claimed = sum(row.macs or 0 for row in rows) - known
    # Rounding: half a multiply-accumulate a row, and a thousandth of what is missing for each operator.
    assert 0 <= claimed <= max(0, model_macs - known) * 1.01 + len(rows)
    assert len(rows) >= len(kernels)
    outside_s = sum(row.time_s for row in rows if row.source is Source.OPERATOR)
    assert all(row.time_s >= 0 for row in rows)
    assert outside_s <= max(0.0, forward_s - 0.001 * len(kernels)) + 1e-9
