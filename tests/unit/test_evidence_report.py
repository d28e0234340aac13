"""Evidence for a terminal: who does the work, on one line, in a table of variants, and in full."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from builders import ONCE_VARIANT, OTHER_VARIANT, VARIANT
from evidence_builders import FP32, REORDER, evidence, graphs, kernel, operator_kernel

from perfsuite.records.evidence import AmxBusy, Evidence, Kernel, Library, Source, Unread
from perfsuite.records.explanation import Difference, EvidenceChange, KernelChange
from perfsuite.records.isa import Isa
from perfsuite.report.evidence import change_line, change_lines, coverage_line, evidence_lines, kernel_table_lines

_AMX = kernel(4, macs=6_000, isa=Isa.AMX, implementation="brgconv:avx10_1_512_amx")
_BF16 = kernel(1, macs=3_000)
_SGEMM = kernel(
    2, macs=900, source=Source.MKL, operation="SGEMM", implementation="", isa=Isa.UNKNOWN, dtype="fp32", problem="4x5x6"
)
_UNTYPED = kernel(1, macs=2_000, dtype="", isa=Isa.UNKNOWN, operation="matmul")
_SLOW = kernel(1, macs=2_000, dtype="fp32", isa=Isa.GENERIC, implementation="ref:any", reference=True)


@pytest.mark.parametrize(
    ("kernels", "model_macs", "line"),
    [
        ([_AMX], 6_000, "bf16 100% (amx 100%)"),
        ([_SGEMM, _AMX, _BF16], 9_900, "bf16 91% (amx 67%, avx512-bf16 33%), fp32 9% (no instruction set stated)"),
        ([_AMX], 8_000, "bf16 75% (amx 100%), unattributed 25%"),
        ([_AMX, _UNTYPED], 8_000, "bf16 75% (amx 100%), untyped 25% (no instruction set stated)"),
        ([_AMX, _SLOW], 8_000, "bf16 75% (amx 100%), fp32 25% (generic 100%), reference kernels 25.0%"),
        ([_AMX, dataclasses.replace(_SLOW, macs=0)], 6_000, "bf16 100% (amx 100%), reference kernels 20.0%"),
        # Less than would be rounded to a percent: of types, of instruction sets, of what nobody accounts for.
        ([_AMX, kernel(1, macs=29, dtype="fp32"), kernel(1, macs=29)], 6_080, "bf16 99% (amx 100%)"),
        ([], 100, "unattributed 100%"),
        ([_AMX, dataclasses.replace(_BF16, isa=Isa.UNKNOWN)], 9_000, "bf16 100% (amx 67%, unstated 33%)"),
        ([kernel(1, **REORDER)], 0, "no multiply-accumulates"),
    ],
    ids=[
        "one",
        "two-types",
        "unattributed",
        "untyped",
        "reference-work",
        "reference-time",
        "tiny",
        "none",
        "partly-stated",
        "no-product",
    ],
)
def test_who_does_the_work(kernels: list[Kernel], model_macs: int, line: str) -> None:
    forward_s = sum(one.time_s for one in kernels) or 0.01
    assert coverage_line(evidence(kernels, model_macs=model_macs, forward_s=forward_s)) == line


def test_a_line_for_each_variant_under_one_heading() -> None:
    whole = evidence([_AMX], model_macs=6_000)
    broken = dataclasses.replace(
        whole,
        graphs=graphs("print", "print", recompiles=("size",)),
        unread=Unread(count=3, samples=("onednn_verbose,",)),
    )
    assert evidence_lines([(VARIANT, whole), (OTHER_VARIANT, broken)]) == [
        f"{'variant':39}  model MB  peak MB  multiply-accumulates by type (and instruction set)",
        "resnet50-ipex-torchscript-bf16-latency        134      268  bf16 100% (amx 100%)",
        "bert-base-ipex-torchscript-bf16-latency       134      268  bf16 100% (amx 100%); "
        "graph breaks 2, recompiles 1; 3 lines not understood",
    ]


def test_graphs_without_breaks_are_not_mentioned() -> None:
    (_, line) = evidence_lines([(VARIANT, evidence([_AMX], model_macs=6_000, graphs=graphs()))])
    assert line.endswith("bf16 100% (amx 100%)")
    (_, line) = evidence_lines([(VARIANT, evidence([_AMX], model_macs=6_000, graphs=graphs(recompiles=("size",))))])
    assert line.endswith("; graph breaks 0, recompiles 1")


def _change(kind: Difference, subject: str, before: float, after: float) -> EvidenceChange:
    return EvidenceChange(kind=kind, subject=subject, before=before, after=after)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            EvidenceChange(
                kind=Difference.MOVED,
                changes=(KernelChange(before=kernel(1), after=kernel(1, **FP32)),),
            ),
            "1 convolution that moved from brg_conv_fwd:avx512_core_bf16 (bf16) to jit:avx512_core (fp32): bf16 lost",
        ),
        (
            EvidenceChange(
                kind=Difference.MOVED,
                changes=(KernelChange(before=kernel(1), after=kernel(1, isa=Isa.AVX512)),),
            ),
            "1 convolution that moved from brg_conv_fwd:avx512_core_bf16 (avx512-bf16) "
            "to brg_conv_fwd:avx512_core_bf16 (avx512)",
        ),
        (
            EvidenceChange(kind=Difference.ONE_SIDED, changes=(KernelChange(before=None, after=kernel(1)),)),
            "kernels that did not run before: 1 convolution",
        ),
        (
            EvidenceChange(kind=Difference.ONE_SIDED, changes=(KernelChange(before=kernel(1), after=None),)),
            "kernels that no longer run: 1 convolution",
        ),
        (_change(Difference.SHARE, "bf16", 1.0, 0.994), "bf16 does 99.4% of the work, was 100.0%"),
        (_change(Difference.SHARE, "", 0.0, 0.5), "an unknown type does 50.0% of the work, was 0.0%"),
        (_change(Difference.BREAKS, "print", 1, 3), "2 new graph breaks: print"),
        (_change(Difference.BREAKS, "print", 1, 0), "1 graph breaks fewer: print"),
        (_change(Difference.RECOMPILES, "", 1, 2), "2 recompiles, was 1"),
        (_change(Difference.SIZE, "resident_bytes", 1e8, 2e8), "the prepared model takes 200 MB, was 100 MB"),
        (_change(Difference.SIZE, "peak_rss_bytes", 5e8, 5.5e8), "peak memory takes 550 MB, was 500 MB"),
        (_change(Difference.SIZE, "artefact_bytes", 4e7, 3e7), "the artefact takes 30 MB, was 40 MB"),
    ],
)
def test_a_change_in_words(change: EvidenceChange, line: str) -> None:
    assert change_line(change) == line


def test_changes_by_variant_and_how_many_have_none() -> None:
    lost = (_change(Difference.SHARE, "bf16", 1.0, 0.0), _change(Difference.RECOMPILES, "", 1, 2))
    assert change_lines({VARIANT: (), OTHER_VARIANT: lost, ONCE_VARIANT: ()}) == [
        "as in the baseline: 2 of 3",
        f"{OTHER_VARIANT.id}: bf16 does 0.0% of the work, was 100.0%",
        f"{OTHER_VARIANT.id}: 2 recompiles, was 1",
    ]


def _whole() -> Evidence:
    return evidence(
        [_AMX, dataclasses.replace(_AMX, problem="mb1_ic1", time_s=0.002, count=3), _SGEMM, kernel(1, **REORDER)],
        model_macs=15_000_000_000,
        forward_s=0.01,
        libraries=(Library(name="oneDNN", version="3.7.1", isa="Intel AMX"),),
    )


def test_one_variant_in_full() -> None:
    assert kernel_table_lines(VARIANT, _whole()) == [
        f"{VARIANT.id}: 10 ms a pass, 15G MACs",
        "  oneDNN 3.7.1: Intel AMX",
        " calls      time     MACs  type  ISA          kernel",
        "     4      6 ms      12k  bf16  amx          convolution brgconv:avx10_1_512_amx, 2 shapes",
        "     1      2 ms      900  fp32               SGEMM (MKL)",
        "     1      1 ms        0  bf16  avx512-bf16  reorder jit:uni",
        "work: unattributed 100%",
        "time: bf16 amx 60%, fp32 unstated 20%, without multiply-accumulates 10%, unattributed 10%",
        "prepared in 0.3 s, first inference 400 ms, model 134 MB, peak 268 MB",
        "exe.amx_busy: not readable (no PMU)",
    ]


def test_what_only_some_variants_have() -> None:
    whole = dataclasses.replace(
        _whole(),
        graphs=graphs("print", "print", "branch", compiled=4, recompiles=("size",)),
        amx_busy=AmxBusy(cycles=1_234_567),
        unread=Unread(count=3, samples=("onednn_verbose,v1", "onednn_verbose,")),
        footprint=dataclasses.replace(_whole().footprint, artefact_bytes=25_000_000),
    )
    assert kernel_table_lines(VARIANT, whole)[-6:] == [
        "graphs: 4 compiled in 1.0 s, 3 breaks, 1 recompiles",
        "  break (2): print",
        "  break (1): branch",
        "prepared in 0.3 s, first inference 400 ms, model 134 MB, peak 268 MB, artefact 25 MB",
        "exe.amx_busy: 1,234,567 cycles",
        "3 lines not understood, such as: onednn_verbose,v1",
    ]


def test_shares_of_time_that_would_be_nothing_are_left_out() -> None:
    whole = evidence([_AMX, dataclasses.replace(_UNTYPED, time_s=0.00001)], model_macs=8_000)
    (line,) = [line for line in kernel_table_lines(VARIANT, whole) if line.startswith("time: ")]
    assert line == "time: bf16 amx 100%, without multiply-accumulates 0%, unattributed 0%"
    (line,) = [line for line in kernel_table_lines(VARIANT, evidence([_UNTYPED])) if line.startswith("time: ")]
    assert line.startswith("time: untyped unstated 100%, without")
    (line,) = [line for line in kernel_table_lines(VARIANT, evidence(forward_s=1.0)) if line.startswith("time: ")]
    assert line == "time: without multiply-accumulates 0%, unattributed 100%"


def test_kinds_beyond_the_twelfth_are_one_line() -> None:
    kinds = [operator_kernel(f"aten::op{index}", 20 - index, count=2) for index in range(15)]
    lines = kernel_table_lines(VARIANT, evidence(kinds))
    assert "aten::op11 (operator)" in lines[13]
    assert lines[14] == "     6     21 ms           3 more kinds"
    assert not any("op12" in line for line in lines)


@pytest.mark.parametrize(
    "other",
    [{"implementation": "gemm:jit"}, {"operation": "matmul"}, {"source": Source.MKL}, {"dtype": "fp32"}],
    ids=str,
)
def test_only_shapes_are_merged(other: dict[str, Any]) -> None:
    lines = kernel_table_lines(VARIANT, evidence([kernel(), kernel(problem="other"), kernel(**other)]))
    assert [line.split()[0] for line in lines[2:4]] == ["2", "1"]


@pytest.mark.parametrize(
    ("macs", "text"), [(999, "999"), (1_000, "1k"), (4_089_184_256, "4.09G"), (115_605_504, "116M"), (0, "0")]
)
def test_counts_have_three_figures(macs: int, text: str) -> None:
    assert kernel_table_lines(VARIANT, evidence([kernel()], model_macs=macs))[0].endswith(f", {text} MACs")
