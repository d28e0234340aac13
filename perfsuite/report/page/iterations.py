"""The figure of a variant's iterations, in the order in which they ran, above what the machine did meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from perfsuite.report.page.chapter import Names
from perfsuite.report.page.drawing import BASELINE, BREAK, CANDIDATE, INK, drawn, layer, panel, y_axis
from perfsuite.report.page.track import Stretch, dots, iterations
from perfsuite.report.page.view import Figure
from perfsuite.report.text import milliseconds

_HEIGHT, _STRIP_HEIGHT = 150, 34
#: From this factor between the slowest and the fastest on the scale is logarithmic (judgement: on a linear one the
#: faster side would be a line at the bottom).
_LOG_FROM = 3.0
_WHERE = {"pair": "side by side", "worker": "of the sessions"}
#: Frequencies that differ by less are one: clocks are read in steps of a percent.
_STEADY_SHARE = 0.01


def iteration_figure(track: Sequence[Stretch], names: Names, *, group: str) -> Figure:
    """``group`` is what numbers of groups count: pairs, or workers."""
    shown = [(stretch, some) for stretch, some in dots(track)]
    ends = _ends(track)
    latencies_ns = [latency for one in track for latency in one.block.latencies_ns]
    wide = max(latencies_ns) / min(latencies_ns) >= _LOG_FROM
    layers = [
        _separators(track, ends),
        *(
            _dot_layer(
                [dot for stretch, some in shown if stretch.candidate is candidate for dot in _rows(some)],
                colour=CANDIDATE if candidate else BASELINE,
                cap="square" if candidate else "round",
                log=wide,
            )
            for candidate in (False, True)
        ),
    ]
    strips = list(_strips(track, ends))
    panels = [panel(_HEIGHT, layers), *strips]
    for number, one in enumerate(panels):
        _set_x(one, ends[-1], last=number == len(panels) - 1)
    return Figure(
        title=f"Iterations {_WHERE[group]}, in the order in which they ran",
        svg=drawn(panels),
        words=" ".join(_words(track, names, sum(len(some) for _, some in shown), group, log=wide)),
        sides=True,
    )


def _ends(track: Iterable[Stretch]) -> list[int]:
    """How many iterations had run at the end of each stretch."""
    ends, total = [], 0
    for one in track:
        total += len(one.block.latencies_ns)
        ends.append(total)
    return ends


def _rows(some: Iterable[Any]) -> Iterator[dict[str, float | None]]:
    """A dot is a line of no length: so all of a side are one path, at a tenth of the bytes of a mark each."""
    for dot in some:
        yield {"x": dot.place, "y": round(dot.latency_ns * 1e-6, 5)}
        yield {"x": dot.place, "y": None}


def _dot_layer(rows: list[dict[str, float | None]], *, colour: str, cap: str, log: bool) -> dict[str, Any]:
    scale = {"type": "log", "nice": False} if log else {"zero": False}
    y = {"field": "y", "type": "quantitative", "scale": scale, "axis": y_axis(title="ms", tickCount=5)}
    mark = {"type": "line", "strokeCap": cap, "strokeWidth": 3, "color": colour, "invalid": BREAK}
    return layer(rows, mark, x={"field": "x", "type": "quantitative"}, y=y)


def _separators(track: Sequence[Stretch], ends: Sequence[int]) -> dict[str, Any]:
    """A line where the next pair or worker begins."""
    turns = [end for one, following, end in zip(track, track[1:], ends, strict=False) if one.group != following.group]
    mark = {"type": "rule", "color": "var(--grid)"}
    return layer([{"x": place} for place in turns], mark, x={"field": "x", "type": "quantitative"})


def _strips(track: Sequence[Stretch], ends: Sequence[int]) -> Iterator[dict[str, Any]]:
    """What others took of the CPUs while each block ran, and how fast the CPUs were where that changes."""
    begins = [0, *ends]
    busy: list[dict[str, float | None]] = []
    clock: list[dict[str, float | None]] = []
    for one, begin, end in zip(track, begins, ends, strict=False):
        for rows, value, scale in ((busy, one.others_share, 100), (clock, one.frequency_ghz, 1)):
            if value is not None:
                y = round(scale * value, 2)
                rows += [{"x": begin, "y": y}, {"x": end, "y": y}, {"x": end, "y": None}]
    if busy:
        yield _strip(busy, "others %", zero=True)
    if _varies(_frequencies(track)):
        yield _strip(clock, "GHz", zero=False)


def _strip(rows: list[dict[str, float | None]], title: str, *, zero: bool) -> dict[str, Any]:
    mark = {"type": "line", "strokeWidth": 2, "color": INK, "invalid": BREAK}
    y = {
        "field": "y",
        "type": "quantitative",
        "scale": {"zero": zero},
        "axis": y_axis(title=title, tickCount=2),
    }
    # A step goes up and comes down at one place: in the order of the rows, not of x.
    part = layer(rows, mark, x={"field": "x", "type": "quantitative"}, y=y, order={"value": 0})
    return panel(_STRIP_HEIGHT, [part])


def _set_x(one: dict[str, Any], end: int, *, last: bool) -> None:
    """The same scale for all panels, told once, under the last."""
    axis = {"title": "iteration" if last else None, "labels": last, "ticks": last, "grid": False, "tickMinStep": 1}
    for part in one["layer"]:
        part["encoding"]["x"] |= {"scale": {"domain": [0, end], "nice": False}, "axis": axis}


def _frequencies(track: Iterable[Stretch]) -> list[float]:
    return [clock for one in track if (clock := one.frequency_ghz) is not None]


def _varies(values: Sequence[float]) -> bool:
    return bool(values) and max(values) - min(values) > _STEADY_SHARE * max(values)


def _words(track: Sequence[Stretch], names: Names, drawn_dots: int, group: str, *, log: bool) -> Iterator[str]:
    total = iterations(track)
    if drawn_dots < total:
        which = "some at even distances, and the fastest and the slowest of each block"
        yield f"{drawn_dots} of {total} iterations are drawn: {which}."
    else:
        yield f"All {total} iterations are drawn."
    for name, candidate in ((names.before, False), (names.after, True)):
        mine = [latency for one in track if one.candidate is candidate for latency in one.block.latencies_ns]
        if mine:
            fast, slow = (milliseconds(some * 1e-9) for some in (min(mine), max(mine)))
            yield f"{name[:1].upper()}{name[1:]} takes {fast} to {slow}."
    numbers = [key for key, _ in groupby(track, key=lambda one: (one.candidate, one.group))]
    if group == "worker":
        before, after = ([number for side, number in numbers if side is candidate] for candidate in (False, True))
        yield f"Lines stand between workers: {len(before)} of {names.before}, then {len(after)} of {names.after}."
    elif len(groups := {number for _, number in numbers}) > 1:
        yield f"Lines stand between the {len(groups)} pairs."
    if any(one.block.load and len(one.block.load.passes) > 1 for one in track):
        yield "Of several instances, which run at once, those of a block stand instance after instance."
    if log:
        yield "The scale of latency is logarithmic."
    yield from _machine_words(track)


def _machine_words(track: Sequence[Stretch]) -> Iterator[str]:
    shares = [share for one in track if (share := one.others_share) is not None]
    loads = [one.block.conditions.load_1min for one in track if one.block.conditions]
    if not shares:
        yield "What the machine did meanwhile was not recorded."
        return
    yield (
        f"Others took {min(shares):.0%} to {max(shares):.0%} of the CPU time of a block (other processes, and what the "
        f"hypervisor stole); the load was {min(loads):.1f} to {max(loads):.1f}."
    )
    if (clocks := _frequencies(track)) and not _varies(clocks):
        yield f"The CPUs ran at {max(clocks):.2f} GHz throughout."
    if len(shares) < len(track):
        yield f"Of {len(track) - len(shares)} of {len(track)} blocks it was not recorded."
