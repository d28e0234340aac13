"""The figure of a variant's ratios: of each pair or worker, and of all together with the interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from perfsuite.records.baseline import Baseline
from perfsuite.records.measurement import Measurement
from perfsuite.records.pair import Pair
from perfsuite.records.speed import Speed
from perfsuite.report.page.drawing import BAND, BASELINE, CANDIDATE, INK, drawn, layer, panel
from perfsuite.report.page.view import Figure

_ROW_HEIGHT = 16
_LABELS = 108  # a day with a number
_DAY = len("2026-01-02")
_LOG_FROM = 3.0  # as of iterations
_MARGIN = 0.05
_ALL = "all"
_NAMES = {
    "title": None,
    "labelLimit": _LABELS,
    "minExtent": _LABELS - 4,
    "maxExtent": _LABELS - 4,
    "ticks": False,
    "domain": False,
}
_DOT = {"type": "point", "filled": True, "opacity": 1}
_BEFORE = {**_DOT, "size": 45, "color": BASELINE, "shape": "circle"}
_AFTER = {**_DOT, "size": 45, "color": CANDIDATE, "shape": "square"}
_MEAN = {**_DOT, "size": 110, "color": INK, "shape": "diamond"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One observation, against what all are held against."""

    name: str
    ratio: float
    candidate: bool


def pair_ratios(pairs: Sequence[Pair]) -> list[Ratio]:
    return [
        Ratio(name=f"pair {number}", ratio=pair.candidate.latency_s / pair.baseline.latency_s, candidate=True)
        for number, pair in enumerate(pairs, start=1)
    ]


def stored_ratios(stored: Baseline, now: Measurement) -> list[Ratio]:
    """Sessions and workers against the mean of the baseline's sessions."""
    base_s = stored.latency_s
    sessions = [
        Ratio(
            name=one.session.begun_at[:_DAY],
            ratio=one.measurement.latency_s / base_s,
            candidate=False,
        )
        for one in reversed(stored.accepted)
    ]
    workers = [
        Ratio(name=f"now {number}", ratio=worker.latency_s / base_s, candidate=True)
        for number, worker in enumerate(now.replicates, start=1)
    ]
    return [*sessions, *workers]


def ratio_figure(ratios: Sequence[Ratio], speed: Speed, *, title: str) -> Figure:
    """Each observation as a dot, and below them the mean with its interval; the band is what does not matter."""
    names = [*_unique(ratios), *([_ALL] if speed.ratio is not None else [])]
    interval = speed.interval
    x = {
        "field": "x",
        "type": "quantitative",
        "scale": _scale([one.ratio for one in ratios], speed),
        "axis": {"title": "ratio, above 1 is slower", "tickCount": 6},
    }
    y = {"field": "name", "type": "nominal", "sort": None, "scale": {"domain": names}, "axis": _NAMES}
    end = {"field": "x2"}
    band = {"x": round(1 / speed.matters, 5), "x2": round(speed.matters, 5)}
    layers = [
        layer([band], {"type": "rect", "color": BAND}, x=x, x2=end),
        layer([{"x": 1}], {"type": "rule", "color": INK}, x=x),
    ]
    for candidate, mark in ((False, _BEFORE), (True, _AFTER)):
        rows = [
            {"name": name, "x": round(one.ratio, 5)}
            for name, one in zip(names, ratios, strict=False)
            if one.candidate is candidate
        ]
        layers.append(layer(rows, mark, x=x, y=y))
    if interval:
        bounds = {"name": _ALL, "x": round(interval.low, 5), "x2": round(interval.high, 5)}
        layers.append(layer([bounds], {"type": "rule", "strokeWidth": 3, "color": INK}, x=x, x2=end, y=y))
    if speed.ratio is not None:
        layers.append(layer([{"name": _ALL, "x": round(speed.ratio, 5)}], _MEAN, x=x, y=y))
    return Figure(
        title=title,
        svg=drawn([panel(_ROW_HEIGHT * len(names), layers, left=_LABELS)]),
        words=" ".join(_words(ratios, names, speed)),
        sides=any(not one.candidate for one in ratios),
    )


def _scale(ratios: Sequence[float], speed: Speed) -> dict[str, Any]:
    """Wide enough for all dots, the interval and the band."""
    seen = [*ratios, *((speed.interval.low, speed.interval.high) if speed.interval else ())]
    low, high = min(*seen, 1 / speed.matters), max(*seen, speed.matters)
    margin = (high / low) ** _MARGIN
    wide = {"type": "log"} if high / low >= _LOG_FROM else {"zero": False}
    return {"domain": [low / margin, high * margin], "nice": False, **wide}


def _unique(ratios: Sequence[Ratio]) -> list[str]:
    """Two sessions of a day have a number."""
    names: list[str] = []
    for one in ratios:
        alike = sum(name.partition(" #")[0] == one.name for name in names)
        names.append(f"{one.name} #{alike + 1}" if alike else one.name)
    return names


def _words(ratios: Sequence[Ratio], names: Sequence[str], speed: Speed) -> Iterator[str]:
    yield f"{'; '.join(f'{name} {one.ratio:.3f}' for name, one in zip(names, ratios, strict=False))}."
    if speed.ratio is not None:
        interval = speed.interval
        bounds = ""
        if interval:
            bounds = f", with an interval of {interval.low:.3f} to {interval.high:.3f} at {interval.coverage:.0%}"
        yield f"All together {speed.ratio:.3f}{bounds}."
    yield f"In the band a difference does not matter (less than {speed.matters - 1:.1%})."
