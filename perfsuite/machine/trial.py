"""What small matrix products in the stack showed: each copy of oneDNN, and the kernels it chose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perfsuite.evidence.onednn import parse
from perfsuite.records.machine import OneDnn, Product, Trial


def read_trial(answer: Mapping[str, Any]) -> Trial:
    """The probe's trial as a record; raises KeyError or TypeError if it is not whole."""
    lines: dict[str, list[str]] = {}
    for said in answer["products"]:
        lines.setdefault(said["library"], []).extend(said["lines"])
    # A copy prints its header once, before its first line.
    headers = {library: parse(printed).headers[:1] for library, printed in lines.items()}
    return Trial(
        copies=tuple(
            OneDnn(library=library, version=header.version, isa=header.isa)
            for library, first in headers.items()
            for header in first
        ),
        products=tuple(
            Product(
                library=said["library"],
                dtype=said["dtype"],
                implementations=_implementations(said["lines"]),
                error=said["error"],
            )
            for said in answer["products"]
        ),
        amx_busy_cycles=answer["amx_busy"]["cycles"],
        amx_busy_reason=answer["amx_busy"]["reason"],
    )


def _implementations(lines: list[str]) -> tuple[str, ...]:
    """What multiplied: reorders have no multiply-accumulates; a kernel without a name goes by its kind."""
    multiplied = (one for one in parse(lines).primitives if one.macs != 0)
    return tuple(dict.fromkeys(one.implementation or one.kind for one in multiplied))
