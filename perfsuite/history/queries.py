"""What the history is asked, in SQL that SQLite and PostgreSQL both take."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from perfsuite.history.schema import DOCUMENTS, ENTRIES, SESSIONS
from perfsuite.records.history import Metric

_COLUMNS = {
    Metric.LATENCY: ENTRIES.c.latency_s,
    Metric.MEMORY: ENTRIES.c.peak_bytes,
    Metric.ACCURACY: ENTRIES.c.sqnr_db,
    Metric.COMPILE: ENTRIES.c.compile_s,
}


def sessions(last: int | None, words: Sequence[str]) -> Select[Any]:
    """Those that all words are in, the newest first, and whether each is whole."""
    whole = DOCUMENTS.c.session.is_not(None).label("whole")
    asked = select(SESSIONS, whole).outerjoin(DOCUMENTS).where(*map(_has, words))
    return asked.order_by(SESSIONS.c.begun.desc(), SESSIONS.c.id).limit(last)


def count(words: Sequence[str]) -> Select[Any]:
    """How many those are."""
    return select(func.count()).select_from(SESSIONS).where(*map(_has, words))


def verdicts_since(begun: str) -> Select[Any]:
    """How often each verdict was given in each session since then."""
    return (
        select(ENTRIES.c.session, ENTRIES.c.verdict, func.count())
        .join(SESSIONS, SESSIONS.c.id == ENTRIES.c.session)
        .where(SESSIONS.c.begun >= begun, ENTRIES.c.verdict != "")
        .group_by(ENTRIES.c.session, ENTRIES.c.verdict)
    )


def series(variant: str, metric: Metric, *, stack: str | None, machine: str | None, last: int | None) -> Select[Any]:
    """A variant's figures with their sessions, the newest first."""
    column = _COLUMNS[metric]
    asked = (
        select(SESSIONS, ENTRIES.c.verdict, column.label("value"))
        .join(ENTRIES, SESSIONS.c.id == ENTRIES.c.session)
        # A figure that is nothing, as of graphs that all failed to compile, is none; decibels go either way.
        .where(ENTRIES.c.variant == variant, column.is_not(None) if metric is Metric.ACCURACY else column > 0)
        .order_by(SESSIONS.c.begun.desc(), SESSIONS.c.id.desc())
        .limit(last)
    )
    if stack:
        asked = asked.where(SESSIONS.c.stack == stack)
    return asked.where(SESSIONS.c.machine == machine) if machine else asked


def newest(words: Sequence[str]) -> Select[Any]:
    """Every variant whose name all words are in, and the newest session that has it.

    Ids begin with the time, so that an index alone tells.
    """
    return (
        select(ENTRIES.c.variant, func.max(ENTRIES.c.session))
        .where(*(_contains(ENTRIES.c.variant, word) for word in words))
        .group_by(ENTRIES.c.variant)
        .order_by(ENTRIES.c.variant)
    )


def older(machine: str, before: str | None) -> Select[Any]:
    """Whole sessions of a machine class that began earlier, or all; the newest first."""
    whole = select(SESSIONS.c.id, SESSIONS.c.stack).join(DOCUMENTS).where(SESSIONS.c.machine == machine)
    earlier = whole if before is None else whole.where(SESSIONS.c.begun < before)
    return earlier.order_by(SESSIONS.c.begun.desc())


def last_of_each(sessions: Select[Any], variants: Collection[str], most: int) -> Select[Any]:
    """Ids of those sessions that are among the last ``most`` to have one of the variants, the newest first."""
    place = func.row_number().over(partition_by=ENTRIES.c.variant, order_by=SESSIONS.c.begun.desc())
    ranked = (
        sessions.order_by(None)
        .add_columns(SESSIONS.c.begun, place.label("place"))
        .join(ENTRIES, ENTRIES.c.session == SESSIONS.c.id)
        .where(ENTRIES.c.variant.in_(variants))
        .subquery()
    )
    asked = select(ranked.c.id).where(ranked.c.place <= most)
    return asked.group_by(ranked.c.id, ranked.c.begun).order_by(ranked.c.begun.desc())


def _has(word: str) -> ColumnElement[bool]:
    """Whether a session, or a variant of it, has the word in what is shown of it; a day as people write it, too."""
    shown = [SESSIONS.c.id, SESSIONS.c.machine, SESSIONS.c.stack, SESSIONS.c.revision]
    inside = [_contains(column, word) for column in shown]
    if digits := re.sub(r"[-:]", "", word):
        inside.append(_contains(SESSIONS.c.begun, digits))
    return or_(*inside, exists().where(ENTRIES.c.session == SESSIONS.c.id, _contains(ENTRIES.c.variant, word)))


def _contains(column: ColumnElement[str], word: str) -> ColumnElement[bool]:
    return column.icontains(word, autoescape=True)
