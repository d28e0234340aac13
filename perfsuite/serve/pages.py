"""What lies on the shelf -> the pages that show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from perfsuite.explain.causes import explain
from perfsuite.gates.expectations import Expectation, expectation
from perfsuite.history.changes import trend_of, trends_of
from perfsuite.history.lineages import lineages
from perfsuite.judge.session import judge_stored
from perfsuite.judge.stored import suspects
from perfsuite.models.base import Reads
from perfsuite.records.baseline import Baseline, Incomparable, Lack, Missing
from perfsuite.records.history import KeptSession, Metric, Trend
from perfsuite.records.measurement import Measurement
from perfsuite.records.outcome import Policy
from perfsuite.records.session import Session
from perfsuite.report.history import when
from perfsuite.report.judge import closing_lines
from perfsuite.report.judged import Judged
from perfsuite.report.page.chapter import Chapter
from perfsuite.report.page.document import OVERVIEW, rendered
from perfsuite.report.page.sections import page
from perfsuite.report.page.sessions import session_contents
from perfsuite.report.page.trend import SESSIONS, change_table, trend_figure
from perfsuite.report.page.view import Line, Link, MachineTrends, Overview, SessionRow, VariantHistory
from perfsuite.serve.shelf import Shelf
from perfsuite.spec import Variant
from perfsuite.store.sessions import Pool

if TYPE_CHECKING:
    from perfsuite.models.base import Model
    from perfsuite.settings import Settings

#: How many sessions the overview shows at once: more than that nobody reads, and the search finds the others.
_SHOWN = 200
_COLUMNS = ("begun", "stack", "machine class", "variants", "verdicts", "commit", "session")


def overview_html(shelf: Shelf, query: str) -> str:
    """All sessions that the query's words are in, and all variants."""
    words = query.split()
    history = shelf.history
    variants = history.newest(words) or history.newest()
    overview = Overview(
        title="Stored sessions",
        query=query,
        columns=_COLUMNS,
        sessions=tuple(map(_row, reversed(history.sessions(last=_SHOWN, words=words)))),
        found=history.count(words),
        total=history.count(),
        variants=tuple(Link(text=name, href=history_path(name)) for name in variants),
        notes=tuple(Line(depth=0, text=f"not read: {why}") for why in shelf.unread),
    )
    return rendered(OVERVIEW, overview=overview)


def variant_history_html(shelf: Shelf, name: str) -> str | None:
    """All that a variant took on every machine class; None if no session has it."""
    machines: dict[str, list[Trend]] = {}
    for metric in Metric:
        for series in shelf.history.series(name, metric, last=SESSIONS):
            machines.setdefault(series.machine_slug, []).extend(map(trend_of, lineages(series)))
    if not machines:
        return None
    told = VariantHistory(
        title=name,
        trail=(_home(),),
        machines=tuple(_machine(shelf, slug, name, trends) for slug, trends in machines.items()),
    )
    return rendered("variant", variant=told)


def session_path(id: str) -> str:
    """The address of a session's matrix."""
    return f"/sessions/{quote(id, safe='', errors='replace')}"


def variant_path(session: str, variant: str) -> str:
    """The address of what a session, by its id, says of a variant."""
    return f"{session_path(session)}/{quote(variant, safe='', errors='replace')}"


def history_path(variant: str) -> str:
    """The address of what a variant took from session to session."""
    return f"/variants/{quote(variant, safe='', errors='replace')}"


class Pages:
    """Judges a session by those before it, as ``perfsuite judge`` does."""

    def __init__(self, settings: Settings, models: Mapping[str, Model]) -> None:
        self._settings = settings
        self._models = models

    def session_html(self, shelf: Shelf, session: Session) -> str:
        """The matrix, each cell of which leads to a page of its own."""
        contents = session_contents(self._judged(shelf, session))
        told = ", ".join(
            f"{count} {name}" for kept in _kept(shelf, session.id) for name, count in kept.verdicts.items()
        )

        def link(chapter: Chapter) -> str:
            return variant_path(session.id, chapter.pairing.candidate.id)

        # With what was measured again, and what was accepted then: nobody can tell it anew from what is stored.
        facts = (*contents.facts, ("judged when it ran", told)) if told else contents.facts
        whole = replace(contents, facts=facts)
        return rendered("page", page=page(whole, link=link, shows=lambda chapter: False, trail=(_home(),)))

    def variant_html(self, shelf: Shelf, session: Session, name: str) -> str | None:
        """All of one variant, from session to session first; None if the session has none of that name."""
        contents = session_contents(self._judged(shelf, session, name))
        if not contents.chapters:
            return None
        trail = (
            _home(),
            Link(text=session.id, href=session_path(session.id)),
            Link(text="all its sessions", href=history_path(name)),
        )
        whole = replace(contents, title=f"{name}, {contents.title}", lines=())
        return rendered("page", page=page(whole, matrix=False, trail=trail))

    def _judged(self, shelf: Shelf, session: Session, name: str | None = None) -> Judged:
        """Of all its variants, or of that name alone: verdicts are the same, for all tell together."""
        most = self._settings.sessions
        pool = Pool(candidate=session, sessions=shelf.older(session, most=most), most=most)

        def find(one: Measurement) -> Baseline | Missing | Incomparable:
            if pool.sessions:
                return pool.find(one)
            return Missing(kind=Lack.NO_CLASS, machine_slug=one.machine.slug)

        measurements = {one.variant: one for one in session.measurements}
        failures = {one.variant: one for one in session.failures}
        outcomes = judge_stored(
            session,
            find,
            pool.variants if pool.sessions else (),
            fits=lambda variant: True,
            expected=self._expected,
            limits=self._settings.limits,
            regression_ratio=self._settings.regression_ratio,
        )
        speeds = {variant: one.speed for variant, one in outcomes.items() if one.speed}
        seen = suspects(measurements, speeds, matters=lambda variant: self._settings.limits(variant).matters)
        wanted = {variant: one for variant, one in outcomes.items() if name in (None, variant.id)}
        return Judged(
            session=session,
            outcomes=wanted,
            results={**measurements, **failures},
            explanations={
                variant: explain(speed.baseline.measurement, measurements[variant])
                for variant, speed in speeds.items()
                if variant.id == name and isinstance(speed.baseline, Baseline)
            },
            lines=closing_lines(list(outcomes.values()), seen.slower, seen.faster, ()),
            policy=Policy(),
            trends=trends_of(
                shelf.history,
                session,
                [variant for variant in wanted if variant.id == name],
                (Metric.LATENCY, Metric.MEMORY),
                last=SESSIONS,
            ),
        )

    def _expected(self, variant: Variant) -> Expectation:
        model = self._models.get(variant.model)
        # Of a model that nobody names here any more nothing is known; its kernels are held against the stored ones.
        return expectation(variant, model.reads if model else Reads.TENSORS, self._settings.limits(variant).kernels)


def _home() -> Link:
    return Link(text="perfsuite", href="/")


def _kept(shelf: Shelf, id: str) -> tuple[KeptSession, ...]:
    return shelf.history.sessions(last=1, words=[id])


def _machine(shelf: Shelf, slug: str, name: str, trends: list[Trend]) -> MachineTrends:
    """The newest session that leads anywhere: of what others measured there are figures alone.

    Where stacks run by turns, each line is told by the stack that it ends with.
    """
    newest = max((one.series.points[-1] for one in trends), key=lambda point: point.begun)
    whole = any(kept.whole for kept in _kept(shelf, newest.session))
    link = Link(text=f"{when(newest.begun)} UTC", href=variant_path(newest.session, name)) if whole else None
    counts = Counter(one.series.metric for one in trends)
    of = [one.series.points[-1].stack_slug if counts[one.series.metric] > 1 else "" for one in trends]
    return MachineTrends(
        name=slug,
        figures=tuple(trend_figure(one, of=stack) for one, stack in zip(trends, of, strict=True)),
        tables=tuple(table for one, stack in zip(trends, of, strict=True) if (table := change_table(one, of=stack))),
        newest=link,
    )


def _row(kept: KeptSession) -> SessionRow:
    return SessionRow(
        name=f"{when(kept.begun)} UTC",
        href=session_path(kept.id) if kept.whole else "",
        cells=(
            kept.stack_slug,
            kept.machine_slug,
            str(kept.entries),
            ", ".join(f"{count} {name}" for name, count in sorted(kept.verdicts.items())),
            kept.commit[:12],
            kept.id,
        ),
    )
