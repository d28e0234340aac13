"""A run of replicates and checks, and a journal that survives whatever ends it."""

import dataclasses
import math
import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from builders import DIGESTS, MACHINE, OTHER_VARIANT, STACK, VARIANT, outputs_of, replicate, session
from evidence_builders import evidence, graphs, kernel, operator
from hypothesis import given, settings
from hypothesis import strategies as st

from perfsuite.check.sketch import sketch
from perfsuite.errors import UsageError
from perfsuite.measure.campaign import CheckEntry, Journal, JournalEntry
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.session import Commit, MachineState
from perfsuite.records.violation import Kind, Violation
from perfsuite.spec import Variant

A, B = VARIANT, OTHER_VARIANT
HEADER = session().head


def _entry(variant: Variant, latency_ns: int) -> JournalEntry:
    return JournalEntry(variant=variant, replicate=replicate(latency_ns))


FIRST, SECOND, THIRD = _entry(A, 1), _entry(B, 2), _entry(A, 3)
EVIDENCE = evidence([kernel()], [operator()], graphs=graphs("print"))
OUTPUTS = outputs_of(np.ones((1, 2, 10), np.float32))
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


OWN_MODELS = dataclasses.replace(HEADER, settings={**HEADER.settings, "models.mine": "mine:MODEL"})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"stack": dataclasses.replace(STACK, python="3.12.1")}, "stack"),
        ({"contents": {}}, "contents"),
        ({"machine": dataclasses.replace(MACHINE, threads=1)}, "machine"),
        ({"environment": {}}, "environment"),
        ({"settings": {"measure_s": 1.0}}, "settings"),
        ({"settings": OWN_MODELS.settings}, "settings"),
    ],
)
def test_what_was_measured_otherwise_is_refused(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    journal = _written(tmp_path)
    before = journal.path.read_bytes()
    with pytest.raises(UsageError, match=f"--resume: .*{journal.path.name} was measured with another {named};"):
        Journal.resume(tmp_path, dataclasses.replace(HEADER, **changes))
    assert journal.path.read_bytes() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "20260103T000000.000000Z-ffff", "begun_at": "2026-01-03T00:00:00+00:00"},
        {"perfsuite": "1.1"},
        {"state": MachineState(load_1min=2.0)},
        {"commit": None},
    ],
    ids=["time", "version", "state", "commit"],
)
def test_a_session_that_is_resumed_remains_the_one_that_was_interrupted(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    _written(tmp_path)
    found = Journal.resume(tmp_path, dataclasses.replace(HEADER, **changes))
    assert (found.header, found.entries) == (HEADER, [FIRST, SECOND, THIRD])


def test_another_commit_of_a_project_with_models_of_its_own_is_refused(tmp_path: Path) -> None:
    Journal.create(tmp_path, OWN_MODELS)
    assert Journal.resume(tmp_path, OWN_MODELS).entries == []
    with pytest.raises(UsageError, match="was measured with another commit;"):
        Journal.resume(tmp_path, dataclasses.replace(OWN_MODELS, commit=Commit(id="bbb")))


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


@pytest.mark.parametrize("number", range(4), ids=["head", "replicate", "check", "end-of-the-check"])
def test_a_journal_that_is_not_as_it_was_written_is_read_as_valid_or_refused(tmp_path: Path, number: int) -> None:
    """A thousand of them: never another exception, and what is resumed can be judged."""
    journal = Journal.create(tmp_path, HEADER)
    for record in (FIRST, OBSERVED):
        journal.append(record)
    whole = journal.path.read_bytes()
    lines = whole.splitlines(keepends=True)
    start = sum(map(len, lines[:number])) if number < 3 else len(whole) - 1500
    generator = random.Random(number)
    refused = 0
    for _ in range(250):
        at = start + generator.randrange(len(lines[min(number, 2)]) if number < 3 else 1500)
        other = generator.choice([b"", b"0", b"-", b'"', b"}", b"]", b",", b"null", b"1e999", b"NaN", b"[" * 5000])
        journal.path.write_bytes(whole[:at] + other + whole[at + generator.randrange(8) :])
        try:
            found = Journal.resume(tmp_path, HEADER)
        except UsageError:
            refused += 1
            continue
        assert all(entry.replicate.latency_s > 0 for entry in found.entries)
        assert found.header.machine == MACHINE
    assert refused > 100


@pytest.mark.parametrize("line", [b'{"variant": 3, "evidence": {}}', b'{"evidence": null}', b"[]", b"3"])
def test_evidence_that_is_none_is_refused(tmp_path: Path, line: bytes) -> None:
    journal = _written(tmp_path)
    with journal.path.open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(UsageError, match="--resume"):
        Journal.resume(tmp_path, HEADER)
