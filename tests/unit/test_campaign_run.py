"""One run of a campaign: who is timed, who answers when, and what a failure costs."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest
from builders import DIGESTS, MACHINE, ONCE_VARIANT, STACK, replicate
from test_campaign import EQUAL, EVIDENCE, FIRST, HEADER, OBSERVED, OUTPUTS, SECOND, THIRD, UNOBSERVED, WRONG, A, B

from perfsuite.check.outputs import Correctness, Outputs
from perfsuite.check.sketch import sketch
from perfsuite.errors import EvidenceError, WorkerError
from perfsuite.measure import campaign
from perfsuite.measure.campaign import Journal, JournalEntry, run, unmeasured
from perfsuite.measure.clock import Clock
from perfsuite.measure.noise import noisiest
from perfsuite.measure.rig import Rig
from perfsuite.measure.stepping import Stand
from perfsuite.records.evidence import Evidence
from perfsuite.records.measurement import Digests, Failure, Measurement, Replicate
from perfsuite.settings import Settings
from perfsuite.spec import Variant


class _Rig:
    """Measures at once, and fails where it is told to."""

    stack, machine, environment = STACK, MACHINE, HEADER.environment
    settings = Settings(replicates=2)

    def __init__(self, *, untimed: Variant | None = None, unobserved: BaseException | None = None) -> None:
        self.untimed, self.unobserved = untimed, unobserved
        #: Of what answered, where it is not what was timed.
        self.digests: dict[Variant, Digests] = {}
        #: What it was asked, in order.
        self.asked: list[tuple[str, Variant]] = []
        self.latencies_ns: dict[Variant, Iterator[int]] = {}
        self._answers: set[Variant] = set()
        self._references: set[Variant] = set()

    def replicate(self, variant: Variant) -> Replicate:
        self.asked.append(("time", variant))
        if variant == self.untimed:
            raise WorkerError("worker 7 was killed")
        return replicate(next(self.latencies_ns[variant]) if variant in self.latencies_ns else 1)

    def preload(self, variant: Variant) -> None:
        self.asked.append(("preload", variant))

    def weights_origin(self, model: str) -> str:
        return "seeded"

    def answer(self, timed: Stand, *, observing: bool, forward_s: float) -> None:
        self.asked.append(("answer", timed.variant))
        if timed.variant == A and self.unobserved:
            raise self.unobserved
        self._answers.add(timed.variant)
        if timed.variant == timed.variant.reference:
            self._references.add(timed.variant)

    def outputs(self, variant: Variant, *, observing: bool) -> Outputs:
        if variant not in self._answers:
            self.asked.append(("ask another worker", variant))
            if variant == A and self.unobserved:
                raise self.unobserved
        return dataclasses.replace(OUTPUTS, digests=self.digests.get(variant, DIGESTS))

    def judged(self, variant: Variant, answer: Outputs) -> Correctness:
        return Correctness(accuracy=EQUAL, violations=(WRONG,) if variant == B else ())

    def reference(self, variant: Variant) -> Outputs:
        if variant.reference not in self._references:
            self.asked.append(("ask another worker", variant.reference))
            self._references.add(variant.reference)
        return OUTPUTS

    def knows_reference(self, variant: Variant) -> bool:
        return variant.reference in self._references

    def evidence(self, variant: Variant) -> Evidence:
        return dataclasses.replace(EVIDENCE, model_macs=len(variant.model))

    def forget(self, variant: Variant) -> None:
        self._answers.discard(variant)

    def all_asked(self, what: str) -> list[Variant]:
        return [variant for asked, variant in self.asked if asked == what]


def _step(stands: Sequence[Stand], *, then: Callable[[Stand, Replicate], None], **_: object) -> tuple[Replicate, ...]:
    (stand,) = stands
    measured = cast(_Rig, stand.rig).replicate(stand.variant)
    then(stand, measured)
    return (measured,)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "step", _step)


def _run(
    journal: Journal,
    rig: _Rig,
    variants: Sequence[Variant] = (A, B),
    *,
    observing: bool = True,
    clock: Clock | None = None,
) -> tuple[dict[Variant, Measurement | Failure], list[Variant | None]]:
    told: list[Variant | None] = []
    return run(cast(Rig, rig), variants, journal, told.append, observing=observing, clock=clock), told


def _evidence_of(result: Measurement | Failure) -> Evidence | None:
    assert isinstance(result, Measurement)
    return result.evidence


def test_each_is_checked_once_its_last_replicate_is_timed(tmp_path: Path) -> None:
    journal, rig = Journal.create(tmp_path, HEADER), _Rig()
    found, told = _run(journal, rig)
    assert told == [A, B, B, B, A, A, None]
    for variant in (A, B):
        assert _evidence_of(found[variant]) == dataclasses.replace(EVIDENCE, model_macs=len(variant.model))
    assert Journal.resume(tmp_path, HEADER).checks.keys() == {A, B}
    assert rig.all_asked("answer") == [B, A], "the worker that was timed last answers, and no other one"
    assert rig.all_asked("ask another worker") == [B.reference, A.reference]


def test_a_replicate_is_journalled_before_its_worker_answers(tmp_path: Path) -> None:
    """Whatever ends the run meanwhile."""
    journal, rig = Journal.create(tmp_path, HEADER), _Rig(unobserved=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        _run(journal, rig)
    assert [entry.variant for entry in Journal.resume(tmp_path, HEADER).entries] == [A, B, B, A]


@pytest.mark.parametrize("order", [(A, A.reference), (A.reference, A)], ids=["comes last", "comes first"])
@pytest.mark.parametrize("replicates", [1, 2])
def test_a_reference_that_is_measured_itself_needs_no_other_worker(
    tmp_path: Path, order: tuple[Variant, ...], replicates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Rig, "settings", Settings(replicates=replicates))
    journal, rig = Journal.create(tmp_path, HEADER), _Rig()
    _run(journal, rig, order)
    assert rig.all_asked("ask another worker") == []
    assert journal.checks.keys() == {A, A.reference}


def test_a_reference_that_cannot_be_timed_is_asked_of_another_worker(tmp_path: Path) -> None:
    journal, rig = Journal.create(tmp_path, HEADER), _Rig(untimed=A.reference)
    found, _ = _run(journal, rig, (A, A.reference))
    assert rig.all_asked("ask another worker") == [A.reference]
    assert isinstance(found[A], Measurement)


def test_launchers_are_begun_side_by_side(tmp_path: Path) -> None:
    rig = _Rig()
    _run(Journal.create(tmp_path, HEADER), rig)
    assert sorted(variant.backend for variant in rig.all_asked("preload")) == ["ipex", "stock"]
    assert [asked for asked, _ in rig.asked[:2]] == ["preload", "preload"]


def test_what_is_wrong_and_the_reference_s_sketch_belong_to_the_measurement(tmp_path: Path) -> None:
    found, _ = _run(Journal.create(tmp_path, HEADER), _Rig())
    for variant, wrong in ((A, ()), (B, (WRONG,))):
        result = found[variant]
        assert isinstance(result, Measurement)
        assert (result.wrong, result.reference, result.accuracy) == (wrong, sketch(OUTPUTS), EQUAL)


def test_unless_asked_for_outputs_alone_are_checked(tmp_path: Path) -> None:
    found, told = _run(Journal.create(tmp_path, HEADER), _Rig(), observing=False)
    assert told == [A, B, B, B, A, A, None]
    assert [_evidence_of(found[variant]) for variant in (A, B)] == [None, None]


def test_what_was_checked_is_not_checked_again(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, HEADER)
    journal.append(OBSERVED)
    found, told = _run(Journal.resume(tmp_path, HEADER), _Rig(unobserved=AssertionError("checked again")))
    assert told == [A, B, B, B, A, None]
    assert _evidence_of(found[A]) == EVIDENCE


def test_what_is_timed_and_not_checked_is_asked_of_another_worker(tmp_path: Path) -> None:
    journal, rig = Journal.create(tmp_path, HEADER), _Rig()
    for entry in (FIRST, SECOND, THIRD):
        journal.append(entry)
    journal.append(JournalEntry(variant=B, replicate=replicate(4)))
    _run(Journal.resume(tmp_path, HEADER), rig)
    assert rig.all_asked("time") == []
    assert rig.all_asked("ask another worker") == [A, A.reference, B, B.reference]


def test_evidence_that_a_resumed_run_did_not_want_is_caught_up_with(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, HEADER)
    journal.append(UNOBSERVED)
    found, _ = _run(Journal.resume(tmp_path, HEADER), _Rig())
    assert _evidence_of(found[A])


@pytest.mark.parametrize("error", [WorkerError("worker 7 hung"), EvidenceError("no pass")])
def test_a_variant_that_cannot_be_checked_fails_alone(tmp_path: Path, error: Exception) -> None:
    found, _ = _run(Journal.create(tmp_path, HEADER), _Rig(unobserved=error))
    assert found[A] == Failure(variant=A, reason=f"timed, but not to be checked: {error}")
    assert _evidence_of(found[B])


def test_a_variant_that_cannot_be_timed_is_not_checked(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, HEADER)
    found, told = _run(journal, _Rig(untimed=A))
    assert found[A] == Failure(variant=A, reason="worker 7 was killed")
    # Told of all the same: the progress counts steps.
    assert len(told) == 7
    assert journal.checks.keys() == {B}


OTHER = Digests(weights_sha256="c" * 64, inputs_sha256="d" * 64)


@pytest.mark.parametrize("resuming", [False, True], ids=["while it was checked", "between resumed replicates"])
def test_weights_that_changed_cost_their_own_variant_only(tmp_path: Path, resuming: bool) -> None:
    """A night is not lost after all is measured, and can be resumed ever after."""
    rig = _Rig()
    journal = Journal.create(tmp_path, HEADER)
    if resuming:
        journal.append(dataclasses.replace(FIRST, replicate=dataclasses.replace(FIRST.replicate, digests=OTHER)))
    else:
        rig.digests[A] = OTHER
    for _ in range(2):
        found, _ = _run(Journal.resume(tmp_path, HEADER), rig)
        failure = found[A]
        assert isinstance(failure, Failure)
        assert "changed between its workers" in failure.reason
        assert isinstance(found[B], Measurement)


class _Turns(Clock):
    """Allows so many more replicates."""

    def __init__(self, count: int) -> None:
        super().__init__(0.0)
        self._left = count

    def allows(self, duration_s: float = 0.0) -> bool:
        return self._left > 0

    def count_one(self) -> None:
        self._left -= 1


def _varying(rig: _Rig, variant: Variant, factor: int) -> None:
    rig.latencies_ns[variant] = itertools.cycle([1_000_000, factor * 1_000_000])


@pytest.mark.parametrize("turns", [0, 1, 5])
def test_while_the_clock_allows_what_varies_most_is_timed_again(
    tmp_path: Path, turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, rig, clock = Journal.create(tmp_path, HEADER), _Rig(), _Turns(turns)
    _varying(rig, B, 2)
    asked = rig.replicate

    def counting(variant: Variant) -> Replicate:
        if len(journal.entries) >= 4:
            clock.count_one()
        return asked(variant)

    monkeypatch.setattr(rig, "replicate", counting)
    found, told = _run(journal, rig, clock=clock)
    assert rig.all_asked("time") == [A, B, B, A, *[B] * turns]
    assert told == [A, B, B, B, A, A, *[B] * turns, None]
    assert rig.all_asked("answer") == [B, A]
    result = found[B]
    assert isinstance(result, Measurement)
    assert len(result.replicates) == 2 + turns


def test_what_runs_once_is_not_timed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig, clock = _Rig(), _Turns(1)
    monkeypatch.setattr(rig, "preload", lambda variant: None)
    monkeypatch.setattr(clock, "allows", lambda _: len(rig.asked) < 9)
    _run(Journal.create(tmp_path, HEADER), rig, [ONCE_VARIANT], clock=clock)
    assert rig.all_asked("time") == [ONCE_VARIANT]


@pytest.mark.parametrize(
    ("latencies_s", "expected"),
    [
        pytest.param({A: (1, 1.01), B: (1, 1.2)}, B, id="the one that varies more"),
        pytest.param({A: (1, 1.2, 1, 1.2, 1, 1.2), B: (1, 1.1)}, B, id="the one that is known by fewer"),
        pytest.param({A: (1, 1.2), B: (1,)}, B, id="the one that nothing is known of"),
        pytest.param({A: (1,), B: (1,)}, A, id="the first of equals"),
    ],
)
def test_the_noisiest_is(latencies_s: dict[Variant, tuple[float, ...]], expected: Variant) -> None:
    assert noisiest(latencies_s) == expected


def _unmeasured(journal: Journal, *, observing: bool = True) -> frozenset[Variant]:
    return unmeasured([A, B], _Rig.settings.replicates, journal, observing=observing)


@pytest.mark.parametrize(
    ("rig", "failed"),
    [
        pytest.param(_Rig(untimed=A), {A}, id="timing"),
        pytest.param(_Rig(unobserved=WorkerError("worker 7 was killed")), {A}, id="checking"),
        pytest.param(_Rig(), set(), id="nowhere"),
    ],
)
def test_what_failed_is_measured_by_the_next_that_resumes(tmp_path: Path, rig: _Rig, failed: set[Variant]) -> None:
    journal = Journal.create(tmp_path, HEADER)
    _run(journal, rig)
    assert _unmeasured(journal) == failed
    resumed = Journal.resume(tmp_path, HEADER)
    found, _ = _run(resumed, _Rig())
    assert all(isinstance(result, Measurement) and len(result.replicates) == 2 for result in found.values())
    assert _unmeasured(resumed) == set()


def test_what_was_not_observed_is_unmeasured_where_it_is_asked_for(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, HEADER)
    _run(journal, _Rig(), observing=False)
    assert _unmeasured(journal, observing=False) == set()
    assert _unmeasured(journal) == {A, B}


def test_what_is_checked_but_lacks_a_replicate_is_unmeasured(tmp_path: Path) -> None:
    """As where a run is resumed with more replicates, and a worker is killed then."""
    journal = Journal.create(tmp_path, HEADER)
    _run(journal, _Rig())
    assert unmeasured([A, B], _Rig.settings.replicates + 1, journal, observing=True) == {A, B}
