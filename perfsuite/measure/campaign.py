"""Measuring many variants: interleaved passes, journalled as they go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from perfsuite.errors import UsageError, WorkerError
from perfsuite.measure import journal as journals
from perfsuite.measure.head import OWN_MODEL
from perfsuite.measure.rig import Rig
from perfsuite.measure.stepping import Stand, step
from perfsuite.records.accuracy import Accuracy, Sketch
from perfsuite.records.confirmation import Shortlist
from perfsuite.records.evidence import Evidence
from perfsuite.records.measurement import Digests, Failure, Measurement, Replicate
from perfsuite.records.pair import Pair
from perfsuite.records.session import Session
from perfsuite.records.violation import Violation
from perfsuite.spec import Variant, workload

#: In what a session that is resumed may differ from the one that was interrupted.
_INCIDENTAL = frozenset({"id", "begun_at", "perfsuite", "state"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One finished replicate."""

    variant: Variant
    replicate: Replicate


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckEntry:
    """One variant's outputs, held against FP32, the sketch of that reference, and what really ran."""

    variant: Variant
    digests: Digests
    accuracy: Accuracy | None
    wrong: tuple[Violation, ...]
    reference: Sketch
    evidence: Evidence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """That the run was judged and told to its end: nothing of it may be taken for another day's."""

    at: str


class Journal(journals.Journal[Session]):
    """A session as it grows: its replicates, its checks, its suspects' pairs, and whether the run came to its end."""

    header_type = Session
    kinds = (JournalEntry, CheckEntry, Pair, Shortlist, Finish)

    @classmethod
    def resume(cls, folder: Path, header: Session, *, incidental: Collection[str] = _INCIDENTAL) -> Self:
        """As any journal; UsageError if the newest run came to its end.

        A model of the user's own is part of the project: another commit of it is another model.
        """
        own = any(name.startswith(OWN_MODEL) for name in header.settings)
        found = super().resume(folder, header, incidental=incidental if own else {*incidental, "commit"})
        if finished := found.of(Finish):
            raise UsageError(
                f"--resume: the newest run, {found.path.name}, came to its end at {finished[-1].at}: "
                "nothing of it is left to measure; run without --resume"
            )
        return found

    @property
    def entries(self) -> list[JournalEntry]:
        return self.of(JournalEntry)

    @property
    def checks(self) -> dict[Variant, CheckEntry]:
        return {record.variant: record for record in self.of(CheckEntry)}

    def finish(self) -> None:
        self.append(Finish(at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"))


def run(
    rig: Rig,
    variants: Sequence[Variant],
    journal: Journal,
    on_step: Callable[[Variant | None], None],
    *,
    observing: bool,
) -> dict[Variant, Measurement | Failure]:
    """Measure every variant's replicates, pass by pass; then check each one's outputs at the shape that was timed.

    Each pass goes through all variants before the next begins, every other one backwards, so that
    a bad minute of the machine is not one variant's regression. ``observing`` looks at what really runs
    as well. ``on_step`` is told of each step as it starts, and of the end by None.
    """
    failures: dict[Variant, Failure] = {}
    done = [entry.variant for entry in journal.entries]
    for variant in steps(variants, rig.settings.replicates, done):
        on_step(variant)
        if variant in failures:
            continue
        try:
            (replicate,) = step(
                [Stand(variant=variant, rig=rig)],
                duration_s=rig.settings.measure_s,
                warm_up_limit_s=rig.settings.warm_up_limit_s,
            )
        except WorkerError as error:
            failures[variant] = Failure(variant=variant, reason=str(error))
            continue
        journal.append(JournalEntry(variant=variant, replicate=replicate))
    for variant in unchecked(variants, journal, observing=observing):
        on_step(variant)
        if variant in failures:
            continue
        try:
            journal.append(_check(rig, variant, observing=observing))
        except WorkerError as error:
            failures[variant] = Failure(variant=variant, reason=f"timed, but not to be checked: {error}")
    on_step(None)
    return {variant: failures.get(variant) or _measurement(rig, variant, journal) for variant in variants}


def unchecked(variants: Sequence[Variant], journal: Journal, *, observing: bool) -> list[Variant]:
    """Those whose outputs, or, ``observing``, kernels the journal does not hold."""
    checks = journal.checks
    return [
        variant for variant in variants if variant not in checks or (observing and checks[variant].evidence is None)
    ]


def _check(rig: Rig, variant: Variant, *, observing: bool) -> CheckEntry:
    from perfsuite.check.sketch import sketch

    answer = rig.outputs(variant, observing=observing)
    found = rig.judged(variant, answer)
    entry = CheckEntry(
        variant=variant,
        digests=answer.digests,
        accuracy=found.accuracy,
        wrong=found.violations,
        reference=sketch(rig.reference(variant)),
        evidence=rig.evidence(variant) if observing else None,
    )
    rig.forget(variant)
    return entry


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


def _measurement(rig: Rig, variant: Variant, journal: Journal) -> Measurement | Failure:
    """One variant's weights or inputs that changed in mid-run cost that variant only."""
    mine = [entry.replicate for entry in journal.entries if entry.variant == variant]
    check = journal.checks[variant]
    digests = mine[-1].digests
    if {check.digests, *(replicate.digests for replicate in mine)} != {digests}:
        return Failure(
            variant=variant,
            reason="its weights or inputs changed between its workers, so that they did not do the same work; "
            "run it again without --resume",
        )
    return Measurement(
        variant=variant,
        stack=rig.stack,
        machine=rig.machine,
        digests=digests,
        weights_origin=mine[-1].weights_origin,
        environment=rig.environment,
        replicates=tuple(mine),
        evidence=check.evidence,
        wrong=check.wrong,
        reference=check.reference,
        accuracy=check.accuracy,
        session=journal.header.id,
    )
