"""What lies on the shelf -> the pages that show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from perfsuite.backends.registry import slug_of
from perfsuite.explain.causes import explain
from perfsuite.gates.expectations import Expectation, expectation
from perfsuite.judge.session import judge_stored
from perfsuite.judge.stored import suspects
from perfsuite.models.base import Reads
from perfsuite.records.baseline import Baseline, Incomparable, Lack, Missing
from perfsuite.records.measurement import Measurement
from perfsuite.records.outcome import Policy
from perfsuite.records.session import Session
from perfsuite.report.judge import closing_lines
from perfsuite.report.judged import Judged
from perfsuite.report.page.chapter import Chapter
from perfsuite.report.page.document import OVERVIEW, rendered
from perfsuite.report.page.environment import commit_words
from perfsuite.report.page.sections import page
from perfsuite.report.page.sessions import moment, session_contents
from perfsuite.report.page.trend import Reading
from perfsuite.report.page.view import Line, Link, Overview, SessionRow
from perfsuite.serve.shelf import Shelved
from perfsuite.spec import Variant
from perfsuite.store.sessions import Pool

if TYPE_CHECKING:
    from perfsuite.models.base import Model
    from perfsuite.settings import Settings

#: How many sessions the overview shows at once: more than that nobody reads, and the search finds the others.
_SHOWN = 200
_COLUMNS = ("begun", "stack", "machine class", "variants", "commit", "session")


def overview_html(shelved: Shelved, query: str) -> str:
    """All sessions that the query's words are in, and all variants."""
    words = query.lower().split()
    found = [one.session for one in shelved.sessions if _fits(one.session, words)]
    newest: dict[str, tuple[Session, Variant]] = {}
    for session in found:
        for measurement in session.measurements:
            newest.setdefault(measurement.variant.id, (session, measurement.variant))
    overview = Overview(
        title="Stored sessions",
        query=query,
        columns=_COLUMNS,
        sessions=tuple(_row(session) for session in found[:_SHOWN]),
        found=len(found),
        total=len(shelved.sessions),
        variants=tuple(
            Link(text=name, href=variant_path(*newest[name]))
            for name in sorted(newest)
            if all(word in name.lower() for word in words) or not _names_one(newest, words)
        ),
        notes=tuple(Line(depth=0, text=f"not read: {why}") for why in shelved.unread),
    )
    return rendered(OVERVIEW, overview=overview)


def session_path(session: Session) -> str:
    """The address of a session's matrix."""
    return f"/sessions/{quote(session.id, safe='', errors='replace')}"


def variant_path(session: Session, variant: Variant) -> str:
    """The address of what a session says of a variant."""
    return f"{session_path(session)}/{quote(variant.id, safe='', errors='replace')}"


class Pages:
    """Judges a session by those before it, as ``perfsuite judge`` does."""

    def __init__(self, settings: Settings, models: Mapping[str, Model]) -> None:
        self._settings = settings
        self._models = models

    def session_html(self, shelved: Shelved, session: Session) -> str:
        """The matrix, each cell of which leads to a page of its own."""
        contents = session_contents(self._judged(shelved, session))

        def link(chapter: Chapter) -> str:
            return variant_path(session, chapter.pairing.candidate)

        return rendered("page", page=page(contents, link=link, shows=lambda chapter: False, trail=(_home(),)))

    def variant_html(self, shelved: Shelved, session: Session, name: str) -> str | None:
        """All of one variant, from session to session first; None if the session has none of that name."""
        judged = self._judged(shelved, session, name)
        contents = session_contents(judged)
        if not contents.chapters:
            return None
        (chapter,) = contents.chapters
        variant = chapter.pairing.candidate
        told = replace(chapter, readings=_readings(shelved, session, variant))
        home = (_home(), Link(text=session.id, href=session_path(session)))
        whole = replace(contents, title=f"{variant.id}, {contents.title}", chapters=(told,), lines=())
        return rendered("page", page=page(whole, matrix=False, trail=home))

    def _judged(self, shelved: Shelved, session: Session, name: str | None = None) -> Judged:
        """Of all its variants, or of that name alone: verdicts are the same, for all tell together."""
        pool = Pool(candidate=session, sessions=shelved.older(session), most=self._settings.sessions)

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
        )

    def _expected(self, variant: Variant) -> Expectation:
        model = self._models.get(variant.model)
        # Of a model that nobody names here any more nothing is known; its kernels are held against the stored ones.
        return expectation(variant, model.reads if model else Reads.TENSORS, self._settings.limits(variant).kernels)


def _home() -> Link:
    return Link(text="perfsuite", href="/")


def _readings(shelved: Shelved, session: Session, variant: Variant) -> tuple[Reading, ...]:
    return tuple(
        Reading(
            begun_at=_utc(one.session),
            latency_s=measurement.latency_s,
            stack=slug_of(one.session.stack),
            this=one.session.id == session.id,
        )
        for one in shelved.series(variant, session)
        if (measurement := one.session.of(variant))
    )


def _utc(session: Session) -> str:
    """When it began, in UTC, as ISO 8601."""
    text = session.begun_compact
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[9:11]}:{text[11:13]}:{text[13:15]}Z"


def _fits(session: Session, words: list[str]) -> bool:
    row = _row(session)
    told = (row.link.text, *row.cells, session.machine.cpu_model, *(one.variant.id for one in session.measurements))
    text = " ".join(told).lower()
    return all(word in text for word in words)


def _names_one(names: Mapping[str, object], words: list[str]) -> bool:
    """Whether the words are of a variant's name: those of a session let all its variants stand."""
    return any(all(word in name.lower() for word in words) for name in names)


def _row(session: Session) -> SessionRow:
    return SessionRow(
        link=Link(text=moment(session), href=session_path(session)),
        cells=(
            slug_of(session.stack),
            session.machine.slug,
            str(len(session.measurements)),
            commit_words(session),
            session.id,
        ),
    )
