"""Baselines through real files: what is found, what is accepted, and what is not trusted."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from builders import (
    DIGESTS,
    MACHINE,
    OLD_STACK,
    OTHER_VARIANT,
    STACK,
    VARIANT,
    document,
    measurement,
)
from evidence_builders import evidence, graphs, kernel, operator

from perfsuite.errors import BaselineError
from perfsuite.records.machine import MachineClass
from perfsuite.records.measurement import Measurement, Stack
from perfsuite.store.baselines import Baselines, Incomparable, Missing

FIRST, SECOND = measurement(100, 110), measurement(200, 210)
OTHER = measurement(300, 310, variant=OTHER_VARIANT)
OTHER_WEIGHTS = measurement(
    400, digests=dataclasses.replace(DIGESTS, weights_sha256="c" * 64), weights_origin="pretrained"
)


@pytest.fixture
def baselines(tmp_path: Path) -> Baselines:
    return Baselines(tmp_path / "baselines")


def _file(baselines: Baselines) -> Path:
    return baselines.folder / MACHINE.slug / f"{STACK.slug}.json"


def test_what_was_accepted_is_found_by_a_later_session(baselines: Baselines) -> None:
    assert baselines.accept(document(FIRST, OTHER), only_new=False) == {_file(baselines): 2}
    later = Baselines(baselines.folder)
    later.check()
    assert later.find(SECOND) == FIRST
    assert later.find(OTHER) == OTHER


def test_the_file_is_a_pytest_benchmark_document(baselines: Baselines) -> None:
    session = document(FIRST)
    baselines.accept(session, only_new=False)
    assert json.loads(_file(baselines).read_text()) == json.loads(json.dumps(session))


def test_each_benchmark_is_one_line_in_the_order_of_ids(baselines: Baselines) -> None:
    baselines.accept(document(FIRST, OTHER), only_new=False)
    lines = _file(baselines).read_text().splitlines()
    ids = [json.loads(line.rstrip(","))["param"] for line in lines if line.startswith('{"group"')]
    assert ids == [OTHER_VARIANT.id, VARIANT.id]


def test_accepting_one_changes_one_line(baselines: Baselines) -> None:
    baselines.accept(document(FIRST, OTHER), only_new=False)
    before = _file(baselines).read_text().splitlines()
    baselines.accept(document(SECOND), only_new=False)
    after = _file(baselines).read_text().splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    assert VARIANT.id in changed[0]


def test_accept_replaces_its_own_entry_and_keeps_all_others(baselines: Baselines) -> None:
    baselines.accept(document(FIRST, OTHER, OTHER_WEIGHTS), only_new=False)
    assert baselines.accept(document(SECOND), only_new=False) == {_file(baselines): 1}
    found = [baselines.find(one) for one in (FIRST, OTHER, OTHER_WEIGHTS)]
    assert found == [SECOND, OTHER, OTHER_WEIGHTS]


def test_only_new_leaves_what_there_is(baselines: Baselines) -> None:
    baselines.accept(document(FIRST), only_new=False)
    assert baselines.accept(document(SECOND, OTHER), only_new=True) == {_file(baselines): 1}
    assert [baselines.find(one) for one in (FIRST, OTHER)] == [FIRST, OTHER]


def test_nothing_new_writes_nothing(baselines: Baselines) -> None:
    baselines.accept(document(FIRST), only_new=False)
    before = _file(baselines).stat().st_ino
    assert baselines.accept(document(SECOND), only_new=True) == {}
    assert _file(baselines).stat().st_ino == before


def test_no_partial_file_remains(baselines: Baselines) -> None:
    baselines.accept(document(FIRST), only_new=False)
    assert list(_file(baselines).parent.iterdir()) == [_file(baselines)]


def test_a_write_that_fails_leaves_the_old_file(baselines: Baselines, monkeypatch: pytest.MonkeyPatch) -> None:
    baselines.accept(document(FIRST), only_new=False)
    write_text = Path.write_text

    def full_disk(self: Path, data: str, *rest: Any, **more: Any) -> int:
        write_text(self, data[: len(data) // 2], *rest, **more)
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OSError, match="no space left"):
        baselines.accept(document(SECOND), only_new=False)
    later = Baselines(baselines.folder)
    later.check()
    assert later.find(FIRST) == FIRST


def test_another_variant_is_missing(baselines: Baselines) -> None:
    baselines.accept(document(OTHER), only_new=False)
    found = baselines.find(FIRST)
    assert isinstance(found, Missing)
    assert found.reason == f"{MACHINE.slug}/{STACK.slug}.json has no {VARIANT.id}"


def test_without_any_file_the_machine_class_is_named(baselines: Baselines) -> None:
    assert baselines.find(FIRST) == Missing(reason=f"no baseline for machine class {MACHINE.slug}")


def test_another_stack_is_offered_and_can_be_asked_for(baselines: Baselines) -> None:
    old = dataclasses.replace(FIRST, stack=OLD_STACK)
    baselines.accept(document(old), only_new=False)
    found = baselines.find(SECOND)
    assert isinstance(found, Missing)
    assert f"no baseline of stack {STACK.slug}" in found.reason
    assert found.reason.endswith(f"--baseline-stack compares with one of: {OLD_STACK.slug}")
    assert baselines.find(SECOND, stack_slug=OLD_STACK.slug) == old


def test_another_machine_class_is_incomparable_and_says_in_what(baselines: Baselines) -> None:
    elsewhere = dataclasses.replace(MACHINE, threads=2)
    baselines.accept(document(dataclasses.replace(FIRST, machine=elsewhere)), only_new=False)
    found = baselines.find(FIRST)
    assert isinstance(found, Incomparable)
    assert elsewhere.slug in found.reason
    assert found.reason.endswith("threads: 2 against 4")


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("weights_sha256", "weights digest cccccccccccc in the baseline, aaaaaaaaaaaa here"),
        ("inputs_sha256", "inputs digest cccccccccccc in the baseline, bbbbbbbbbbbb here"),
    ],
)
def test_another_digest_is_incomparable_by_name(baselines: Baselines, field: str, words: str) -> None:
    stored = dataclasses.replace(FIRST, digests=dataclasses.replace(DIGESTS, **{field: "c" * 64}))
    baselines.accept(document(stored), only_new=False)
    assert baselines.find(FIRST) == Incomparable(reason=words)


def test_another_origin_of_the_weights_is_said(baselines: Baselines) -> None:
    baselines.accept(document(OTHER_WEIGHTS), only_new=False)
    found = baselines.find(FIRST)
    assert isinstance(found, Incomparable)
    assert found.reason.endswith("weights are 'pretrained' there, 'seeded' here")


def _with_record(**changes: object) -> bytes:
    whole = document(FIRST)
    whole["benchmarks"][0]["extra_info"]["perfsuite"] |= changes
    return json.dumps(whole).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        json.dumps(document(FIRST)).encode()[:-40],
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"{}",
        b'{"benchmarks": 3}',
        b'{"benchmarks": [{"name": "somebody else\'s", "extra_info": {}}]}',
        b'{"benchmarks": [{"extra_info": {"perfsuite": 3}}]}',
        _with_record(environment=None),
        _with_record(replicates=[{"latencies_ns": "fast"}]),
        _with_record(replicates=[]),
    ],
    ids=[
        "empty", "truncated", "binary", "null", "list", "object", "number", "foreign", "other-record",
        "wrong-type", "wrong-replicate", "no-replicates",
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_trusted_is_named(baselines: Baselines, content: bytes) -> None:
    _file(baselines).parent.mkdir(parents=True)
    _file(baselines).write_bytes(content)
    with pytest.raises(BaselineError, match=f"{STACK.slug}.json is not"):
        baselines.check()
    with pytest.raises(BaselineError, match=f"{STACK.slug}.json is not"):
        baselines.find(FIRST)


def test_a_file_that_cannot_be_trusted_is_not_overwritten(baselines: Baselines) -> None:
    _file(baselines).parent.mkdir(parents=True)
    _file(baselines).write_bytes(b"{")
    with pytest.raises(BaselineError):
        baselines.accept(document(FIRST), only_new=False)
    assert _file(baselines).read_bytes() == b"{"


def test_without_a_folder_there_is_nothing_to_check(baselines: Baselines) -> None:
    baselines.check()


OBSERVED = evidence([kernel()], [operator()], graphs=graphs("print"))


def test_evidence_is_kept_with_its_measurement(baselines: Baselines) -> None:
    observed = dataclasses.replace(FIRST, evidence=OBSERVED)
    baselines.accept(document(observed, OTHER), only_new=False)
    later = Baselines(baselines.folder)
    assert later.find(SECOND) == observed
    assert later.evidence(VARIANT, MACHINE, STACK.slug) == OBSERVED


@pytest.mark.parametrize(
    ("stored", "machine", "stack"),
    [
        (dataclasses.replace(OTHER, evidence=OBSERVED), MACHINE, STACK),
        (FIRST, MACHINE, STACK),
        (dataclasses.replace(FIRST, evidence=OBSERVED), MACHINE, OLD_STACK),
        (dataclasses.replace(FIRST, evidence=OBSERVED), dataclasses.replace(MACHINE, threads=2), STACK),
    ],
    ids=["other-variant", "without-evidence", "other-stack", "other-machine"],
)
def test_without_evidence_there_is_none(
    baselines: Baselines, stored: Measurement, machine: MachineClass, stack: Stack
) -> None:
    baselines.accept(document(stored), only_new=False)
    assert baselines.evidence(VARIANT, machine, stack.slug) is None


@pytest.mark.parametrize("order", [1, -1])
def test_of_other_weights_the_one_with_evidence_counts(baselines: Baselines, order: int) -> None:
    both = (OTHER_WEIGHTS, dataclasses.replace(FIRST, evidence=OBSERVED))
    baselines.accept(document(*both[::order]), only_new=False)
    assert baselines.evidence(VARIANT, MACHINE, STACK.slug) == OBSERVED


def test_a_file_from_before_evidence_is_read(baselines: Baselines) -> None:
    whole = document(FIRST)
    del whole["benchmarks"][0]["extra_info"]["perfsuite"]["evidence"]
    _file(baselines).parent.mkdir(parents=True)
    _file(baselines).write_text(json.dumps(whole))
    assert baselines.find(SECOND) == FIRST
    assert baselines.evidence(VARIANT, MACHINE, STACK.slug) is None


def test_evidence_that_cannot_be_trusted_is_named(baselines: Baselines) -> None:
    _file(baselines).parent.mkdir(parents=True)
    _file(baselines).write_bytes(_with_record(evidence={"kernels": "many"}))
    with pytest.raises(BaselineError, match=f"{STACK.slug}.json is not"):
        baselines.evidence(VARIANT, MACHINE, STACK.slug)
