"""A run of replicates and checks, and a journal that survives whatever ends it."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np
import pytest
from builders import DIGESTS, MACHINE, OTHER_VARIANT, STACK, VARIANT, replicate
from evidence_builders import evidence, graphs, kernel, operator
from hypothesis import given, settings
from hypothesis import strategies as st

from perfsuite.check.outputs import Correctness, Outputs
from perfsuite.check.sketch import sketch
from perfsuite.errors import EvidenceError, UsageError, WorkerError
from perfsuite.measure import campaign
from perfsuite.measure.campaign import CheckEntry, Header, Journal, JournalEntry, run, unmeasured
from perfsuite.measure.rig import Rig
from perfsuite.measure.stepping import Stand
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.evidence import Evidence
from perfsuite.records.measurement import Digests, Failure, Measurement, Replicate
from perfsuite.records.violation import Kind, Violation
from perfsuite.settings import Settings
from perfsuite.spec import Variant

A, B = VARIANT, OTHER_VARIANT
HEADER = Header(stack=STACK, machine_slug="some-machine", environment={"OMP_NUM_THREADS": "4"}, measure_s=2.0)


def _entry(variant: Variant, latency_ns: int) -> JournalEntry:
    return JournalEntry(variant=variant, replicate=replicate(latency_ns))


FIRST, SECOND, THIRD = _entry(A, 1), _entry(B, 2), _entry(A, 3)
EVIDENCE = evidence([kernel()], [operator()], graphs=graphs("print"))
OUTPUTS = Outputs(values=np.ones((1, 2, 10), np.float32), mask=None, digests=DIGESTS)
WRONG = Violation(kind=Kind.SQNR_LOW, expected=25.0, found=3.0)
EQUAL = Accuracy(sqnr_db=math.inf, centred_cosine=None, variation=0.0, agreement=1.0, max_error=0.0)
OBSERVED = CheckEntry(
    variant=A, digests=DIGESTS, accuracy=EQUAL, wrong=(WRONG,), reference=sketch(OUTPUTS), evidence=EVIDENCE
)
UNOBSERVED = dataclasses.replace(OBSERVED, evidence=None)


def _written(folder: Path) -> Journal:
    journal = Journal.create(folder, HEADER)
    for entry in (FIRST, SECOND, THIRD):
        journal.append(entry)
    return journal


def test_a_journal_resumes_where_it_ended(tmp_path: Path) -> None:
    written = _written(tmp_path / "new" / "folder")
    resumed = Journal.resume(tmp_path / "new" / "folder", HEADER)
    assert resumed.path == written.path
    assert resumed.entries == written.entries == [FIRST, SECOND, THIRD]


def test_a_resumed_journal_goes_on_in_its_file(tmp_path: Path) -> None:
    Journal.create(tmp_path, HEADER).append(FIRST)
    Journal.resume(tmp_path, HEADER).append(SECOND)
    assert Journal.resume(tmp_path, HEADER).entries == [FIRST, SECOND]


def test_each_entry_is_on_disk_before_the_next_is_measured(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, HEADER)
    for count in (1, 2):
        journal.append(FIRST)
        assert len(Journal.resume(tmp_path, HEADER).entries) == count


@pytest.mark.parametrize("lost_bytes", [1, 40])
def test_a_line_cut_by_a_crash_is_dropped(tmp_path: Path, lost_bytes: int) -> None:
    journal = _written(tmp_path)
    journal.path.write_bytes(journal.path.read_bytes()[:-lost_bytes])
    resumed = Journal.resume(tmp_path, HEADER)
    assert resumed.entries == [FIRST, SECOND]
    # What follows must not be glued to the rest of the cut line.
    resumed.append(THIRD)
    assert Journal.resume(tmp_path, HEADER).entries == [FIRST, SECOND, THIRD]


def test_the_newest_journal_is_resumed(tmp_path: Path) -> None:
    old, new = Journal.create(tmp_path, HEADER), Journal.create(tmp_path, HEADER)
    new.append(SECOND)
    old.append(FIRST)
    assert Journal.resume(tmp_path, HEADER).entries == [SECOND]


@pytest.mark.parametrize(
    "other",
    [
        dataclasses.replace(HEADER, stack=dataclasses.replace(STACK, python="3.12.1")),
        dataclasses.replace(HEADER, machine_slug="another-machine"),
        dataclasses.replace(HEADER, environment={}),
        dataclasses.replace(HEADER, measure_s=1.0),
    ],
    ids=["stack", "machine", "environment", "measure_s"],
)
def test_another_header_is_refused(tmp_path: Path, other: Header) -> None:
    journal = _written(tmp_path)
    before = journal.path.read_bytes()
    with pytest.raises(UsageError, match=f"--resume: .*{journal.path.name}"):
        Journal.resume(tmp_path, other)
    assert journal.path.read_bytes() == before


def test_no_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--resume: there is no journal"):
        Journal.resume(tmp_path / "none", HEADER)


@pytest.mark.parametrize(
    "content",
    [b"3\n", b'{"stack": {\n', b'{"of": "another version"}\n'],
    ids=["none", "damaged", "foreign"],
)
def test_another_header_than_ours_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "20260101T000000.000000.jsonl").write_bytes(content)
    with pytest.raises(UsageError, match="--resume"):
        Journal.resume(tmp_path, HEADER)


@pytest.mark.parametrize("content", [b"", b'{"stack": {'], ids=["empty", "cut"])
def test_a_journal_that_was_killed_in_its_header_begins_anew(tmp_path: Path, content: bytes) -> None:
    """Nothing was measured yet."""
    (tmp_path / "20260101T000000.000000.jsonl").write_bytes(content)
    Journal.resume(tmp_path, HEADER).append(FIRST)
    (journal,) = tmp_path.iterdir()
    assert Journal.resume(tmp_path, HEADER).entries == [FIRST]
    assert journal.read_bytes().endswith(b"\n")


@given(st.integers(min_value=0))
@settings(max_examples=50, deadline=None)
def test_wherever_a_kill_cuts_whole_lines_stay(cut: int) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        journal = _written(folder)
        whole = journal.path.read_bytes()
        kept = whole[: cut % (len(whole) + 1)]
        journal.path.write_bytes(kept)
        lines = kept.count(b"\n")
        resumed = Journal.resume(folder, HEADER)
        assert resumed.entries == [FIRST, SECOND, THIRD][: max(0, lines - 1)]
        resumed.append(THIRD)
        assert len(Journal.resume(folder, HEADER).entries) == max(1, lines)


def test_an_entry_that_is_none_is_refused(tmp_path: Path) -> None:
    journal = _written(tmp_path)
    with journal.path.open("ab") as file:
        file.write(b'{"of": "another version"}\n')
    with pytest.raises(UsageError, match="--resume"):
        Journal.resume(tmp_path, HEADER)


def test_checks_are_journalled_beside_replicates(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, HEADER)
    for line in (FIRST, OBSERVED, SECOND):
        journal.append(line)
    for found in (journal, Journal.resume(tmp_path, HEADER)):
        assert found.entries == [FIRST, SECOND]
        assert found.checks == {A: OBSERVED}


def test_a_run_that_came_to_its_end_is_not_resumed(tmp_path: Path) -> None:
    """Its measurements would be judged as today's."""
    journal = _written(tmp_path)
    journal.finish()
    with pytest.raises(UsageError, match="came to its end at"):
        Journal.resume(tmp_path, HEADER)


def test_evidence_cut_by_a_crash_is_dropped(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, HEADER)
    journal.append(FIRST)
    journal.append(OBSERVED)
    journal.path.write_bytes(journal.path.read_bytes()[:-40])
    resumed = Journal.resume(tmp_path, HEADER)
    assert (resumed.entries, resumed.checks) == ([FIRST], {})


@pytest.mark.parametrize("line", [b'{"variant": 3, "evidence": {}}', b'{"evidence": null}', b"[]", b"3"])
def test_evidence_that_is_none_is_refused(tmp_path: Path, line: bytes) -> None:
    journal = _written(tmp_path)
    with journal.path.open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(UsageError, match="--resume"):
        Journal.resume(tmp_path, HEADER)


class _Rig:
    """Measures at once, and fails where it is told to."""

    stack, machine, environment = STACK, MACHINE, HEADER.environment
    settings = Settings(replicates=2)

    def __init__(self, *, untimed: Variant | None = None, unobserved: Exception | None = None) -> None:
        self.untimed, self.unobserved = untimed, unobserved
        #: Of what the checking workers ran, where it is not what the timed ones did.
        self.digests: dict[Variant, Digests] = {}

    def replicate(self, variant: Variant) -> Replicate:
        if variant == self.untimed:
            raise WorkerError("worker 7 was killed")
        return replicate(1)

    def weights_origin(self, model: str) -> str:
        return "seeded"

    def outputs(self, variant: Variant, *, observing: bool) -> Outputs:
        if variant == A and self.unobserved:
            raise self.unobserved
        return dataclasses.replace(OUTPUTS, digests=self.digests.get(variant, DIGESTS))

    def judged(self, variant: Variant, answer: Outputs) -> Correctness:
        return Correctness(accuracy=EQUAL, violations=(WRONG,) if variant == B else ())

    def reference(self, variant: Variant) -> Outputs:
        return OUTPUTS

    def evidence(self, variant: Variant) -> Evidence:
        return dataclasses.replace(EVIDENCE, model_macs=len(variant.model))

    def forget(self, variant: Variant) -> None:
        pass


def _step(stands: Sequence[Stand], **_: object) -> tuple[Replicate, ...]:
    return tuple(cast(_Rig, stand.rig).replicate(stand.variant) for stand in stands)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "step", _step)


def _run(
    journal: Journal, rig: _Rig, *, observing: bool = True
) -> tuple[dict[Variant, Measurement | Failure], list[Variant | None]]:
    told: list[Variant | None] = []
    return run(cast(Rig, rig), [A, B], journal, told.append, observing=observing), told


def _evidence_of(result: Measurement | Failure) -> Evidence | None:
    assert isinstance(result, Measurement)
    return result.evidence


def test_all_are_timed_before_any_is_checked(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, HEADER)
    found, told = _run(journal, _Rig())
    assert told == [A, B, B, A, A, B, None]
    for variant in (A, B):
        assert _evidence_of(found[variant]) == dataclasses.replace(EVIDENCE, model_macs=len(variant.model))
    assert Journal.resume(tmp_path, HEADER).checks.keys() == {A, B}


def test_what_is_wrong_and_the_reference_s_sketch_belong_to_the_measurement(tmp_path: Path) -> None:
    found, _ = _run(Journal.create(tmp_path, HEADER), _Rig())
    for variant, wrong in ((A, ()), (B, (WRONG,))):
        result = found[variant]
        assert isinstance(result, Measurement)
        assert (result.wrong, result.reference) == (wrong, sketch(OUTPUTS))


def test_unless_asked_for_outputs_alone_are_checked(tmp_path: Path) -> None:
    found, told = _run(Journal.create(tmp_path, HEADER), _Rig(), observing=False)
    assert told == [A, B, B, A, A, B, None]
    assert [_evidence_of(found[variant]) for variant in (A, B)] == [None, None]


def test_what_was_checked_is_not_checked_again(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, HEADER)
    journal.append(OBSERVED)
    found, told = _run(Journal.resume(tmp_path, HEADER), _Rig(unobserved=AssertionError("checked again")))
    assert told == [A, B, B, A, B, None]
    assert _evidence_of(found[A]) == EVIDENCE


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
        # Resuming would not mend it.
        assert not unmeasured([A, B], rig.settings.replicates, Journal.resume(tmp_path, HEADER), observing=True)
        assert "changed between its workers" in failure.reason
        assert isinstance(found[B], Measurement)
