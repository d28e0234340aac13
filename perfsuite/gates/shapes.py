"""What a variant must keep over its life, one shape after another: its graphs, its primitives, its memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from perfsuite.gates.expectations import Expectation
from perfsuite.records.evidence import Evidence
from perfsuite.records.violation import Kind, Violation

#: The variable that limits how many primitives oneDNN keeps, 1024 if it is not set.
_CAPACITY = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"


def shape_violations(evidence: Evidence, expected: Expectation, environ: Mapping[str, str]) -> Iterator[Violation]:
    """What is compiled, made or kept anew at shapes that were seen before, or too often at new ones."""
    recompiles = evidence.recompiles
    frames = evidence.compiled_graphs - len(recompiles)
    if len(recompiles) > expected.recompilations * frames:
        yield Violation(
            kind=Kind.RECOMPILATIONS,
            expected=int(expected.recompilations * frames),
            found=len(recompiles),
            where=tuple(dict.fromkeys(recompiles)),
        )
    made = evidence.creations
    if made and made.count:
        capacity = environ.get(_CAPACITY)
        yield Violation(
            kind=Kind.CREATIONS,
            expected=0,
            found=made.count,
            where=made.kernels,
            why=f"{_CAPACITY}={capacity}: oneDNN keeps so many, and forgets the rest" if capacity else "",
            variable=_CAPACITY if capacity else "",
        )
    if evidence.growth_bytes is not None and evidence.growth_bytes > expected.most_growth_bytes:
        yield Violation(kind=Kind.MEMORY_GROWTH, expected=expected.most_growth_bytes, found=evidence.growth_bytes)
