"""Which of a stack's accepted sessions count for a variant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from perfsuite.backends.registry import slug_of
from perfsuite.records.baseline import Accepted, Baseline, Difference, Incomparable
from perfsuite.records.evidence import Evidence
from perfsuite.records.measurement import Digests, Measurement
from perfsuite.spec import Variant
from perfsuite.store.documents import StoredSession

#: One stack's sessions, the newest first.
Sessions = Sequence[StoredSession]


def holding(sessions: Sessions, variant: Variant) -> list[Accepted]:
    """What the sessions say of the variant since it was last given up, the newest first."""
    found = []
    for stored in sessions:
        if measurement := stored.session.of(variant):
            found.append(Accepted(measurement=measurement, accepted_at=stored.accepted_at, session=stored.session.head))
        if variant.id in stored.session.given_up:
            break
    return found


def same_work(held: Sequence[Accepted], digests: Digests) -> list[Accepted]:
    """Of what is held of a variant that of these weights and inputs."""
    return [one for one in held if one.measurement.digests == digests]


def counting(held: Sequence[Accepted], digests: Digests, most: int) -> list[Accepted]:
    """Of what is held of a variant the last ``most`` of the same weights and inputs, in whatever environment.

    A session that was accepted with another speed is the oldest that counts.
    """
    found: list[Accepted] = []
    for one in same_work(held, digests)[:most]:
        found.append(one)
        if one.measurement.variant.id in one.session.restarted:
            break
    return found


def observed(held: Sequence[Accepted]) -> Accepted | None:
    """The newest with evidence, if the newest of all ran alike: in the same stack and environment."""
    seen = next((one for one in held if one.measurement.evidence), None)
    if seen is None:
        return None
    newest = held[0].measurement
    alike = (seen.measurement.stack, seen.measurement.environment) == (newest.stack, newest.environment)
    return seen if alike else None


def baseline_in(sessions: Sessions, measurement: Measurement, most: int) -> Baseline | Incomparable | None:
    """What the measurement is to be held against in one stack's sessions; None if they lack the variant."""
    held = holding(sessions, measurement.variant)
    if not held:
        return None
    counted = counting(held, measurement.digests, most)
    if not counted:
        return Incomparable(fields=_other_work(held[0].measurement, measurement))
    newest, *older = counted
    with_evidence = replace(newest, measurement=replace(newest.measurement, evidence=_evidence(held, newest)))
    alike = [one for one in older if one.measurement.environment == newest.measurement.environment]
    return Baseline(accepted=(with_evidence, *alike), stack_slug=slug_of(newest.measurement.stack))


def needed(sessions: Sessions, most: int) -> set[str]:
    """The ids of the sessions that some variant needs: for its speed, for its evidence, or to remain given up."""
    wanted: set[str] = set()
    for variant in {one.variant for stored in sessions for one in stored.session.measurements}:
        held = holding(sessions, variant)
        for digests in {one.measurement.digests for one in held}:
            seen = observed(same_work(held, digests))
            wanted |= {one.session.id for one in (*counting(held, digests, most), *([seen] if seen else []))}
    for number, stored in enumerate(sessions):
        older = (one for one in sessions[number + 1 :] if one.session.id in wanted)
        if stored.session.given_up & {one.variant.id for other in older for one in other.session.measurements}:
            wanted.add(stored.session.id)
    return wanted


def variants_in(sessions: Sessions) -> Iterator[Variant]:
    """Every variant that is held, each once."""
    variants = dict.fromkeys(one.variant for stored in sessions for one in stored.session.measurements)
    return (variant for variant in variants if holding(sessions, variant))


def _evidence(held: Sequence[Accepted], newest: Accepted) -> Evidence | None:
    """Of the same work as the newest that counts."""
    seen = observed(same_work(held, newest.measurement.digests))
    return seen.measurement.evidence if seen else None


def _other_work(stored: Measurement, measurement: Measurement) -> tuple[Difference, ...]:
    before, now = stored.digests, measurement.digests
    fields = (
        Difference(name="weights_sha256", before=before.weights_sha256, now=now.weights_sha256),
        Difference(name="inputs_sha256", before=before.inputs_sha256, now=now.inputs_sha256),
        Difference(name="weights_origin", before=stored.weights_origin, now=measurement.weights_origin),
    )
    return tuple(field for field in fields if field.before != field.now)
