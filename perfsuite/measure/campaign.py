"""Measuring many variants: interleaved passes, journalled as they go."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from perfsuite.errors import UsageError, WorkerError
from perfsuite.measure import journal as journals
from perfsuite.measure.rig import Rig
from perfsuite.records.evidence import Evidence
from perfsuite.records.measurement import Digests, Failure, Measurement, Replicate, Stack
from perfsuite.spec import Variant, workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a journal's replicates have in common; only an equal header may be resumed."""

    stack: Stack
    machine_slug: str
    environment: dict[str, str]
    measure_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One finished replicate."""

    variant: Variant
    digests: Digests
    weights_origin: str
    replicate: Replicate


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedEntry:
    """What really ran in one variant."""

    variant: Variant
    evidence: Evidence


class Journal(journals.Journal[Header]):
    """Replicates and evidence."""

    header_type = Header
    kinds = (JournalEntry, ObservedEntry)

    @property
    def entries(self) -> list[JournalEntry]:
        return self.of(JournalEntry)

    @property
    def evidence(self) -> dict[Variant, Evidence]:
        return {record.variant: record.evidence for record in self.of(ObservedEntry)}


def header(rig: Rig) -> Header:
    return Header(
        stack=rig.stack,
        machine_slug=rig.machine.slug,
        environment=rig.environment,
        measure_s=rig.settings.measure_s,
    )


def run(
    rig: Rig,
    variants: Sequence[Variant],
    journal: Journal,
    on_step: Callable[[Variant | None], None],
    *,
    observing: bool,
) -> dict[Variant, Measurement | Failure]:
    """Measure every variant's replicates, pass by pass; then, ``observing``, what each really runs.

    Each pass goes through all variants before the next begins, every other one backwards, so that
    a bad minute of the machine is not one variant's regression. ``on_step`` is told of each
    replicate as it starts, and of the end by None.
    """
    failures: dict[Variant, Failure] = {}
    done = [(entry.variant) for entry in journal.entries]
    for variant in steps(variants, rig.settings.replicates, done):
        on_step(variant)
        if variant in failures:
            continue
        try:
            replicate, digests = rig.replicate(variant)
        except WorkerError as error:
            failures[variant] = Failure(variant=variant, reason=str(error))
            continue
        origin = rig.weights_origin(variant.model)
        journal.append(JournalEntry(variant=variant, digests=digests, weights_origin=origin, replicate=replicate))
    for variant in variants if observing else ():
        if variant in journal.evidence:
            continue
        on_step(variant)
        if variant in failures:
            continue
        try:
            journal.append(ObservedEntry(variant=variant, evidence=rig.evidence(variant)))
        except WorkerError as error:
            failures[variant] = Failure(variant=variant, reason=f"timed, but not to be observed: {error}")
    on_step(None)
    return {variant: failures.get(variant) or _measurement(rig, variant, journal) for variant in variants}


def steps(variants: Sequence[Variant], replicates: int, done: Sequence[Variant] = ()) -> list[Variant]:
    """The order in which replicates are measured, those already ``done`` left out."""
    ordered = []
    for number in range(replicates):
        wanted = [v for v in variants if number == 0 or not workload(v.workload).once]
        ordered += wanted[::-1] if number % 2 else wanted
    remaining = {variant: done.count(variant) for variant in variants}
    left = []
    for variant in ordered:
        if remaining[variant] > 0:
            remaining[variant] -= 1
        else:
            left.append(variant)
    return left


def _measurement(rig: Rig, variant: Variant, journal: Journal) -> Measurement:
    mine = [entry for entry in journal.entries if entry.variant == variant]
    for before, after in itertools.pairwise(mine):
        if before.digests != after.digests:
            raise UsageError(f"{variant.id}: weights or inputs changed between replicates; run without --resume")
    return Measurement(
        variant=variant,
        stack=rig.stack,
        machine=rig.machine,
        digests=mine[0].digests,
        weights_origin=mine[0].weights_origin,
        environment=rig.environment,
        replicates=tuple(entry.replicate for entry in mine),
        evidence=journal.evidence.get(variant),
    )
