"""Measuring many variants: interleaved passes, journalled as they go."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from perfsuite.errors import UsageError, WorkerError
from perfsuite.measure import journal as journals
from perfsuite.measure.clock import Clock
from perfsuite.measure.crew import Crew
from perfsuite.measure.head import OWN_MODEL
from perfsuite.measure.noise import noisiest
from perfsuite.measure.rig import Rig
from perfsuite.measure.stepping import Stand, step
from perfsuite.records.accuracy import Accuracy, Sketch
from perfsuite.records.confirmation import Shortlist
from perfsuite.records.evidence import Evidence
from perfsuite.records.measurement import Digests, Failure, Measurement, Replicate
from perfsuite.records.pair import Pair
from perfsuite.records.session import Session, Unsupported
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
    """A session as it grows: replicates, checks, what failed or cannot run, suspects' pairs, and whether it ended."""

    header_type = Session
    kinds = (JournalEntry, CheckEntry, Failure, Unsupported, Pair, Shortlist, Finish)

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
    clock: Clock | None = None,
) -> dict[Variant, Measurement | Failure]:
    """Measure every variant's replicates, pass by pass, and check its outputs at the shape that was timed.

    Each pass goes through all variants before the next begins, every other one backwards, so that
    a bad minute of the machine is not one variant's regression. The last worker of each answers for its outputs
    when it was timed and, ``observing``, for what really runs. While ``clock`` allows, those that vary most are
    timed again. ``on_step`` is told of each step as it starts, checks too, and of the end by None.
    """
    campaign = _Campaign(rig, variants, journal, on_step, observing=observing)
    campaign.measure()
    if clock is not None:
        campaign.go_on(clock)
    on_step(None)
    return {variant: campaign.failures.get(variant) or _measurement(rig, variant, journal) for variant in variants}


class _Campaign:
    """What is measured and checked so far, and what failed."""

    def __init__(
        self,
        rig: Rig,
        variants: Sequence[Variant],
        journal: Journal,
        on_step: Callable[[Variant | None], None],
        *,
        observing: bool,
    ) -> None:
        self._rig = rig
        self._variants = variants
        self._journal = journal
        self._on_step = on_step
        self._observing = observing
        self._left: list[Variant] = []
        #: Those whose workers have answered, and whose outputs nobody has held against FP32's yet.
        self._answered: list[Variant] = []
        self._took_s: dict[Variant, float] = {}
        self.failures: dict[Variant, Failure] = {}

    def measure(self) -> None:
        """The replicates that were planned, and every variant's check."""
        self._left = steps(
            self._variants, self._rig.settings.replicates, [entry.variant for entry in self._journal.entries]
        )
        wanted = self._unchecked()
        for variant in self._first_of_each_backend():
            self._rig.preload(variant)
        while self._left:
            variant = self._left.pop(0)
            self._on_step(variant)
            if variant not in self.failures:
                self._time(variant, last=variant in wanted and variant not in self._left)
            self._check(wanted)
        for variant in self._unchecked():  # an earlier run measured them, or they failed
            self._on_step(variant)
            if variant not in self.failures:
                self._hold(variant)

    def go_on(self, clock: Clock) -> None:
        """One replicate more of what varies most, again and again while the clock allows one as long as its last."""
        while fitting := [
            variant
            for variant in self._variants
            if variant not in self.failures
            and not workload(variant.workload).once
            and clock.allows(self._took_s.get(variant, 0.0))
        ]:
            variant = noisiest({variant: self._latencies_s(variant) for variant in fitting})
            self._on_step(variant)
            self._time(variant, last=False)

    def _latencies_s(self, variant: Variant) -> list[float]:
        return [entry.replicate.latency_s for entry in self._journal.entries if entry.variant == variant]

    def _first_of_each_backend(self) -> list[Variant]:
        """One variant for each launcher that will be needed: what they import takes 5 to 25 s, of one core."""
        needed = [*dict.fromkeys(self._left), *(variant.reference for variant in self._left)]
        return list({variant.backend: variant for variant in reversed(needed)}.values())

    def _time(self, variant: Variant, *, last: bool) -> None:
        """One replicate; a worker that fails afterwards, while it answers, costs the check and not the replicate."""
        begun_s = time.perf_counter()

        def then(crew: Crew, replicate: Replicate) -> None:
            self._journal.append(JournalEntry(variant=variant, replicate=replicate))
            forward_s = replicate.latency_s if replicate.instances == 1 else None
            if last and self._checked(
                variant, lambda: self._rig.answer(crew, observing=self._observing, forward_s=forward_s)
            ):
                self._answered.append(variant)

        settings = self._rig.settings
        try:
            step(
                [Stand(variant=variant, rig=self._rig)],
                duration_s=settings.measure_s,
                warm_up_limit_s=settings.warm_up_limit_s,
                then=then,
            )
        except WorkerError as error:
            self._fail(variant, str(error))
        self._took_s[variant] = time.perf_counter() - begun_s

    def _check(self, wanted: Sequence[Variant]) -> None:
        """Hold what was answered against FP32, where that is not still to answer for itself."""
        for variant in list(self._answered):
            coming = variant.reference in self._left and variant.reference in wanted
            if self._rig.knows_reference(variant) or not coming:
                self._answered.remove(variant)
                self._on_step(variant)
                self._hold(variant)

    def _hold(self, variant: Variant) -> None:
        self._checked(variant, lambda: self._journal.append(_check(self._rig, variant, observing=self._observing)))

    def _checked(self, variant: Variant, do: Callable[[], None]) -> bool:
        """Whether that could be done."""
        try:
            do()
        except WorkerError as error:
            self._fail(variant, f"timed, but not to be checked: {error}")
            return False
        return True

    def _fail(self, variant: Variant, reason: str) -> None:
        self.failures[variant] = failure = Failure(variant=variant, reason=reason)
        self._journal.append(failure)

    def _unchecked(self) -> list[Variant]:
        return unchecked(self._variants, self._journal, observing=self._observing)


def unchecked(variants: Sequence[Variant], journal: Journal, *, observing: bool) -> list[Variant]:
    """Those whose outputs, or, ``observing``, kernels the journal does not hold."""
    checks = journal.checks
    return [
        variant for variant in variants if variant not in checks or (observing and checks[variant].evidence is None)
    ]


def unmeasured(
    variants: Sequence[Variant], replicates: int, journal: Journal, *, observing: bool
) -> frozenset[Variant]:
    """Those of which the journal lacks a replicate or a check: a resumed run measures them again."""
    done = [entry.variant for entry in journal.entries]
    return frozenset((*steps(variants, replicates, done), *unchecked(variants, journal, observing=observing)))


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
