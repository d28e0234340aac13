"""One shape after another: what is compiled, made or kept anew, and is not to be."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from builders import VARIANT
from evidence_builders import evidence, graphs

from perfsuite.gates.expectations import expectation
from perfsuite.gates.shapes import shape_violations
from perfsuite.models.base import Reads
from perfsuite.records.evidence import Creations
from perfsuite.records.violation import Kind
from perfsuite.report.violations import violation_lines

MIXED = expectation(dataclasses.replace(VARIANT, workload="mixed"), Reads.TEXT)
LATENCY = expectation(VARIANT, Reads.TEXT)
TWICE = dataclasses.replace(graphs(), compiled=3, recompiles=("forward: size 1", "forward: size 2"))
THRICE = dataclasses.replace(TWICE, compiled=4, recompiles=("forward: size 1", "forward: size 2", "forward: size 2"))
MADE = Creations(count=71, kernels=("matmul brg_matmul:avx10_1_512_amx", "reorder jit:uni"))
CAPPED = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16"}


@pytest.mark.parametrize(
    ("expected", "seen", "environ", "said"),
    [
        pytest.param(MIXED, {"graphs": TWICE}, {}, [], id="one for sizes, one for a batch of one"),
        pytest.param(
            MIXED,
            {"graphs": THRICE},
            {},
            ["3 recompilations as shapes change, at most 2 accepted (forward: size 1; forward: size 2)"],
            id="one more",
        ),
        pytest.param(MIXED, {"graphs": dataclasses.replace(THRICE, compiled=5)}, {}, [], id="of two frames"),
        pytest.param(LATENCY, {"graphs": THRICE}, {}, [], id="at one shape graph breaks tell"),
        pytest.param(MIXED, {"creations": Creations(count=0, kernels=())}, CAPPED, [], id="a small cache is enough"),
        pytest.param(
            LATENCY,
            {"creations": MADE},
            {},
            [
                "oneDNN makes 71 primitives anew in a pass over shapes that it has seen (matmul "
                "brg_matmul:avx10_1_512_amx; reorder jit:uni)"
            ],
            id="nobody knows why",
        ),
        pytest.param(
            MIXED,
            {"creations": MADE},
            CAPPED,
            [
                "oneDNN makes 71 primitives anew in a pass over shapes that it has seen (matmul "
                "brg_matmul:avx10_1_512_amx; reorder jit:uni): ONEDNN_PRIMITIVE_CACHE_CAPACITY=16: oneDNN keeps so "
                "many, and forgets the rest"
            ],
            id="a small cache",
        ),
        pytest.param(MIXED, {"growth_bytes": 65536.0}, {}, [], id="as much as it may"),
        pytest.param(
            MIXED,
            {"growth_bytes": 8.0 * (1 << 20)},
            {},
            ["memory grows by 8192 KiB a pass over all shapes, at most 64 KiB accepted"],
            id="a leak",
        ),
    ],
)
def test_life(expected: Any, seen: dict[str, Any], environ: dict[str, str], said: list[str]) -> None:
    found = tuple(shape_violations(evidence(**seen), expected, environ))
    assert violation_lines(found) == said
    assert all(violation.variable in environ for violation in found if violation.variable)
    assert [violation.kind for violation in found if violation.variable] == [Kind.CREATIONS] * bool(said and environ)
