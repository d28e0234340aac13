"""The table of both sides' kernels: what stands beside what, what is counted alone, and at whose pace."""

from __future__ import annotations

import dataclasses

from builders import replicate
from evidence_builders import FP32, POINTWISE, REORDER, evidence, kernel, operator_kernel

from perfsuite.records.measurement import Block, Load
from perfsuite.report.page.chapter import Names, Side
from perfsuite.report.page.kernels import kernel_table

NAMES = Names(before="baseline", after="this run")


def test_kernels_stand_beside_each_other_with_what_moved() -> None:
    before = Side(evidence=evidence([kernel(6.0, count=36), kernel(3.0, **POINTWISE), kernel(0.2, **REORDER)]))
    after = Side(evidence=evidence([kernel(14.0, count=36, **FP32), kernel(3.1, **POINTWISE)]))
    table = kernel_table(before, after, NAMES)
    assert table is not None
    assert [(row.head, row.note, row.cells) for row in table.rows] == [
        (
            "convolution",
            "moved",
            ("brg_conv_fwd:avx512_core_bf16 (bf16)", "jit:avx512_core (fp32)", "36", "6.000", "14.000", "+8.000"),
        ),
        ("reorder", "gone", ("jit:uni", "—", "1 → 0", "0.200", "—", "-0.200")),
        ("convolution", "", ("brgconv_1x1:avx512_core_bf16", "same", "1", "3.000", "3.100", "+0.100")),
    ]
    assert table.lines[0].startswith("baseline: bf16 100%")


def test_rare_kernels_are_counted_and_what_moved_is_never_among_them() -> None:
    many = [kernel(9.0 + number, implementation=f"jit:{number}", problem=f"mb{number}") for number in range(40)]
    was = [*many, kernel(0.001, implementation="old", problem="last")]
    now = [
        *(dataclasses.replace(one, time_s=2 * one.time_s) for one in many),
        kernel(0.001, implementation="new", problem="last"),
    ]
    table = kernel_table(Side(evidence=evidence(was)), Side(evidence=evidence(now)), NAMES)
    assert table is not None
    assert table.rows[-1].head == "17 more kinds"
    assert [row.cells[:2] for row in table.rows if row.note == "moved"] == [("old", "new")]
    small = [kernel(100.0), kernel(0.09, implementation="small", problem="small")]
    gone = [*small, operator_kernel("aten::view", 0.01)]
    hidden = kernel_table(Side(evidence=evidence(gone)), Side(evidence=evidence(small)), NAMES)
    assert hidden is not None
    assert [row.head for row in hidden.rows] == ["convolution", "2 more kinds"]
    alone = kernel_table(None, Side(evidence=evidence(was)), NAMES)
    assert alone is not None
    assert alone.title == "Kernels of a pass, this run alone"
    assert alone.rows[-1].head == "17 more kinds"
    assert kernel_table(Side(), Side(), NAMES) is None


def test_kernels_are_at_the_pace_of_what_was_timed() -> None:
    seen = (evidence([kernel(6.0)], forward_s=0.01), evidence([kernel(9.0, **FP32)], forward_s=0.01))
    before, after = (
        Side(replicates=(replicate(latency_ns),), evidence=one)
        for latency_ns, one in zip((20_000_000, 10_000_000), seen, strict=True)
    )
    table = kernel_table(before, after, NAMES)
    assert table is not None
    assert [row.cells[2:] for row in table.rows] == [("1", "12.000", "9.000", "-3.000")]


def test_kernels_of_one_of_several_instances_are_at_the_pace_of_a_pass_under_their_load() -> None:
    """Two that start together: for each pass that either makes it takes half of what a pass takes."""
    load = Load(window_ns=40_000_000, passes=(2.0, 2.0), items=1)
    two = dataclasses.replace(replicate(), blocks=(Block(latencies_ns=(20_000_000,) * 4, load=load),))
    side = Side(replicates=(two,), evidence=evidence([kernel(6.0)], forward_s=0.01))
    table = kernel_table(side, side, NAMES)
    assert table is not None
    assert [row.cells[3] for row in table.rows] == ["12.000"]
