"""Where a series changed its level, and what else changed there."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from perfsuite.backends.registry import slug_of
from perfsuite.history.lineages import lineage_of
from perfsuite.records.baseline import Difference
from perfsuite.records.history import ChangePoint, Metric, Origin, Series, Trend
from perfsuite.records.session import Session
from perfsuite.spec import Variant
from perfsuite.stats.changes import change_points

if TYPE_CHECKING:
    from perfsuite.history.database import History

#: How many places beside a change it may be found: of steps of 3 %, 19 in 20 (``perfsuite/stats/changes.py``).
_REACH = 3


def trend_of(series: Series) -> Trend:
    """The series with its change points, in order; a lone spike is none."""
    values = [point.value for point in series.points]
    numbers = change_points(values, ratios=series.metric is not Metric.ACCURACY)
    changes = tuple(_change(series, number, start, end) for start, number, end in _levels(numbers, len(values)))
    return Trend(series=series, changes=changes)


def trends_of(
    history: History, session: Session, variants: Iterable[Variant], metrics: Iterable[Metric], *, last: int
) -> dict[Variant, tuple[Trend, ...]]:
    """What the history has of a session's variants on its machine class; of many sessions only the ``last`` ones.

    Of stacks that run by turns the session's own. A single session is no trend.
    """
    metrics, stack = tuple(metrics), slug_of(session.stack)
    found = {
        variant: tuple(
            trend_of(lineage)
            for metric in metrics
            for series in history.series(variant.id, metric, machine=session.machine.slug, last=last)
            if len((lineage := lineage_of(series, stack)).points) > 1
        )
        for variant in variants
    }
    return {variant: trends for variant, trends in found.items() if trends}


def _levels(numbers: tuple[int, ...], count: int) -> Iterator[tuple[int, int, int]]:
    """Of each change where the level before it begins, where its own does, and where that ends."""
    bounds = (0, *numbers, count)
    yield from zip(bounds, bounds[1:], bounds[2:], strict=False)


def _change(series: Series, number: int, start: int, end: int) -> ChangePoint:
    before = statistics.median(point.value for point in series.points[start:number])
    now = statistics.median(point.value for point in series.points[number:end])
    software, machine = _beside(series, number)
    return ChangePoint(
        number=number,
        point=series.points[number],
        ratio=now / before if series.metric is not Metric.ACCURACY and before > 0 else None,
        difference=now - before,
        origin=_origin(bool(software), bool(machine)),
        changed=(*software, *machine),
    )


def _beside(series: Series, number: int) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """What else of software and machine changed nearest to the change, so near that it may be the same one."""
    for offset in sorted(range(-_REACH, _REACH + 1), key=abs):
        if not 0 < number + offset < len(series.points):
            continue
        last, point = series.points[number + offset - 1], series.points[number + offset]
        software = tuple(_differences(last.circumstances.software, point.circumstances.software))
        machine = tuple(_differences(last.circumstances.machine, point.circumstances.machine))
        if software or machine:
            return software, machine
    return (), ()


def _differences(before: dict[str, str], now: dict[str, str]) -> Iterator[Difference]:
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            yield Difference(name=name, before=before.get(name, ""), now=now.get(name, ""))


def _origin(software: bool, machine: bool) -> Origin:
    if software and machine:
        return Origin.BOTH
    if software:
        return Origin.SOFTWARE
    return Origin.MACHINE if machine else Origin.UNKNOWN
