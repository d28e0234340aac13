"""Each cause is told from the others, with its share of the change and a sentence with the figures."""

import dataclasses
from typing import Any

import pytest
from builders import MACHINE
from evidence_builders import (
    FP32,
    POINTWISE,
    REORDER,
    kernel,
    only,
    operator,
    operator_kernel,
    said,
    sentences,
    side,
)

from perfsuite.explain.causes import explain
from perfsuite.records.evidence import Kernel, Source
from perfsuite.records.explanation import Cause, Explanation
from perfsuite.records.isa import Isa

REST = kernel(8.0, operation="pooling", implementation="jit:avx512_core", macs=0)


def causes(explanation: Explanation) -> list[Cause]:
    return [one.cause for one in explanation.contributions]


def test_another_implementation() -> None:
    before = side(20, REST, kernel(6, count=17), kernel(6, count=36, **POINTWISE))
    slow = {"implementation": "jit:avx512_core", "isa": Isa.AVX512}
    after = side(105, REST, kernel(40, count=17, **slow), kernel(49.4, count=36, **POINTWISE | slow))
    explained = explain(before, after)
    found = explained.contributions
    assert found[0].cause is Cause.IMPLEMENTATION
    assert found[0].share == pytest.approx(77.4 / 85)
    assert sentences(explained)[0] == (
        "91 % of the slowdown (+77.4 ms of +85.0 ms) is 53 convolutions that moved from "
        "brgconv_1x1:avx512_core_bf16 (36) and brg_conv_fwd:avx512_core_bf16 (17) to jit:avx512_core"
    )
    assert [f.cause for f in found[1:]] == [Cause.OUTSIDE]


def test_the_operations_with_most_time_are_named_and_the_rest_counted() -> None:
    times = {"eltwise": 1, "matmul": 3, "reorder": 2, "pooling": 1, "softmax": 1}
    rows = [
        [
            kernel(factor * time, operation=name, implementation=f"{name}_{factor}", macs=0, tensors="", count=3)
            for name, time in times.items()
        ]
        for factor in (1, 2)
    ]
    found = said(explain(side(20, *rows[0]), side(28, *rows[1])))
    assert "is 3 matmuls that moved from matmul_1 to matmul_2; 3 reorders that moved" in found
    assert found.endswith("to reorder_2; 9 other calls")


def test_a_moved_kernel_is_named_however_little_time_it_takes() -> None:
    after = side(20, REST, kernel(0.002, implementation="gemm:jit"))
    assert only(explain(side(20, REST, kernel(0.001)), after)).cause is Cause.IMPLEMENTATION


def test_another_instruction_set_of_the_same_implementation() -> None:
    before = side(20, REST, kernel(10, implementation="", operation="GEMM_S8", isa=Isa.AMX))
    after = side(40, REST, kernel(30, implementation="", operation="GEMM_S8", isa=Isa.AVX512_VNNI))
    explained = explain(before, after)
    found = only(explained)
    assert found.cause is Cause.IMPLEMENTATION
    assert "1 call of GEMM_S8 that moved from GEMM_S8 (amx) to GEMM_S8 (avx512-vnni)" in said(explained)


def test_another_layout_for_the_same_kernel() -> None:
    before = side(20, kernel(18, tensors="src:bf16:acdb wei:bf16:Acdb16b"))
    explained = explain(before, side(40, kernel(38, tensors="src:bf16:abcd wei:bf16:Acdb16b")))
    found = only(explained)
    assert found.cause is Cause.IMPLEMENTATION
    assert "from brg_conv_fwd:avx512_core_bf16 (src:bf16:acdb) to" in said(explained)
    assert said(explained).endswith("avx512_core_bf16 (src:bf16:abcd)")


def test_a_reference_implementation_is_called_slow() -> None:
    before, after = side(20, kernel(18)), side(90, kernel(88, implementation="ref:any", reference=True))
    assert said(explain(before, after)).endswith("to ref:any, a slow reference implementation")
    assert "slow reference" not in said(explain(after, before))


def test_precision_lost_even_into_another_library() -> None:
    linear = kernel(10, operation="inner_product", implementation="brgemm:avx512_core_bf16", problem="mb128", count=12)
    sgemm = dataclasses.replace(
        linear, operation="SGEMM", implementation="", source=Source.MKL, dtype="fp32", problem="7x7x7", time_s=0.03
    )
    explained = explain(side(20, linear), side(40, sgemm))
    found = only(explained)
    assert found.cause is Cause.PRECISION
    assert said(explained) == (
        "100 % of the slowdown (+20.0 ms of +20.0 ms) is 12 inner products that moved from "
        "inner_product brgemm:avx512_core_bf16 (bf16) to SGEMM (fp32): bf16 lost"
    )


def test_precision_won_is_a_speed_up_and_nothing_lost() -> None:
    explained = explain(side(40, kernel(38, **FP32)), side(20, kernel(18)))
    found = only(explained)
    assert found.cause is Cause.PRECISION
    assert found.share == pytest.approx(1.0)
    assert found.delta_s == pytest.approx(-0.020)
    assert said(explained).startswith(
        "100 % of the speed-up (-20.0 ms of -20.0 ms) is 1 convolution that moved from jit"
    )
    assert "lost" not in said(explained)


def test_precision_and_implementation_are_two_causes() -> None:
    before = side(20, kernel(5), kernel(5, **POINTWISE))
    after = side(50, kernel(25, **FP32), kernel(15, **POINTWISE | {"implementation": "gemm:jit"}))
    found = explain(before, after)
    assert causes(found) == [Cause.PRECISION, Cause.IMPLEMENTATION]
    assert [f.share for f in found.contributions] == pytest.approx([2 / 3, 1 / 3])


def test_types_of_an_operator_without_a_library() -> None:
    before = side(20, operator_kernel("aten::gelu", 5, tensors="c10::BFloat16"))
    explained = explain(before, side(25, operator_kernel("aten::gelu", 10, tensors="float")))
    found = only(explained)
    assert found.cause is Cause.PRECISION
    assert "from aten::gelu (c10::BFloat16) to aten::gelu (float)" in said(explained)


def test_types_of_an_operator_that_takes_no_time_are_not_worth_a_word() -> None:
    before = side(20, REST, operator_kernel("aten::sub", 0.001, tensors="long"))
    assert explain(before, side(20, REST, operator_kernel("aten::sub", 0.002, tensors="int"))).contributions == ()


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (kernel(3, count=2, **REORDER), "reorders that did not run before: 2 reorders"),
        (operator_kernel("aten::copy_", 3), "reorders that did not run before: 1 call of aten::copy_"),
    ],
    ids=["oneDNN", "PyTorch"],
)
def test_reorders_added(extra: Kernel, words: str) -> None:
    before, after = side(20, REST), side(23, REST, extra)
    explained = explain(before, after)
    found = only(explained)
    assert found.cause is Cause.REORDERS
    assert said(explained) == f"100 % of the slowdown (+3.00 ms of +3.00 ms) is {words}"
    gone = said(explain(after, before))
    assert gone == (
        f"100 % of the speed-up (-3.00 ms of -3.00 ms) is {words.replace('did not run before', 'no longer run')}"
    )


def test_a_small_reorder_is_named_though_the_latency_hides_it() -> None:
    found = explain(side(20, REST), side(20.1, REST, operators=(operator("aten::copy_", 0.06),)))
    assert only(found).cause is Cause.REORDERS
    assert only(found).share is None
    assert said(found) == "reorders that did not run before: 1 call of aten::copy_ (+0.060 ms)"


def test_reorders_in_place_of_others_are_one_account() -> None:
    before = side(20, REST, kernel(1, **REORDER, tensors="src:bf16:acdb"))
    after = side(24, REST, kernel(5, **REORDER, tensors="src:f32:acdb"))
    explained = explain(before, after)
    found = only(explained)
    assert found.delta_s == pytest.approx(0.004)
    assert "other reorders: 1 reorder, where before 1 reorder" in said(explained)


def test_more_operators() -> None:
    times = {"mul": 1, "add": 3, "sub": 0.7, "div": 0.3}
    added = [operator_kernel(f"aten::{name}", time, count=3) for name, time in times.items()]
    explained = explain(side(20, REST), side(25, REST, *added))
    found = only(explained)
    assert found.cause is Cause.OPERATORS
    assert found.share == pytest.approx(1.0)
    assert said(explained).endswith(
        "is calls that did not run before: 3 calls of aten::add, 3 calls of aten::mul and 6 other calls"
    )


def test_the_same_kernel_called_more_often_is_more_operators() -> None:
    explained = explain(side(20, kernel(10, count=10)), side(26, kernel(16, count=16)))
    found = only(explained)
    assert found.cause is Cause.OPERATORS
    assert said(explained).endswith("calls that did not run before: 6 convolutions")
    assert found.delta_s == pytest.approx(0.006)


def test_operators_of_no_weight_are_not_worth_a_word() -> None:
    found = explain(side(20, REST), side(20, REST, operator_kernel("aten::view", 0.01, count=50)))
    assert found.contributions == ()


def test_an_operator_that_calls_a_library_is_not_counted_beside_its_kernels() -> None:
    hosts = (operator("aten::mkldnn_convolution", 18), operator("aten::add", 1))
    before = side(20, kernel(10), operators=hosts)
    after = side(30, kernel(20, implementation="gemm:jit"), operators=hosts[1:])
    found = only(explain(before, after))
    assert found.cause is Cause.IMPLEMENTATION
    assert found.share == pytest.approx(1.0)


def test_an_operator_with_a_row_on_one_side_alone_is_found_among_the_small_ones_of_the_other() -> None:
    small = operator("aten::add", 0.9)
    row = operator_kernel("aten::add", 1.1)
    found = explain(side(20, REST, operators=(small,)), side(20, REST, row, operators=(small,)))
    assert found.contributions == ()


def test_small_operators_have_no_more_time_than_the_kernels_leave() -> None:
    before = side(20, kernel(18))
    after = side(22, kernel(18), forward_s=0.022, operators=(operator("aten::mul", 40),))
    added, outside = explain(before, after).contributions
    assert [added.cause, outside.cause] == [Cause.OPERATORS, Cause.OUTSIDE]
    assert [added.delta_s, outside.delta_s] == pytest.approx([0.004, -0.002])


def test_the_same_kernels_each_slower() -> None:
    before = side(20, kernel(10, count=17), kernel(5, count=36, **POINTWISE))
    after = side(30, kernel(16, count=17), kernel(8, count=36, **POINTWISE))
    explained = explain(before, after)
    found = explained.contributions
    assert [f.cause for f in found] == [Cause.SAME_KERNELS, Cause.OUTSIDE]
    assert sentences(explained)[0] == (
        "90 % of the slowdown (+9.00 ms of +10.0 ms) is the same 53 calls of the same kernels, "
        "each slower, 1.60 times as long"
    )


def test_some_of_the_same_kernels_slower() -> None:
    other = kernel(4, problem="mb1_ic3")
    before = side(40, kernel(4, count=17), other, kernel(12, count=36, **POINTWISE))
    slower = dataclasses.replace(other, time_s=0.011)
    explained = explain(before, side(44, kernel(12, count=17), slower, kernel(1, count=36, **POINTWISE)))
    found = only(explained)
    assert found.cause is Cause.SAME_KERNELS
    assert "is 18 of 54 calls of the same kernels, slower; first of all brg_conv_fwd" in said(explained)
    assert said(explained).endswith(f"on {kernel().problem}")


def test_the_same_kernels_faster() -> None:
    found = said(explain(side(30, kernel(20)), side(20, kernel(10))))
    assert found.endswith("each faster, 0.50 times as long")
    assert "of the speed-up" in found


THREADS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "evidence": ({"threads": 2}, {}),
    "environment": ({}, {"environment": {"OMP_NUM_THREADS": "2"}}),
    "machine": ({}, {"machine": dataclasses.replace(MACHINE, threads=2)}),
}


@pytest.mark.parametrize("where", THREADS)
def test_another_thread_count_comes_first_and_takes_the_slower_kernels(where: str) -> None:
    in_evidence, in_measurement = THREADS[where]
    before = side(20, kernel(10, count=17), kernel(2, **POINTWISE))
    slower = side(50, kernel(19, count=17), kernel(20, **POINTWISE | {"implementation": "gemm:jit"}), **in_evidence)
    explained = explain(before, dataclasses.replace(slower, **in_measurement))
    found = explained.contributions
    assert [f.cause for f in found] == [Cause.THREADS, Cause.IMPLEMENTATION, Cause.OUTSIDE]
    assert sentences(explained)[0] == (
        "30 % of the slowdown (+9.00 ms of +30.0 ms) is 2 threads in place of 4: "
        "the same 17 calls of the same kernels, each slower, 1.90 times as long"
    )


def test_another_thread_count_that_cost_nothing_is_still_named() -> None:
    found = said(explain(side(20, REST), side(20, REST, threads=1)))
    assert found == ("1 thread in place of 4: the same 1 calls of the same kernels, as fast as before (+0.000 ms)")
