"""The kernels of both sides beside each other, with what moved."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from perfsuite.explain.matching import match
from perfsuite.explain.rows import paced_rows, pass_rows
from perfsuite.records.evidence import Evidence, Kernel, Source
from perfsuite.records.explanation import KernelChange
from perfsuite.report.evidence import coverage_line
from perfsuite.report.page.chapter import Names, Side
from perfsuite.report.page.view import Row, Table
from perfsuite.report.sentences import label, labels

#: How many kinds of calls have a row of their own, and from which part of a pass on (judgement: a screenful; less is
#: not worth a word in an explanation either, ``explain/causes.py``). A kernel that moved has one however little
#: it takes.
_SHOWN, _LEAST_SHARE = 24, 0.001
_NONE = "—"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """Calls of all shapes that run the same kernels on both sides; a name is empty where that side has none of it."""

    operation: str
    before: str
    after: str

    @property
    def note(self) -> str:
        if not self.before:
            return "new"
        if not self.after:
            return "gone"
        return "" if self.before == self.after else "moved"


def kernel_table(before: Side | None, after: Side | None, names: Names) -> Table | None:
    """Of one side alone where only one was observed; None where none was."""
    was, now = (side.evidence if side else None for side in (before, after))
    if before and after and was and now:
        return _both(was, now, (_rows(before, was), _rows(after, now)), names)
    alone = now or was
    return _alone(alone, names.after if now else names.before) if alone else None


def _rows(side: Side, evidence: Evidence) -> list[Kernel]:
    """At the pace of what was timed, as in explanations."""
    if not side.replicates:
        return pass_rows(evidence)
    instances = side.replicates[0].instances
    latency_s = statistics.geometric_mean(replicate.latency_s for replicate in side.replicates)
    return paced_rows(evidence, latency_s * instances)


def _both(was: Evidence, now: Evidence, sides: tuple[list[Kernel], list[Kernel]], names: Names) -> Table:
    kinds: dict[_Kind, list[KernelChange]] = {}
    for change in match(*sides):
        kinds.setdefault(_kind(change), []).append(change)
    ordered = sorted(kinds.items(), key=lambda item: -abs(_delta_s(item[1])))
    least_s = _LEAST_SHARE * max(sum(kernel.time_s for kernel in rows) for rows in sides)
    worth = [item for item in ordered if _most_s(item[1]) >= least_s or (item[0].note and _is_work(item[1]))]
    shown = sorted(worth, key=lambda item: not item[0].note)[:_SHOWN]
    told = [item for item in ordered if item in shown]
    rest = [change for item in ordered if item not in shown for change in item[1]]
    rows = [_row(kind, changes) for kind, changes in told]
    if rest:
        rows.append(Row(head=_rest(len(ordered) - len(told)), cells=("", "", *_figures(rest))))
    return Table(
        title="Kernels of a pass",
        columns=("operation", names.before, names.after, "calls", "ms before", "ms after", "change"),
        rows=tuple(rows),
        numeric=4,
        lines=(f"{names.before}: {coverage_line(was)}", f"{names.after}: {coverage_line(now)}"),
    )


def _kind(change: KernelChange) -> _Kind:
    if change.before and change.after:
        before, after = labels(change.before, change.after)
        return _Kind(operation=change.after.operation, before=before, after=after)
    return _Kind(
        operation=change.any_side.operation,
        before=label(change.before) if change.before else "",
        after=label(change.after) if change.after else "",
    )


def _row(kind: _Kind, changes: Sequence[KernelChange]) -> Row:
    same = "same" if kind.before == kind.after else kind.after
    return Row(
        head=kind.operation,
        cells=(kind.before or _NONE, same or _NONE, *_figures(changes)),
        note=kind.note,
    )


def _figures(changes: Sequence[KernelChange]) -> tuple[str, str, str, str]:
    before, after = ([one for one in side if one] for side in ([c.before for c in changes], [c.after for c in changes]))
    counts = [sum(one.count for one in side) for side in (before, after)]
    calls = " → ".join(dict.fromkeys(str(count) for count in counts))
    return calls, _ms(before), _ms(after), f"{_delta_s(changes) * 1e3:+z.3f}"


def _delta_s(changes: Iterable[KernelChange]) -> float:
    return sum(change.delta_s for change in changes)


def _is_work(changes: Iterable[KernelChange]) -> bool:
    """Whether a library's kernel is among them, or what multiplies; small operators come and go in a profile."""
    sides = [change.any_side for change in changes]
    return any(kernel.source is not Source.OPERATOR or kernel.macs for kernel in sides)


def _most_s(changes: Iterable[KernelChange]) -> float:
    """What they take on the side where they take more."""
    both = [(change.before, change.after) for change in changes]
    return max(sum((one.time_s for one in side if one), 0.0) for side in zip(*both, strict=True))


def _rest(kinds: int) -> str:
    return f"{kinds} more kind{'' if kinds == 1 else 's'}"


def _ms(kernels: Sequence[Kernel]) -> str:
    return f"{sum(one.time_s for one in kernels) * 1e3:.3f}" if kernels else _NONE


def _alone(evidence: Evidence, name: str) -> Table:
    kinds: dict[tuple[str, str], list[Kernel]] = {}
    for kernel in pass_rows(evidence):
        kinds.setdefault((kernel.operation, label(kernel)), []).append(kernel)
    ordered = sorted(kinds.items(), key=lambda item: -sum(one.time_s for one in item[1]))
    rows = [
        Row(head=operation, cells=(implementation, str(sum(one.count for one in mine)), _ms(mine)))
        for (operation, implementation), mine in ordered[:_SHOWN]
    ]
    if rest := [kernel for _, mine in ordered[_SHOWN:] for kernel in mine]:
        cells = ("", str(sum(one.count for one in rest)), _ms(rest))
        rows.append(Row(head=_rest(len(ordered) - _SHOWN), cells=cells))
    return Table(
        title=f"Kernels of a pass, {name} alone",
        columns=("operation", "kernel", "calls", "ms"),
        rows=tuple(rows),
        numeric=2,
        lines=(coverage_line(evidence),),
    )
