"""A chapter -> the section of the page that tells of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from perfsuite.records.outcome import Colour
from perfsuite.records.speed import Verdict
from perfsuite.report.page.chapter import Chapter, Contents, Names, Side
from perfsuite.report.page.costs import cost_table
from perfsuite.report.page.heat import anchor_of, heats, in_page
from perfsuite.report.page.iterations import iteration_figure
from perfsuite.report.page.kernels import kernel_table
from perfsuite.report.page.ratios import pair_ratios, ratio_figure, stored_ratios
from perfsuite.report.page.signs import legend, sign_of
from perfsuite.report.page.track import of_pairs, of_workers
from perfsuite.report.page.trend import change_table, trend_figure
from perfsuite.report.page.view import Figure, Line, Link, Page, Row, Section, Table

_WORST_FIRST = (Colour.RED, Colour.YELLOW, Colour.GREEN, Colour.GREY)
_VERDICTS = tuple(Verdict)  # the best first
_INDENT, _DEEPEST = 2, 3  # of the lines that report's sentences come in
#: From twice as many characters on a line shows that many, and the rest when asked (judgement: three lines of a desk).
_LONG = 300


def page(
    contents: Contents,
    *,
    link: Callable[[Chapter], str] = in_page,
    shows: Callable[[Chapter], bool] = lambda chapter: True,
    matrix: bool = True,
    trail: tuple[Link, ...] = (),
) -> Page:
    """All that the template needs: the matrix, and a section of each chapter that it ``shows``."""
    worst_first = sorted(contents.chapters, key=lambda one: -_VERDICTS.index(one.outcome.verdict))
    signs = Counter(sign_of(chapter.outcome) for chapter in worst_first)
    ordered = sorted(contents.chapters, key=_rank)
    return Page(
        title=contents.title,
        before=contents.names.before,
        after=contents.names.after,
        facts=contents.facts,
        lines=tuple(_lines(contents.lines)),
        signs=tuple(signs.items()),
        legend=legend(),
        heats=heats(contents.chapters, link) if matrix else (),
        sections=tuple(_section(chapter, contents.names) for chapter in ordered if shows(chapter)),
        differences=_differences(contents),
        trail=trail,
    )


def _rank(chapter: Chapter) -> tuple[int, int, float]:
    """What is red first, of those the worst verdict, and of these what is furthest from ratio 1."""
    outcome = chapter.outcome
    ratio = outcome.speed.ratio if outcome.speed else None
    return _WORST_FIRST.index(chapter.colour), -_VERDICTS.index(outcome.verdict), -abs(math.log(ratio or 1.0))


def _section(chapter: Chapter, names: Names) -> Section:
    headline, *lines = chapter.lines
    tables = (
        *map(change_table, chapter.trends),
        cost_table(chapter.before, chapter.after, chapter.outcome, names),
        kernel_table(chapter.before, chapter.after, names),
    )
    return Section(
        anchor=anchor_of(chapter.name),
        name=chapter.name,
        sign=sign_of(chapter.outcome),
        colour=chapter.colour,
        headline=headline.removeprefix(f"{chapter.name}: "),
        lines=tuple(_lines(lines)),
        figures=tuple(_figures(chapter, names)),
        tables=tuple(table for table in tables if table),
    )


def _figures(chapter: Chapter, names: Names) -> Iterator[Figure]:
    """From session to session, side by side if it ran so, and what the stored sessions raised suspicion by."""
    for trend in chapter.trends:
        yield trend_figure(trend, this=chapter.session)
    speed = chapter.outcome.speed
    if chapter.pairs:
        cpus = (chapter.before.cpus if chapter.before else 1, chapter.after.cpus if chapter.after else 1)
        yield iteration_figure(of_pairs(chapter.pairs, cpus), names, group="pair")
        if speed:
            yield ratio_figure(pair_ratios(chapter.pairs), speed, title="Ratio of each pair of processes")
    if chapter.now is None:
        return
    stored = reversed(chapter.stored.accepted) if chapter.stored else ()
    before = [worker for one in stored for worker in one.measurement.replicates]
    cpus_now = Side.of(chapter.now).cpus  # accepted sessions are of the same machine class
    yield iteration_figure(of_workers(before, chapter.now.replicates, cpus_now), names, group="worker")
    confirmation = chapter.outcome.confirmation
    judged = confirmation.stored if confirmation else speed
    if chapter.stored and judged:
        title = "Sessions and workers, against the baseline's mean"
        yield ratio_figure(stored_ratios(chapter.stored, chapter.now), judged, title=title)


def _lines(lines: Iterable[str]) -> Iterator[Line]:
    """Sentences as a terminal shows them, their indentation as depth."""
    for line in lines:
        text = line.lstrip(" ")
        depth = min(_DEEPEST, (len(line) - len(text)) // _INDENT)
        # At a space, so that no word is in two parts; a word of that length stays whole.
        cut = text.find(" ", _LONG) if len(text) > 2 * _LONG else -1
        yield Line(depth=depth, text=text[:cut], rest=text[cut + 1 :]) if cut > 0 else Line(depth=depth, text=text)


def _differences(contents: Contents) -> Table | None:
    """What of the environment was another on the two sides."""
    if not contents.settings:
        return None
    rows = tuple(
        Row(head=one.name, cells=tuple("not set" if value is None else value for value in (one.before, one.after)))
        for one in contents.settings
    )
    names: Sequence[str] = (contents.names.before, contents.names.after)
    return Table(title="What else was not the same", columns=("", *names), rows=rows, numeric=0)
