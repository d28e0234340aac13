"""Reading ``expected.toml``: what is expected of a variant's kernels, each with its source."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from perfsuite.errors import PerfsuiteError
from perfsuite.kernel_limits import KernelLimits
from perfsuite.match import Match, variant_facts
from perfsuite.models.base import Reads
from perfsuite.spec import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the kernels of some variants must show.

    ``dtype`` must read at least ``least_share`` of the multiply-accumulates, and of those at least
    ``least_best_isa_share`` must run on the best instruction set that the machine offers. An empty
    ``dtype`` asks nothing, and ``known`` then says what the variant does not do; a share of 0 asks
    for no instruction set, where a library does not tell. Of a compiled mode TorchDynamo must have
    compiled at least ``least_compiled_graphs``, and each frame at most so many ``recompilations`` more, for shapes
    that differ; a pass may keep ``most_growth_bytes`` of memory where its shapes do.
    """

    dtype: str
    least_share: float
    least_best_isa_share: float
    most_reference_share: float
    graph_breaks: int
    least_compiled_graphs: int
    recompilations: float
    most_growth_bytes: int
    known: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    match: Match
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    default: Mapping[str, Any]
    expected: tuple[_Entry, ...]
    compiled: tuple[_Entry, ...]
    shapes: tuple[_Entry, ...]


def expectation(variant: Variant, reads: Reads, own: KernelLimits | None = None) -> Expectation:
    """The first entry that fits the variant, and over it the user's ``own``; PerfsuiteError if there is none."""
    facts = {**variant_facts(variant), "reads": reads.value}
    document = _document()
    entry = next((entry for entry in document.expected if entry.match.fits(facts)), None)
    if entry is None:
        raise PerfsuiteError(
            f"{variant.id}: nothing is expected of its kernels; add an entry to perfsuite/gates/expected.toml"
        )
    compiled, shapes = (
        {name: value for name, value in found.items() if name not in ("source", "known")}
        for found in (_first(document.compiled, facts), _first(document.shapes, facts))
    )
    fields = {**document.default, **entry.fields, **compiled, **shapes}
    return Expectation(**{**fields, **({**own.fields, "source": own.reason} if own else {})})


def _first(entries: tuple[_Entry, ...], facts: Mapping[str, str]) -> Mapping[str, Any]:
    return next((entry.fields for entry in entries if entry.match.fits(facts)), {})


@functools.cache
def _document() -> _Document:
    document = tomllib.loads(resources.files(__package__).joinpath("expected.toml").read_text(encoding="utf-8"))
    return _Document(
        default=document["default"],
        expected=tuple(map(_entry, document["expect"])),
        compiled=tuple(map(_entry, document["compiled"])),
        shapes=tuple(map(_entry, document["shapes"])),
    )


def _entry(entry: Mapping[str, Any]) -> _Entry:
    accepted = {name: tuple(values) for name, values in entry.get("match", {}).items()}
    return _Entry(
        match=Match(accepted=accepted), fields={name: value for name, value in entry.items() if name != "match"}
    )
