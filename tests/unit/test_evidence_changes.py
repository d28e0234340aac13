"""What differs between two evidences of a variant: kernels, coverage, graphs, sizes; never times."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from evidence_builders import FP32, POINTWISE, REORDER, evidence, graphs, kernel, operator_kernel

from perfsuite.explain.changes import evidence_changes
from perfsuite.records.evidence import Evidence, Footprint, Graphs
from perfsuite.records.explanation import Difference, EvidenceChange, KernelChange
from perfsuite.records.isa import Isa

_MATMUL: dict[str, Any] = {"operation": "matmul", "problem": "8x16:16x24", "macs": 115_605_504}


def _pass(*kernels: Any, **changes: Any) -> Evidence:
    return evidence(kernels, **{"model_macs": sum(one.macs or 0 for one in kernels), **changes})


def test_the_same_kernels_at_other_times_are_no_change() -> None:
    before = _pass(kernel(1), kernel(2, **POINTWISE), operator_kernel("aten::add", 3), graphs=graphs("print"))
    after = _pass(kernel(9), kernel(1, **POINTWISE), operator_kernel("aten::add", 1), graphs=graphs("print"))
    assert evidence_changes(before, after) == ()


def test_kernels_that_moved_and_the_type_that_was_lost() -> None:
    before, after = kernel(1), kernel(1, **FP32)
    assert evidence_changes(_pass(before), _pass(after)) == (
        EvidenceChange(kind=Difference.MOVED, changes=(KernelChange(before=before, after=after),)),
        EvidenceChange(kind=Difference.SHARE, subject="bf16", before=1.0, after=0.0),
        EvidenceChange(kind=Difference.SHARE, subject="fp32", before=0.0, after=1.0),
    )


@pytest.mark.parametrize("changes", [{"implementation": "gemm:jit"}, {"isa": Isa.AVX512}], ids=str)
def test_another_implementation_or_instruction_set(changes: dict[str, Any]) -> None:
    (found,) = evidence_changes(_pass(kernel(1)), _pass(kernel(1, **changes)))
    assert found.kind is Difference.MOVED


def test_work_that_came_or_went() -> None:
    before, after = _pass(kernel(1)), _pass(kernel(1), kernel(1, **_MATMUL))
    matmul = kernel(1, **_MATMUL)
    for sides, change in (
        ((before, after), KernelChange(before=None, after=matmul)),
        ((after, before), KernelChange(before=matmul, after=None)),
    ):
        assert evidence_changes(*sides) == (EvidenceChange(kind=Difference.ONE_SIDED, changes=(change,)),)


def test_what_multiplies_nothing_comes_and_goes() -> None:
    before = _pass(kernel(1), kernel(1, **REORDER))
    after = _pass(kernel(1), operator_kernel("aten::copy_"))
    assert evidence_changes(before, after) == ()


@pytest.mark.parametrize(("bf16", "changed"), [(996, False), (994, True)])
def test_a_share_that_moves_by_rounding_is_no_change(bf16: int, changed: bool) -> None:
    before, after = (_pass(kernel(1, macs=macs), model_macs=1000) for macs in (1000, bf16))
    change = EvidenceChange(kind=Difference.SHARE, subject="bf16", before=1.0, after=0.994)
    assert evidence_changes(before, after) == ((change,) if changed else ())


def test_work_without_a_type() -> None:
    before, after = _pass(kernel(1)), _pass(kernel(1), kernel(1, dtype="", **_MATMUL))
    assert evidence_changes(before, after)[1:] == (
        EvidenceChange(kind=Difference.SHARE, subject="bf16", before=1.0, after=0.5),
        EvidenceChange(kind=Difference.SHARE, subject="", before=0.0, after=0.5),
    )


def _breaks(reason: str, before: int, after: int) -> EvidenceChange:
    return EvidenceChange(kind=Difference.BREAKS, subject=reason, before=before, after=after)


def _recompiles(before: int, after: int) -> EvidenceChange:
    return EvidenceChange(kind=Difference.RECOMPILES, before=before, after=after)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (
            graphs("print", "branch", "branch"),
            graphs("print", "print", "branch"),
            (_breaks("print", 1, 2), _breaks("branch", 2, 1)),
        ),
        (graphs(recompiles=("size",)), graphs(recompiles=("size", "dtype")), (_recompiles(1, 2),)),
        (None, graphs("print", recompiles=("size",)), (_breaks("print", 0, 1), _recompiles(0, 1))),
        (graphs("print", recompiles=("size",)), None, (_breaks("print", 1, 0), _recompiles(1, 0))),
    ],
    ids=["breaks by reason, new ones first", "recompiles", "only after", "only before"],
)
def test_graphs(before: Graphs | None, after: Graphs | None, changes: tuple[EvidenceChange, ...]) -> None:
    assert evidence_changes(_pass(graphs=before), _pass(graphs=after)) == changes


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
    ("changes", "sizes"),
    [
        ({"resident_bytes": 200_000_000}, {"resident_bytes"}),
        ({"resident_bytes": 90_000_000}, {"resident_bytes"}),
        ({"peak_rss_bytes": 550_000_000}, {"peak_rss_bytes"}),
        ({"artefact_bytes": 30_000_000}, {"artefact_bytes"}),
        ({"resident_bytes": 109_000_000, "peak_rss_bytes": 460_000_000}, set()),
        ({"artefact_bytes": None}, set()),
        ({"resident_bytes": 0}, set()),
        ({"prepare_s": 9.0, "first_inference_s": 9.0}, set()),
    ],
)
def test_sizes(changes: dict[str, Any], sizes: set[str]) -> None:
    found = evidence_changes(_sized(), _sized(**changes))
    assert {change.subject for change in found} == sizes
    for change in found:
        assert (change.kind, change.before) == (Difference.SIZE, getattr(_FOOT, change.subject))
        assert change.after == changes[change.subject]
    assert len(evidence_changes(_sized(**changes), _sized())) == len(sizes)
