"""The figure of what a variant took from session to session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from perfsuite.report.page.drawing import BASELINE, CANDIDATE, INK, drawn, layer, panel, y_axis
from perfsuite.report.page.view import Figure
from perfsuite.report.text import milliseconds

_HEIGHT = 150
_LOG_FROM = 3.0  # as of iterations


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one session says; ``begun_at`` is ISO 8601, ``stack`` its slug, ``this`` whether the page is about it."""

    begun_at: str
    latency_s: float
    stack: str
    this: bool = False


def trend_figure(readings: Sequence[Reading]) -> Figure:
    """At least one reading, the oldest first; a line stands where the stack is another than before."""
    values = [one.latency_s for one in readings]
    wide = max(values) / min(values) >= _LOG_FROM
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
        "axis": y_axis(title="ms", tickCount=5),
    }
    rows = [{"x": one.begun_at, "y": round(one.latency_s * 1e3, 5)} for one in readings]
    turns = [{"x": later.begun_at} for one, later in pairwise(readings) if one.stack != later.stack]
    dot = {"type": "point", "filled": True, "opacity": 1, "size": 45}
    these = [row for row, one in zip(rows, readings, strict=True) if one.this]
    others = [row for row, one in zip(rows, readings, strict=True) if not one.this]
    layers = [
        layer(turns, {"type": "rule", "color": INK, "strokeDash": [3, 3]}, x=x),
        layer(rows, {"type": "line", "color": BASELINE, "strokeWidth": 1}, x=x, y=y),
        layer(others, {**dot, "color": BASELINE, "shape": "circle"}, x=x, y=y),
        layer(these, {**dot, "color": CANDIDATE, "shape": "square", "size": 70}, x=x, y=y),
    ]
    return Figure(
        title="Latency from session to session",
        svg=drawn([panel(_HEIGHT, layers)]),
        words=" ".join(_words(readings, len(turns), log=wide)),
        sides=False,
    )


def _words(readings: Sequence[Reading], turns: int, *, log: bool) -> Iterator[str]:
    values = [one.latency_s for one in readings]
    yield (
        f"{len(readings)} session{'' if len(readings) == 1 else 's'}, from {milliseconds(min(values))} to "
        f"{milliseconds(max(values))}; the last has {milliseconds(values[-1])}."
    )
    if turns:
        yield "A dashed line stands where the stack is another than before."
    if any(one.this for one in readings):
        yield "The square is this session's."
    if log:
        yield "The scale of latency is logarithmic."
