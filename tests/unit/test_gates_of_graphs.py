"""The gate: what TorchDynamo compiled, and where it broke."""

from __future__ import annotations

import dataclasses

import pytest
from evidence_builders import graphs
from test_gates import BF16, conv, objections, ran

from perfsuite.records.isa import Isa
from perfsuite.records.violation import Kind, Violation

COMPILED = dataclasses.replace(BF16, least_compiled_graphs=1)


def test_graph_breaks_beyond_the_accepted() -> None:
    seen = ran(conv(100, Isa.AMX), graphs=graphs("branch", "print", "print"))
    assert objections(seen) == (Violation(kind=Kind.GRAPH_BREAKS, expected=0, found=3, where=("print", "branch")),)
    assert objections(seen, dataclasses.replace(BF16, graph_breaks=2)) != ()
    assert objections(seen, dataclasses.replace(BF16, graph_breaks=3)) == ()


@pytest.mark.parametrize(
    ("environ", "variable", "why"),
    [
        ({}, "", ""),
        ({"TORCHDYNAMO_DISABLE": "0"}, "", ""),
        ({"TORCHDYNAMO_DISABLE": "1"}, "TORCHDYNAMO_DISABLE", "switched off by TORCHDYNAMO_DISABLE=1"),
        ({"TORCH_COMPILE_DISABLE": "1"}, "TORCH_COMPILE_DISABLE", "switched off by TORCH_COMPILE_DISABLE=1"),
    ],
)
def test_a_compiled_mode_that_compiled_nothing(environ: dict[str, str], variable: str, why: str) -> None:
    expected = Violation(kind=Kind.COMPILED_GRAPHS, expected=1, found=0, why=why, variable=variable)
    for none in (None, graphs(compiled=0)):
        assert objections(ran(conv(100, Isa.AMX), graphs=none), COMPILED, environ=environ) == (expected,)
    assert objections(ran(conv(100, Isa.AMX), graphs=graphs()), COMPILED, environ=environ) == ()
