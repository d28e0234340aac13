"""A session and a stack's accepted ones -> what is accepted of it, and what of the others is needed no more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from perfsuite.records.baseline import Acceptance
from perfsuite.records.measurement import Measurement
from perfsuite.records.session import Session
from perfsuite.spec import Variant
from perfsuite.store.counting import Sessions, counting, holding, observed, same_work
from perfsuite.store.documents import StoredSession


def accepted_part(
    session: Session,
    older: Sessions,
    *,
    only_new: bool,
    remove: Collection[Variant] = (),
    restarted: Collection[Variant] = (),
) -> Session:
    """The part of the session that becomes a baseline.

    With ``only_new`` these are the variants that have none of the same weights and inputs. Of ``remove`` and
    ``restarted`` what the older sessions have is noted in it.
    """
    measurements = tuple(one for one in session.measurements if not only_new or not _has(older, one))
    accepted = {one.variant for one in measurements}
    return replace(
        session,
        measurements=measurements,
        restarted=frozenset(one.id for one in restarted if one in accepted and holding(older, one)),
        given_up=frozenset(one.id for one in remove if one not in accepted and holding(older, one)),
    )


def acceptance(
    name: str, session: Session, older: Sessions, *, removed: Collection[Variant], most: int, pruned: tuple[str, ...]
) -> Acceptance:
    """What became of variants when the session was accepted beside the older ones."""
    all_sessions = (StoredSession(session=session, accepted_at=None), *older)
    kept: list[Variant] = []
    dropped: list[Variant] = []
    for one in session.measurements:
        if not one.evidence and observed(same_work(holding(older, one.variant), one.digests)):
            found = observed(same_work(holding(all_sessions, one.variant), one.digests))
            (kept if found else dropped).append(one.variant)
    return Acceptance(
        name=name,
        accepted=tuple(one.variant for one in session.measurements),
        sessions=min((_sessions(all_sessions, one, most) for one in session.measurements), default=0),
        kept_evidence=tuple(kept),
        dropped_evidence=tuple(dropped),
        restarted=tuple(one.variant for one in session.measurements if one.variant.id in session.restarted),
        removed=tuple(one for one in removed if one.id in session.given_up),
        pruned=pruned,
    )


def _has(older: Sessions, measurement: Measurement) -> bool:
    return bool(same_work(holding(older, measurement.variant), measurement.digests))


def _sessions(sessions: Sessions, measurement: Measurement, most: int) -> int:
    """How many count for the measurement's variant, in its environment."""
    counted = counting(holding(sessions, measurement.variant), measurement.digests, most)
    return sum(one.measurement.environment == measurement.environment for one in counted)
