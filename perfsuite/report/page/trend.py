"""A variant's figures from session to session: drawn, and where they went to another level."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from perfsuite.records.history import Metric, Trend, begun_iso
from perfsuite.report.history import UNITS, change_words, changed_words, when
from perfsuite.report.page.drawing import BASELINE, CANDIDATE, INK, drawn, layer, panel, y_axis
from perfsuite.report.page.view import Figure, Row, Table

#: How many sessions are drawn: half a year of nights, a dot for every two units of width.
SESSIONS = 180
_HEIGHT = 150
_LOG_FROM = 3.0  # as of iterations
#: From so many sessions on the line alone is drawn: dots would hide one another, and be half of a page of 96 variants.
_MANY = 40
_TITLES = {
    Metric.LATENCY: "Latency",
    Metric.MEMORY: "Peak memory",
    Metric.ACCURACY: "Accuracy",
    Metric.COMPILE: "Compiling",
}


def trend_figure(trend: Trend, *, this: str = "", of: str = "") -> Figure:
    """A rule stands where a level begins, a dashed one where the stack is another; ``this`` is the page's session.

    ``of`` names the line where there are several.
    """
    points = trend.series.points
    unit, factor = UNITS[trend.series.metric]
    values = [one.value * factor for one in points]
    wide = trend.series.metric is not Metric.ACCURACY and max(values) / min(values) >= _LOG_FROM
    x = {
        "field": "x",
        "type": "temporal",
        "scale": {"type": "utc", "padding": 12},
        "axis": {"title": None, "grid": False, "tickCount": 5, "labelOverlap": "greedy", "format": "%Y-%m-%d"},
    }
    y = {
        "field": "y",
        "type": "quantitative",
        "scale": {"type": "log", "nice": False} if wide else {"zero": False},
        "axis": y_axis(title=unit, tickCount=5),
    }
    rows = [{"x": begun_iso(one.begun), "y": round(value, 5)} for one, value in zip(points, values, strict=True)]
    turns = [{"x": begun_iso(later.begun)} for one, later in pairwise(points) if one.stack_slug != later.stack_slug]
    levels = [{"x": begun_iso(one.point.begun)} for one in trend.changes]
    dot = {"type": "point", "filled": True, "opacity": 1}
    these = [row for row, one in zip(rows, points, strict=True) if one.session == this]
    others = [row for row, one in zip(rows, points, strict=True) if one.session != this and len(rows) < _MANY]
    layers = [
        layer(turns, {"type": "rule", "color": INK, "strokeDash": [3, 3]}, x=x),
        layer(levels, {"type": "rule", "color": CANDIDATE, "strokeWidth": 2}, x=x),
        layer(rows, {"type": "line", "color": BASELINE, "strokeWidth": 1}, x=x, y=y),
        layer(others, {**dot, "color": BASELINE, "shape": "circle", "size": 45}, x=x, y=y),
        layer(these, {**dot, "color": CANDIDATE, "shape": "square", "size": 70}, x=x, y=y),
    ]
    return Figure(
        title=_title(f"{_TITLES[trend.series.metric]} from session to session", of),
        svg=drawn([panel(_HEIGHT, layers)]),
        words=" ".join(_words(trend, values, len(turns), this=bool(these), log=wide)),
        sides=False,
    )


def change_table(trend: Trend, *, of: str = "") -> Table | None:
    """Where a level begins, and what else changed there; None where all is one level."""
    if not trend.changes:
        return None
    metric = trend.series.metric
    return Table(
        title=_title(f"{_TITLES[metric]}: where its level changed", of),
        columns=("session", "origin", "what else changed there", "change"),
        rows=tuple(
            Row(
                head=when(one.point.begun),
                cells=(
                    str(one.origin),
                    "; ".join(changed_words(one)) or "nothing that is known",
                    change_words(one, metric),
                ),
            )
            for one in trend.changes
        ),
        numeric=1,
        lines=("Medians of the level that begins there and of the one before. A lone spike is no level.",),
    )


def _title(text: str, of: str) -> str:
    return f"{text}, {of}" if of else text


def _words(trend: Trend, values: list[float], turns: int, *, this: bool, log: bool) -> Iterator[str]:
    unit, _ = UNITS[trend.series.metric]
    count = len(values)
    told = [f"{value:.4g} {unit}" for value in (min(values), max(values), values[-1])]
    yield f"{count} session{'' if count == 1 else 's'}, from {told[0]} to {told[1]}; the last has {told[2]}."
    if trend.changes:
        yield "A coloured line stands where a new level begins."
    if turns:
        yield "A dashed line stands where the stack is another than before."
    if this:
        yield "The square is this session's."
    if log:
        yield f"The scale of {unit} is logarithmic."
