"""A worker's answer and its captured log -> Evidence. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from perfsuite.errors import EvidenceError
from perfsuite.evidence import lines as verbose
from perfsuite.evidence import mkl, onednn
from perfsuite.evidence.layers import layer_kernels, read_layers
from perfsuite.evidence.table import Pass, library_kernels, with_operators
from perfsuite.records.evidence import (
    CREATION_MARK,
    PASS_MARK,
    AmxBusy,
    Creations,
    Evidence,
    Footprint,
    GraphBreak,
    Graphs,
    Kernel,
    Library,
    Operator,
    Partition,
    Unread,
)
from perfsuite.records.machine import StackAnswers, stack_answers
from perfsuite.stats.growth import growth_bytes_per_iteration

#: Operators beyond this many, by their own time, are kept as one row: their sum (a tenth of a
#: percent of a pass at most, in every variant here).
_OPERATORS_KEPT = 60
_OTHERS = "(others)"
#: A primitive that oneDNN's cache does not hold: its operation and implementation follow the engine, in every version.
_CREATION = re.compile(CREATION_MARK + r",\w+,([\w:]+,[\w:]+)")
_CREATIONS_NAMED = 6


def build_evidence(
    answer: Mapping[str, Any], ready: Mapping[str, Any], log: str, *, artefact_bytes: int | None
) -> Evidence:
    """``answer`` and ``ready`` are what a worker said to ``observe`` and ``prepare``.

    A pass in which no library spoke has no library kernels, nor has a backend whose libraries are not asked;
    EvidenceError if a pass is missing.
    """
    lines = log.splitlines()
    whole = onednn.parse(lines)
    passes = [
        Pass(primitives=onednn.parse(part), calls=mkl.parse(part), duration_s=pass_s - answer["line_s"] * len(part))
        for part, pass_s in zip(_passes(lines, len(answer["passes_s"])), answer["passes_s"], strict=True)
    ]
    calls = mkl.parse(lines)
    operators = [
        Operator(
            name=entry["name"],
            shapes=entry["shapes"],
            dtypes=entry["dtypes"],
            count=entry["count"],
            self_time_s=entry["self_ns"] * 1e-9,
        )
        for entry in answer["operators"]
    ]
    profile, forward_s = answer["layers"], answer["forward_s"]
    kernels = with_operators(
        [
            *library_kernels(passes, answer["threads"], forward_s=forward_s),
            *(_profiled(profile, forward_s) if profile else ()),
        ],
        operators,
        model_macs=answer["model_macs"],
        forward_s=answer["forward_s"],
    )
    graphs = answer["graphs"]
    return Evidence(
        kernels=kernels,
        operators=tuple(_shortened(operators)),
        partitions=_partitions(passes[-1].primitives.partitions if passes else ()),
        graphs=graphs
        and Graphs(
            compiled=graphs["compiled"],
            breaks=tuple(GraphBreak(**entry) for entry in graphs["breaks"]),
            recompiles=tuple(graphs["recompiles"]),
            compile_s=graphs["compile_s"],
        ),
        libraries=(
            *(Library(name="oneDNN", version=header.version, isa=header.isa) for header in whole.headers),
            *calls.libraries,
            *((Library(name="OpenVINO", version=profile["version"], isa=profile["capabilities"]),) if profile else ()),
        ),
        footprint=Footprint(
            resident_bytes=answer["resident_bytes"],
            peak_rss_bytes=answer["peak_rss_bytes"],
            artefact_bytes=artefact_bytes,
            prepare_s=ready["prepare_s"],
            first_inference_s=ready["first_inference_s"],
        ),
        unread=Unread(count=whole.unread_count + len(calls.unread), samples=(*whole.unread, *calls.unread[:3])),
        amx_busy=AmxBusy(**answer["amx_busy"]),
        stack_answers=_without_paths(answer["stack_answers"]),
        model_macs=answer["model_macs"],
        forward_s=answer["forward_s"],
        threads=answer["threads"],
        creations=_creations(answer["creation_lines"]),
        growth_bytes=growth_bytes_per_iteration(answer["held_bytes"], [1] * len(answer["held_bytes"])),
    )


def _profiled(profile: Mapping[str, Any], forward_s: float) -> list[Kernel]:
    return layer_kernels(read_layers(profile["layers"]), duration_s=profile["duration_s"], forward_s=forward_s)


def _without_paths(answers: dict[str, Any]) -> StackAnswers:
    """Evidence is kept with baselines, where a machine's paths do not belong."""
    return stack_answers({**answers, "openmp_runtimes": [Path(path).name for path in answers["openmp_runtimes"]]})


def _passes(lines: Sequence[str], expected_count: int) -> list[list[str]]:
    passes: list[list[str]] = []
    for line in lines:
        # Behind what another stream left unfinished.
        if line.endswith(PASS_MARK):
            passes.append([])
        elif passes:
            passes[-1].append(line)
    if len(passes) != expected_count:
        raise EvidenceError(
            f"the observing worker's output ({len(lines)} lines) shows {len(passes)} of {expected_count} passes, "
            "so nobody knows which kernels ran; see that the folder for temporary files is not full, "
            "and run the variant again"
        )
    return passes


def _creations(lines: Sequence[str] | None) -> Creations | None:
    """None where no copy of oneDNN was asked."""
    if lines is None:
        return None
    made = Counter(found[1].replace(",", " ") for line in lines if (found := _CREATION.search(line)))
    return Creations(count=made.total(), kernels=tuple(name for name, _ in made.most_common(_CREATIONS_NAMED)))


def _partitions(partitions: Iterable[verbose.Partition]) -> tuple[Partition, ...]:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    times_s: dict[tuple[str, str], float] = defaultdict(float)
    for partition in partitions:
        # A partition of many operators may name hundreds.
        key = (partition.kind, f"{len(partition.ops)} operators")
        counts[key] += 1
        times_s[key] += partition.time_s
    return tuple(
        Partition(kind=kind, operators=operators, count=count, time_s=times_s[kind, operators])
        for (kind, operators), count in counts.items()
    )


def _shortened(operators: Sequence[Operator]) -> Iterable[Operator]:
    ordered = sorted(operators, key=lambda operator: -operator.self_time_s)
    yield from ordered[:_OPERATORS_KEPT]
    if rest := ordered[_OPERATORS_KEPT:]:
        yield Operator(
            name=_OTHERS,
            shapes="",
            dtypes="",
            count=sum(operator.count for operator in rest),
            self_time_s=sum(operator.self_time_s for operator in rest),
        )
