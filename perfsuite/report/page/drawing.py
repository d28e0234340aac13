"""Specifications of Vega-Lite -> SVG that takes the page's colours and asks for nothing outside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

#: What a drawing is wide for, in its own units: on a phone it is a little smaller, on a desk a little larger.
WIDTH = 440
#: Room at the left for the figures of the axis and its title, the same in all panels, so that they stand in line.
_LEFT = 54
_RIGHT = 12
INK, _FAINT, _GRID = "currentColor", "var(--faint)", "var(--grid)"
BASELINE, CANDIDATE, BAND = "var(--baseline)", "var(--candidate)", "var(--band)"

#: A line ends before a row without y, and begins anew after it.
BREAK = "break-paths-show-path-domains"

_CONFIG: Mapping[str, Any] = {
    "axis": {
        "domainColor": _FAINT, "tickColor": _FAINT, "gridColor": _GRID, "labelColor": INK, "titleColor": INK,
        "labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": "normal", "labelFont": "inherit",
        "titleFont": "inherit",
    },
    "text": {"font": "inherit", "fontSize": 13, "color": INK},
    "view": {"stroke": None},
    "legend": {"disable": True},
}  # fmt: skip
#: What Vega writes and nobody sees: marks without a colour, defaults of SVG, what the page's style says of all text,
#: and places finer than a tenth of a unit. It is half of a drawing.
_UNSEEN = re.compile(r'<path class="(?:back|fore)ground"[^>]*/>')
_SIZE = re.compile(r'width="(\d+)" height="(\d+)" viewBox="[^"]*"')
_IN_TAGS = (
    (re.compile(r' (?:class|role|aria-[a-z]+|pointer-events|xmlns:xlink|version|font-[a-z]+)="[^"]*"'), ""),
    (re.compile(r' (?:opacity|stroke-width)="1"| [xy]2="0"| transform="translate\(0,0\)"'), ""),
    (re.compile(r"^(<text.*) fill=\"currentColor\""), r"\1"),
    (re.compile(r"(\.\d)\d+"), r"\1"),
)


def layer(rows: Sequence[Mapping[str, Any]], mark: Mapping[str, Any], **encoding: Mapping[str, Any]) -> dict[str, Any]:
    """Marks of rows; ``encoding`` tells for each channel which field it is of."""
    return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}


def panel(height: int, layers: Sequence[Mapping[str, Any]], *, left: int = _LEFT) -> dict[str, Any]:
    """Layers over one another, as wide as every other panel; ``left`` is what the axis there needs."""
    return {"width": WIDTH - left - _RIGHT, "height": height, "layer": list(layers)}


def y_axis(**more: Any) -> dict[str, Any]:
    """Of figures, all of one width."""
    return {"minExtent": _LEFT - 16, "maxExtent": _LEFT - 16, "labelOverlap": "greedy", **more}


def drawn(panels: Sequence[Mapping[str, Any]]) -> str:
    """The panels under one another, as an element of SVG."""
    import vl_convert

    spec = {"background": None, "padding": 2, "spacing": 8, "vconcat": list(panels), "config": _CONFIG}
    svg: str = vl_convert.vegalite_to_svg(spec)
    return _SIZE.sub(_widened, re.sub("<[^>]*>", _short, _UNSEEN.sub("", svg)), count=1)


def _widened(size: re.Match[str]) -> str:
    """As wide as every other drawing, so that all are shown at one scale."""
    width, height = max(WIDTH, int(size[1])), size[2]
    return f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'


def _short(tag: re.Match[str]) -> str:
    text = tag[0]
    for pattern, kept in _IN_TAGS:
        text = pattern.sub(kept, text)
    return text
