"""Causes beside the kernels: what TorchDynamo compiled, what lies outside, and the facts that are kept of each."""

from __future__ import annotations

import pytest
from evidence_builders import graphs, kernel, only, operator_kernel, said, side

from perfsuite.explain.causes import explain
from perfsuite.records.evidence import Graphs
from perfsuite.records.explanation import Cause, GraphChange, Outside, Setting
from perfsuite.report.sentences import note_lines

REST = kernel(8.0, operation="pooling", implementation="jit:avx512_core", macs=0)


def test_a_graph_break_takes_what_runs_between_the_graphs() -> None:
    before = side(20, REST, graphs=graphs())
    after = side(30, REST, operator_kernel("aten::add", 2, count=12), graphs=graphs("call to\nprint", compiled=2))
    explained = explain(before, after)
    found = only(explained)
    assert found.cause is Cause.GRAPH
    assert said(explained) == (
        "100 % of the slowdown (+10.0 ms of +10.0 ms) is 1 more graph break (call to print), and with it what runs "
        "outside the kernels and calls that did not run before: 12 calls of aten::add"
    )


def test_graph_breaks_gone_are_counted_too() -> None:
    before, after = side(30, REST, graphs=graphs("a", "a", "b")), side(20, REST, graphs=graphs("b"))
    assert "of the speed-up (-10.0 ms of -10.0 ms) is 2 fewer graph breaks (a)" in said(explain(before, after))


def test_a_graph_break_that_costs_nothing_is_still_named() -> None:
    explained = explain(side(20, REST, graphs=graphs()), side(20, REST, graphs=graphs("x" * 100)))
    found = only(explained)
    assert (found.cause, found.share) == (Cause.GRAPH, None)
    assert f"1 more graph break ({'x' * 77}...)" in said(explained)


def test_recompilation() -> None:
    after = side(30, REST, graphs=graphs(recompiles=("size mismatch at index 1",)))
    explained = explain(side(20, REST, graphs=graphs()), after)
    found = only(explained)
    assert found.cause is Cause.GRAPH
    assert "1 more recompilation (size mismatch at index 1)" in said(explained)


def test_more_compiled_graphs_without_a_break() -> None:
    found = said(explain(side(20, REST, graphs=graphs()), side(30, REST, graphs=graphs(compiled=3))))
    assert "3 compiled graphs in place of 1" in found


def test_a_variant_that_does_not_compile_has_no_graph_break() -> None:
    found = only(explain(side(20, REST), side(30, REST, graphs=graphs("a"))))
    assert found.cause is Cause.OUTSIDE


def test_nothing_in_the_kernels_but_the_observing_worker_saw_it() -> None:
    explained = explain(side(20, REST), side(30, REST))
    found = only(explained)
    assert found.cause is Cause.OUTSIDE
    assert said(explained) == (
        "100 % of the slowdown (+10.0 ms of +10.0 ms) is in no kernel: Python and PyTorch's own steps between them"
    )


def test_nothing_in_the_kernels_and_the_observing_worker_saw_nothing() -> None:
    explained = explain(side(20, REST), side(30, REST, forward_s=0.021))
    found = only(explained)
    assert found.cause is Cause.OUTSIDE
    assert "not in the workers whose kernels were observed: the harness, or the machine" in said(explained)


@pytest.mark.parametrize(
    ("was_ms", "now_ms", "told"),
    [
        pytest.param(8, 30, 0, id="on a faster machine"),
        pytest.param(6, 66, 1, id="the first faster, the second slower"),
        pytest.param(60, 16, 1, id="the other way round"),
    ],
)
def test_kernels_take_of_the_timed_pass_what_they_took_of_the_observed_one(was_ms: int, now_ms: int, told: int) -> None:
    before = side(16, kernel(was_ms), forward_s=was_ms * 1e-3)
    after = side(60, kernel(now_ms, implementation="gemm:jit"), forward_s=now_ms * 1e-3)
    explained = explain(before, after)
    assert only(explained).cause is Cause.IMPLEMENTATION
    assert said(explained).startswith("100 % of the slowdown (+44.0 ms of +44.0 ms) is 1 convolution that moved")
    observed = f"observed while a pass took {was_ms} ms in the first and {now_ms} ms in the second; their times"
    assert sum(observed in line for line in note_lines(explained.notes)) == told


@pytest.mark.parametrize("name", ["Torch-Compiled Region: 0/0", "CompiledFxGraph", "forward"])
def test_code_that_no_library_reports_is_outside_the_kernels(name: str) -> None:
    before, after = (
        side(whole, REST, operator_kernel(name, region), graphs=graphs()) for whole, region in ((20, 8), (30, 18))
    )
    explained = explain(before, after)
    found = only(explained)
    assert found.cause is Cause.OUTSIDE
    assert said(explained).endswith("or code that TorchDynamo's backend compiled and no library reports")


def test_a_contribution_holds_the_facts_of_its_sentence() -> None:
    threads = only(explain(side(20, REST), side(20, REST, threads=1))).threads
    assert threads == Setting(name="threads", before="4", after="1")
    after = side(30, REST, graphs=graphs("a", "a", "b", compiled=3, recompiles=("size",)))
    assert only(explain(side(20, REST, graphs=graphs("b", "c")), after)).graphs == GraphChange(
        more_breaks=("a", "a"),
        fewer_breaks=("c",),
        more_recompiles=("size",),
        fewer_recompiles=(),
        compiled_before=1,
        compiled_after=3,
    )


@pytest.mark.parametrize(
    ("seen_s", "compiled", "outside"),
    [
        (0.030, None, Outside(observed=True, compiled=False)),
        (0.021, None, Outside(observed=False, compiled=False)),
        (0.030, graphs(), Outside(observed=True, compiled=True)),
    ],
)
def test_what_is_outside_the_kernels_was_seen_or_not(seen_s: float, compiled: Graphs | None, outside: Outside) -> None:
    before = side(20, REST, graphs=compiled)
    assert only(explain(before, side(30, REST, forward_s=seen_s, graphs=compiled))).outside == outside
