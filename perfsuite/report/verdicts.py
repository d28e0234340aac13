"""A run's verdicts as tables: one for each model and workload, backends and modes down, precisions across."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from perfsuite.judge.colour import colour
from perfsuite.records.outcome import Outcome, Policy
from perfsuite.report.text import STYLES, WIDTH, milliseconds
from perfsuite.spec import Mode, Precision, Variant

#: So many precisions have room beside one another in WIDTH; further ones have a table of their own.
_BESIDE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRow:
    """One backend's mode, and its variants by precision."""

    backend: str
    mode: Mode
    variants: Mapping[Precision, Variant]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The variants of one model and workload; precisions and rows are those that any of them has."""

    model: str
    workload: str
    precisions: tuple[Precision, ...]
    rows: tuple[GridRow, ...]


def grids(variants: Iterable[Variant]) -> Iterator[Grid]:
    """Each model and workload in the order in which they come, backends too; modes and precisions in their own."""
    groups: dict[tuple[str, str], list[Variant]] = {}
    for variant in variants:
        groups.setdefault((variant.model, variant.workload), []).append(variant)
    for (model, workload), mine in groups.items():
        yield Grid(
            model=model,
            workload=workload,
            precisions=tuple(one for one in Precision if any(variant.precision is one for variant in mine)),
            rows=tuple(
                GridRow(backend=backend, mode=mode, variants=row)
                for backend in dict.fromkeys(variant.backend for variant in mine)
                for mode in Mode
                if (row := {one.precision: one for one in mine if (one.backend, one.mode) == (backend, mode)})
            ),
        )


def cell_words(outcome: Outcome | None) -> str:
    """Such as ``61.9 ms 1.054 regressed``: latency and ratio where there are any, and the verdict.

    A ratio that is no verdict's, since only the machine moved, has what was found beside it: ``1.774 machine drift``.
    """
    if outcome is None:
        return "unsupported"
    speed = outcome.speed
    # Where pairs were too few to tell anything there is still what the session took.
    told_s = [one.candidate_s for one in (speed, outcome.confirmation and outcome.confirmation.stored) if one]
    latency_s = next((seconds for seconds in told_s if seconds is not None), None)
    figures = f"{milliseconds(latency_s):>7} " if latency_s is not None else ""
    figures += f"{speed.ratio:.3f} " if speed and speed.ratio is not None else ""
    return f"{figures}{'ignored' if outcome.ignored else _found(outcome)}"


def _found(outcome: Outcome) -> str:
    if outcome.confirmation and outcome.only_machine_moved:
        return str(outcome.confirmation.finding)
    return str(outcome.verdict)


def verdict_table_lines(
    outcomes: Mapping[Variant, Outcome], unsupported: Collection[Variant], policy: Policy, *, coloured: bool = False
) -> list[str]:
    """Latency, ratio to the baseline and verdict of each variant that was asked for; WIDTH columns at most."""
    console = Console(
        file=io.StringIO(),
        width=WIDTH,
        force_terminal=coloured,
        color_system="standard" if coloured else None,
        no_color=not coloured,
    )
    for grid in grids(dict.fromkeys((*outcomes, *unsupported))):
        console.print(Text(f"{grid.model} {grid.workload}", style="bold"), overflow="fold")
        for first in range(0, len(grid.precisions), _BESIDE):
            console.print(_table(grid.rows, grid.precisions[first : first + _BESIDE], outcomes, policy))
            console.print()
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def _table(
    rows: Iterable[GridRow], precisions: Sequence[Precision], outcomes: Mapping[Variant, Outcome], policy: Policy
) -> Table:
    table = Table("", *precisions, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    told = ""
    for row in rows:
        if row.variants.keys().isdisjoint(precisions):
            continue
        if row.backend != told:
            table.add_row(Text(told := row.backend, style="bold"))
        cells = [_cell(outcomes.get(one), policy) if (one := row.variants.get(name)) else "" for name in precisions]
        table.add_row(f"  {row.mode}", *cells)
    return table


def _cell(outcome: Outcome | None, policy: Policy) -> Text:
    return Text(cell_words(outcome), style=STYLES[colour(outcome, policy)] if outcome else "dim")
