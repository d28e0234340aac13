"""What differs between two evidences of a variant: kernels, coverage, graphs, sizes; never times."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from evidence_builders import FP32, POINTWISE, REORDER, evidence, graphs, kernel, operator_kernel

from perfsuite.explain.changes import evidence_changes
from perfsuite.records.evidence import Evidence, Footprint
from perfsuite.records.isa import Isa

_MATMUL: dict[str, Any] = {"operation": "matmul", "problem": "8x16:16x24", "macs": 115_605_504}


def _pass(*kernels: Any, **changes: Any) -> Evidence:
    return evidence(kernels, **{"model_macs": sum(one.macs or 0 for one in kernels), **changes})


def test_the_same_kernels_at_other_times_are_no_change() -> None:
    before = _pass(kernel(1), kernel(2, **POINTWISE), operator_kernel("aten::add", 3), graphs=graphs("print"))
    after = _pass(kernel(9), kernel(1, **POINTWISE), operator_kernel("aten::add", 1), graphs=graphs("print"))
    assert evidence_changes(before, after) == ()


def test_kernels_that_moved_and_the_type_that_was_lost() -> None:
    moved, *shares = evidence_changes(_pass(kernel(1)), _pass(kernel(1, **FP32)))
    assert "from brg_conv_fwd:avx512_core_bf16 (bf16) to jit:avx512_core (fp32)" in moved
    assert shares == [
        "bf16 does 0.0% of the work, was 100.0%",
        "fp32 does 100.0% of the work, was 0.0%",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"implementation": "gemm:jit"}, "from brg_conv_fwd:avx512_core_bf16 to gemm:jit"),
        (
            {"isa": Isa.AVX512},
            "from brg_conv_fwd:avx512_core_bf16 (avx512-bf16) to brg_conv_fwd:avx512_core_bf16 (avx512)",
        ),
    ],
)
def test_another_implementation_or_instruction_set(changes: dict[str, Any], words: str) -> None:
    (sentence,) = evidence_changes(_pass(kernel(1)), _pass(kernel(1, **changes)))
    assert words in sentence


def test_work_that_came_or_went() -> None:
    before, after = _pass(kernel(1)), _pass(kernel(1), kernel(1, **_MATMUL))
    (came,), (went,) = evidence_changes(before, after), evidence_changes(after, before)
    assert "did not run before: 1 matmul" in came
    assert "no longer run: 1 matmul" in went


def test_what_multiplies_nothing_comes_and_goes() -> None:
    before = _pass(kernel(1), kernel(1, **REORDER))
    after = _pass(kernel(1), operator_kernel("aten::copy_"))
    assert evidence_changes(before, after) == ()


@pytest.mark.parametrize(("bf16", "changed"), [(996, False), (994, True)])
def test_a_share_that_moves_by_rounding_is_no_change(bf16: int, changed: bool) -> None:
    before, after = (_pass(kernel(1, macs=macs), model_macs=1000) for macs in (1000, bf16))
    assert evidence_changes(before, after) == (("bf16 does 99.4% of the work, was 100.0%",) if changed else ())


def test_work_without_a_type() -> None:
    before, after = _pass(kernel(1)), _pass(kernel(1), kernel(1, dtype="", **_MATMUL))
    assert evidence_changes(before, after)[1:] == (
        "bf16 does 50.0% of the work, was 100.0%",
        "an unknown type does 50.0% of the work, was 0.0%",
    )


def test_graph_breaks_by_reason() -> None:
    before, after = _pass(graphs=graphs("print", "branch", "branch")), _pass(graphs=graphs("print", "print", "branch"))
    assert evidence_changes(before, after) == ("1 new graph breaks: print", "1 graph breaks fewer: branch")


def test_recompiles_are_counted() -> None:
    before, after = _pass(graphs=graphs(recompiles=("size",))), _pass(graphs=graphs(recompiles=("size", "dtype")))
    assert evidence_changes(before, after) == ("2 recompiles, was 1",)


def test_graphs_on_one_side_alone() -> None:
    broken = _pass(graphs=graphs("print", recompiles=("size",)))
    assert evidence_changes(_pass(), broken) == ("1 new graph breaks: print", "1 recompiles, was 0")
    assert evidence_changes(broken, _pass()) == ("1 graph breaks fewer: print", "0 recompiles, was 1")


_FOOT = Footprint(
    resident_bytes=100_000_000,
    peak_rss_bytes=500_000_000,
    artefact_bytes=40_000_000,
    prepare_s=1.0,
    first_inference_s=1.0,
)


def _sized(**changes: Any) -> Evidence:
    return _pass(footprint=dataclasses.replace(_FOOT, **changes))


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({"resident_bytes": 200_000_000}, ("the prepared model takes 200 MB, was 100 MB",)),
        ({"resident_bytes": 90_000_000}, ("the prepared model takes 90 MB, was 100 MB",)),
        ({"peak_rss_bytes": 550_000_000}, ("peak memory takes 550 MB, was 500 MB",)),
        ({"artefact_bytes": 30_000_000}, ("the artefact takes 30 MB, was 40 MB",)),
        ({"resident_bytes": 109_000_000, "peak_rss_bytes": 460_000_000}, ()),
        ({"artefact_bytes": None}, ()),
        ({"resident_bytes": 0}, ()),
        ({"prepare_s": 9.0, "first_inference_s": 9.0}, ()),
    ],
)
def test_sizes(changes: dict[str, Any], sentences: tuple[str, ...]) -> None:
    assert evidence_changes(_sized(), _sized(**changes)) == sentences
    assert len(evidence_changes(_sized(**changes), _sized())) == len(sentences)
