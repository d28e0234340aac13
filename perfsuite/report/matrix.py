"""The matrix of variants, for a terminal or as JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from perfsuite.backends import BACKENDS
from perfsuite.report.text import support_note, support_word
from perfsuite.spec import PUBLISHED, WORKLOADS, Mode, Precision, Shape, Support

if TYPE_CHECKING:
    from perfsuite.models.base import Model
    from perfsuite.records.measurement import Stack

_STYLES = {"yes": "green", "no": "red"}


def print_matrix(models: Mapping[str, Model], stack: Stack, flags: Collection[str], *, as_json: bool) -> None:
    """Every model x backend x mode x precision, with the reason or caveat; then the workloads' shapes."""
    cells = _cells(models, stack, flags)
    if as_json:
        print(json.dumps([_as_dict(*cell) for cell in cells], indent=1))
        return
    console = Console()
    console.print(f"stack {stack.slug}, Python {stack.python}; * marks ipex's published example scripts")
    table = Table(
        "model",
        "backend",
        "mode",
        *(precision.value for precision in Precision),
        box=SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
    )
    notes: dict[str, int] = {}
    rows: dict[tuple[str, str, str], list[str]] = {}
    for model, backend, mode, precision, support in cells:
        note = support.reason or support_note(support)
        mark = f" [{notes.setdefault(note, len(notes) + 1)}]" if note else ""
        star = "*" if backend == "ipex" and (model, mode, precision) in PUBLISHED else ""
        word = support_word(support)
        text = f"[{_STYLES.get(word, 'yellow')}]{word}[/]{star}" + mark.replace("[", r"\[")
        rows.setdefault((model, backend, mode.value), []).append(text)
    for names, words in rows.items():
        table.add_row(*names, *words, end_section=names[2] == Mode.DEPLOYED)
    console.print(table)
    for note, number in notes.items():
        console.print(rf"\[{number}] {note}", highlight=False)
    shapes = Table("workload", "images", "text", "for", box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for workload in WORKLOADS:
        shapes.add_row(workload.name, _shape(workload.images), _shape(workload.text), workload.description)
    console.print(shapes)


_Cell = tuple["str", "str", Mode, Precision, Support]


def _cells(models: Mapping[str, Model], stack: Stack, flags: Collection[str]) -> list[_Cell]:
    return [
        (name, backend.name, mode, precision, backend.support(model.reads, mode, precision, stack.packages, flags))
        for name, model in models.items()
        for backend in BACKENDS
        for mode in Mode
        for precision in Precision
    ]


def _as_dict(model: str, backend: str, mode: Mode, precision: Precision, support: Support) -> dict[str, object]:
    return {
        "model": model,
        "backend": backend,
        "mode": mode.value,
        "precision": precision.value,
        "supported": support.supported,
        "reason": support.reason,
        "caveat": support_note(support) or None,
    }


def _shape(shape: Shape) -> str:
    return f"{shape.batch} x 3 x {shape.pixels} x {shape.pixels}" if shape.pixels else f"{shape.batch} x {shape.tokens}"
