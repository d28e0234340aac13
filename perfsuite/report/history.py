"""The history, in words and lines of 100 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from perfsuite.records.history import ChangePoint, KeptSession, Metric, Trend

#: The widest that a line may be.
COLUMNS = 100
_ROWS = 14
#: What figures are told in, and how many of it one of the history's is.
UNITS = {
    Metric.LATENCY: ("ms", 1e3),
    Metric.MEMORY: ("MB", 1e-6),
    Metric.ACCURACY: ("dB", 1.0),
    Metric.COMPILE: ("s", 1.0),
}
#: How many of what changed are named, before the rest is counted (judgement: two lines).
_NAMED = 4


def sessions_lines(sessions: Sequence[KeptSession]) -> Iterator[str]:
    """A line each, under its machine class and stack."""
    where = ("", "")
    for one in sessions:
        if (one.machine_slug, one.stack_slug) != where:
            where = (one.machine_slug, one.stack_slug)
            yield f"{one.stack_slug} on {one.machine_slug}"[:COLUMNS]
        verdicts = ", ".join(f"{count} {name}" for name, count in sorted(one.verdicts.items())) or "not judged"
        commit = f"  {one.commit[:12]}" if one.commit else ""
        variants = f"{one.entries} variant{'' if one.entries == 1 else 's'}"
        yield f"  {when(one.begun)}{commit}  {variants}: {verdicts}"[:COLUMNS]


def trend_lines(trend: Trend) -> Iterator[str]:
    """A line drawn over the sessions, and what changed where it does."""
    series, changes = trend.series, trend.changes
    unit, factor = UNITS[series.metric]
    first, last = series.points[0], series.points[-1]
    count = len(series.points)
    yield f"{series.variant}: {series.metric}, {unit}, on {series.machine_slug}"[:COLUMNS]
    if count > 1:
        span = f"{count} sessions from {when(first.begun)} to {when(last.begun)}"
        yield f"{span}, the last of {last.stack_slug}"[:COLUMNS]
        yield from _drawn([point.value * factor for point in series.points], [one.number for one in changes])
    else:
        found = f"{first.value * factor:.4g} {unit}"
        yield f"1 session, of {when(first.begun)}, under {first.stack_slug}: {found}"[:COLUMNS]
    for one in changes:
        yield f"session {one.number + 1}, {when(one.point.begun)}: {change_words(one, series.metric)}; {one.origin}"
        yield from (f"  {line}"[:COLUMNS] for line in changed_words(one))
    if not changes and count > 1:
        yield "no change of level"


def when(begun: str) -> str:
    """``20261126T191022.354856Z`` as people write it, in UTC."""
    return f"{begun[:4]}-{begun[4:6]}-{begun[6:8]} {begun[9:11]}:{begun[11:13]}"


def _drawn(values: Sequence[float], changes: Sequence[int]) -> Iterator[str]:
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(COLUMNS, _ROWS)
    plotext.plot(list(range(1, len(values) + 1)), list(values), marker="braille")
    for number in changes:
        plotext.vline(number + 1)
    plotext.xlabel("session")
    # Colours are reset at each line's end even where the theme has none.
    yield from (line.rstrip() for line in plotext.uncolorize(plotext.build()).splitlines())


def change_words(change: ChangePoint, metric: Metric) -> str:
    """How far the new level lies from the last."""
    unit, factor = UNITS[metric]
    return f"{change.difference * factor:+.1f} {unit}" if change.ratio is None else f"{change.ratio:.3f} times"


def changed_words(change: ChangePoint) -> Iterator[str]:
    """What else changed there, the first of it by name."""
    for one in change.changed[:_NAMED]:
        yield f"{one.name} {one.before or 'unset'} -> {one.now or 'unset'}"
    if len(change.changed) > _NAMED:
        yield f"and {len(change.changed) - _NAMED} more"
