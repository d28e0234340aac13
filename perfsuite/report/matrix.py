"""The matrix of variants, for a terminal or as JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from perfsuite.backends import BACKENDS
from perfsuite.backends.registry import backend_named, slug_of
from perfsuite.report.console import output_console
from perfsuite.report.text import support_note, support_word
from perfsuite.spec import WORKLOADS, Mode, Precision, Shape, Support

if TYPE_CHECKING:
    from perfsuite.models.base import Model
    from perfsuite.records.measurement import Stack

_STYLES = {"yes": "green", "no": "red"}
#: Broken so that a table fits 80 columns.
_HEADS = tuple(precision.value.replace("-", "-\n") for precision in Precision)


def print_matrix(models: Mapping[str, Model], stack: Stack, flags: Collection[str], *, as_json: bool) -> None:
    """Every model x backend x mode x precision, with the reason or caveat; then the workloads' shapes."""
    cells = _cells(models, stack, flags)
    if as_json:
        print(json.dumps([_as_dict(*cell) for cell in cells], indent=1))
        return
    console = output_console()
    publishers = " and ".join(backend.name for backend in BACKENDS if backend.published)
    starred = f"* marks {publishers}'s published example scripts"
    console.print(f"stack {slug_of(stack)}, Python {stack.python}; {starred}")
    notes: dict[str, int] = {}
    rows: dict[tuple[str, str, str], list[str]] = {}
    for model, backend, mode, precision, support in cells:
        note = support.reason or support_note(support)
        mark = f" [{notes.setdefault(note, len(notes) + 1)}]" if note else ""
        star = "*" if (model, mode, precision) in backend_named(backend).published else ""
        word = support_word(support)
        text = f"[{_STYLES.get(word, 'yellow')}]{word}[/]{star}" + mark.replace("[", r"\[")
        rows.setdefault((model, backend, mode.value), []).append(text)
    for model in models:
        console.print(f"\n[bold]{model}[/]")
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for name in ("backend", "mode"):
            table.add_column(name, no_wrap=True, min_width=max(map(len, Mode)) if name == "mode" else None)
        for head in _HEADS:
            table.add_column(head)
        for (owner, *names), words in rows.items():
            if owner == model:
                table.add_row(*names, *words, end_section=names[-1] == Mode.DEPLOYED)
        console.print(table)
    for note, number in notes.items():
        console.print(f"[{number}] {note}", highlight=False, markup=False)
    shapes = Table("workload", "images", "text, tensors", "for", box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for workload in WORKLOADS:
        shapes.add_row(workload.name, _shapes(workload.images), _shapes(workload.text), workload.description)
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


def _shapes(shapes: tuple[Shape, ...]) -> str:
    return ", ".join(map(str, shapes)) or "-"
