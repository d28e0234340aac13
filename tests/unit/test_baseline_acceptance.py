"""What accepting a session does to a file: entries, evidence, provenance, what was given up."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from builders import DIGESTS, MACHINE, OLD_STACK, OTHER_VARIANT, STACK, VARIANT, document, measurement
from evidence_builders import evidence, kernel

from perfsuite.records.baseline import Acceptance, AcceptedFile, Baseline, Provenance
from perfsuite.records.evidence import Evidence
from perfsuite.records.measurement import Measurement, Stack
from perfsuite.store.baselines import Baselines
from perfsuite.store.entries import Entry, read_entries

FIRST, SECOND = measurement(100, 110), measurement(200, 210)
OTHER = measurement(300, 310, variant=OTHER_VARIANT)
OTHER_WEIGHTS = measurement(400, digests=dataclasses.replace(DIGESTS, weights_sha256="c" * 64))
OBSERVED, SEEN_LATER = evidence([kernel(1)]), evidence([kernel(2)])
NAME = f"{MACHINE.slug}/{STACK.slug}.json"

#: Two sessions: what pytest-benchmark says of each, and what an entry keeps of that.
NOVEMBER: dict[str, Any] = {
    "datetime": "2025-11-02T03:04:05+00:00",
    "commit_info": {"id": "aaa", "dirty": True, "branch": "main"},
    "machine_info": {"node": "alder", "release": "6.1.0", "cpu": {}},
}
MARCH: dict[str, Any] = {
    "datetime": "2026-03-04T05:06:07+00:00",
    "commit_info": {"id": "bbb", "dirty": False, "time": None},
    "machine_info": {"node": "birch", "release": "6.6.0"},
}
IN_NOVEMBER = Provenance(accepted_at=NOVEMBER["datetime"], commit="aaa", dirty=True, node="alder", kernel="6.1.0")
IN_MARCH = Provenance(accepted_at=MARCH["datetime"], commit="bbb", dirty=False, node="birch", kernel="6.6.0")


@pytest.fixture
def baselines(tmp_path: Path) -> Baselines:
    return Baselines(tmp_path / "baselines")


def _entry(baselines: Baselines, like: Measurement = FIRST) -> Entry:
    (entry,) = (
        one
        for one in read_entries(baselines.folder / NAME)
        if (one.measurement.variant, one.measurement.digests) == (like.variant, like.digests)
    )
    return entry


def _accepted(*files: AcceptedFile) -> Acceptance:
    return Acceptance(files=files)


@pytest.mark.parametrize(
    ("stored", "measured", "only_new", "accepted", "then"),
    [
        ([], [FIRST, OTHER], False, (VARIANT, OTHER_VARIANT), [OTHER, FIRST]),
        ([], [FIRST, OTHER], True, (VARIANT, OTHER_VARIANT), [OTHER, FIRST]),
        ([FIRST, OTHER], [SECOND], False, (VARIANT,), [OTHER, SECOND]),
        ([FIRST, OTHER_WEIGHTS], [SECOND], False, (VARIANT,), [SECOND, OTHER_WEIGHTS]),
        ([FIRST], [OTHER_WEIGHTS], True, (VARIANT,), [FIRST, OTHER_WEIGHTS]),
        ([FIRST], [SECOND, OTHER], True, (OTHER_VARIANT,), [OTHER, FIRST]),
    ],
    ids=["first", "first-only-new", "replaced", "other-weights-stay", "other-weights-are-new", "only-new"],
)
def test_an_entry_replaces_its_like_and_every_other_stays(
    baselines: Baselines,
    stored: list[Measurement],
    measured: list[Measurement],
    only_new: bool,
    accepted: tuple[object, ...],
    then: list[Measurement],
) -> None:
    if stored:
        baselines.accept(document(*stored), only_new=False)
    (file,) = baselines.accept(document(*measured), only_new=only_new).files
    assert (file.name, file.accepted) == (NAME, accepted)
    assert [entry.measurement for entry in read_entries(baselines.folder / NAME)] == then


def test_nothing_new_writes_nothing(baselines: Baselines) -> None:
    baselines.accept(document(FIRST), only_new=False)
    before = (baselines.folder / NAME).stat().st_ino
    assert baselines.accept(document(SECOND), only_new=True) == _accepted()
    assert (baselines.folder / NAME).stat().st_ino == before


def test_each_stack_has_its_file(baselines: Baselines) -> None:
    old = dataclasses.replace(OTHER, stack=OLD_STACK)
    found = baselines.accept(document(FIRST, old), only_new=False)
    assert found == _accepted(
        AcceptedFile(name=NAME, accepted=(VARIANT,)),
        AcceptedFile(name=f"{MACHINE.slug}/{OLD_STACK.slug}.json", accepted=(OTHER_VARIANT,)),
    )


@pytest.mark.parametrize("only_new", [False, True])
def test_every_entry_keeps_its_own_provenance(baselines: Baselines, only_new: bool) -> None:
    baselines.accept(document(FIRST, **NOVEMBER), only_new=False)
    baselines.accept(document(OTHER, **MARCH), only_new=only_new)
    assert (_entry(baselines, FIRST).provenance, _entry(baselines, OTHER).provenance) == (IN_NOVEMBER, IN_MARCH)
    found = baselines.find(FIRST)
    assert isinstance(found, Baseline)
    assert found.accepted_at == NOVEMBER["datetime"]


def test_an_entry_that_is_replaced_has_the_provenance_of_the_new(baselines: Baselines) -> None:
    baselines.accept(document(FIRST, **NOVEMBER), only_new=False)
    baselines.accept(document(SECOND, **MARCH), only_new=False)
    assert _entry(baselines).provenance == IN_MARCH


def test_an_older_file_has_its_documents_provenance(baselines: Baselines) -> None:
    file = baselines.folder / NAME
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(document(FIRST, **NOVEMBER)))
    assert _entry(baselines).provenance == IN_NOVEMBER
    baselines.accept(document(OTHER, **MARCH), only_new=False)
    assert _entry(baselines).provenance == IN_NOVEMBER


@pytest.mark.parametrize("head", ["datetime", "commit_info", "machine_info"])
def test_what_a_document_does_not_tell_is_not_told(baselines: Baselines, head: str) -> None:
    whole = document(FIRST, **NOVEMBER)
    del whole[head]
    baselines.accept(whole, only_new=False)
    absent = {
        "datetime": {"accepted_at": None},
        "commit_info": {"commit": None, "dirty": False},
        "machine_info": {"node": None, "kernel": None},
    }[head]
    assert _entry(baselines).provenance == dataclasses.replace(IN_NOVEMBER, **absent)  # type: ignore[arg-type]


def _observed(one: Measurement, seen: Evidence = OBSERVED, **changes: Any) -> Measurement:
    return dataclasses.replace(one, evidence=seen, **changes)


ANOTHER_PACKAGE = Stack(python=STACK.python, packages={**STACK.packages, "triton": "3.4.0"})
ANOTHER_PYTHON = Stack(python="3.12.1", packages=STACK.packages)
KEPT, DROPPED = {"kept_evidence": (VARIANT,)}, {"dropped_evidence": (VARIANT,)}


@pytest.mark.parametrize(
    ("stored", "measured", "became", "seen"),
    [
        (_observed(FIRST), SECOND, KEPT, OBSERVED),
        (_observed(FIRST), _observed(SECOND, SEEN_LATER), {}, SEEN_LATER),
        (FIRST, SECOND, {}, None),
        (FIRST, _observed(SECOND), {}, OBSERVED),
        (_observed(FIRST), dataclasses.replace(SECOND, stack=ANOTHER_PACKAGE), DROPPED, None),
        (_observed(FIRST), dataclasses.replace(SECOND, stack=ANOTHER_PYTHON), DROPPED, None),
        (_observed(FIRST), dataclasses.replace(SECOND, environment={"OMP_NUM_THREADS": "2"}), DROPPED, None),
        (_observed(FIRST), dataclasses.replace(SECOND, environment={}), DROPPED, None),
        (_observed(FIRST, stack=ANOTHER_PACKAGE), _observed(SECOND, SEEN_LATER), {}, SEEN_LATER),
    ],
    ids=[
        "kept", "replaced", "none", "new", "other-package", "other-python", "other-threads", "variable-unset",
        "replaced-of-another",
    ],
)  # fmt: skip
def test_evidence_is_kept_or_said_to_be_dropped(
    baselines: Baselines, stored: Measurement, measured: Measurement, became: dict[str, Any], seen: Evidence | None
) -> None:
    baselines.accept(document(stored, OTHER, **NOVEMBER), only_new=False)
    found = baselines.accept(document(measured, **MARCH), only_new=False)
    assert found == _accepted(AcceptedFile(name=NAME, accepted=(VARIANT,), **became))
    entry = _entry(baselines)
    assert entry.measurement == dataclasses.replace(measured, evidence=seen)
    assert entry.provenance == IN_MARCH
    assert entry.evidence_provenance == (IN_NOVEMBER if became == KEPT else None)


def test_evidence_of_other_weights_stays_with_them(baselines: Baselines) -> None:
    baselines.accept(document(_observed(FIRST)), only_new=False)
    found = baselines.accept(document(OTHER_WEIGHTS), only_new=False)
    assert found == _accepted(AcceptedFile(name=NAME, accepted=(VARIANT,)))
    assert [_entry(baselines, one).measurement.evidence for one in (FIRST, OTHER_WEIGHTS)] == [OBSERVED, None]


def test_kept_evidence_keeps_its_provenance_through_many_sessions(baselines: Baselines) -> None:
    baselines.accept(document(_observed(FIRST), **NOVEMBER), only_new=False)
    for at in ("2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"):
        baselines.accept(document(SECOND, **{**MARCH, "datetime": at}), only_new=False)
    assert _entry(baselines).evidence_provenance == IN_NOVEMBER
    baselines.accept(document(_observed(SECOND, SEEN_LATER), **MARCH), only_new=False)
    assert _entry(baselines).evidence_provenance is None


@pytest.mark.parametrize("only_new", [False, True])
def test_what_was_given_up_is_removed(baselines: Baselines, only_new: bool) -> None:
    baselines.accept(document(FIRST, OTHER), only_new=False)
    found = baselines.accept(document(FIRST), only_new=only_new, remove=frozenset({OTHER_VARIANT}))
    accepted = () if only_new else (VARIANT,)
    assert found == _accepted(AcceptedFile(name=NAME, accepted=accepted, removed=(OTHER_VARIANT,)))
    assert baselines.variants(MACHINE, STACK) == {VARIANT}


def test_a_variant_of_several_weights_is_removed_with_all_of_them(baselines: Baselines) -> None:
    baselines.accept(document(FIRST, OTHER_WEIGHTS, OTHER), only_new=False)
    (file,) = baselines.accept(document(OTHER), only_new=True, remove=frozenset({VARIANT})).files
    assert file.removed == (VARIANT,)
    assert baselines.variants(MACHINE, STACK) == {OTHER_VARIANT}


def test_what_is_not_there_is_not_removed(baselines: Baselines) -> None:
    baselines.accept(document(FIRST), only_new=False)
    assert baselines.accept(document(FIRST), only_new=True, remove=frozenset({OTHER_VARIANT})) == _accepted()
