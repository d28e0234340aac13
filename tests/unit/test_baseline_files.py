"""Baseline files: what is written is a pytest-benchmark document that a later session reads, whole or not at all."""

import dataclasses
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from builders import DIGESTS, MACHINE, OTHER_VARIANT, STACK, VARIANT, document, measurement
from evidence_builders import evidence, graphs, kernel, operator

from perfsuite.errors import BaselineError
from perfsuite.records.baseline import Baseline
from perfsuite.store.baselines import Baselines

FIRST, SECOND = measurement(100, 110), measurement(200, 210)
OTHER = measurement(300, 310, variant=OTHER_VARIANT)
OBSERVED = evidence([kernel()], [operator()], graphs=graphs("print"))


@pytest.fixture
def baselines(tmp_path: Path) -> Baselines:
    return Baselines(tmp_path / "baselines")


def _file(baselines: Baselines) -> Path:
    return baselines.folder / MACHINE.slug / f"{STACK.slug}.json"


def test_what_was_accepted_is_found_by_a_later_session(baselines: Baselines) -> None:
    observed = dataclasses.replace(FIRST, evidence=OBSERVED)
    baselines.accept(document(observed, OTHER), only_new=False)
    later = Baselines(baselines.folder)
    later.check()
    found = later.find(SECOND)
    assert isinstance(found, Baseline)
    assert found.measurement == observed


def test_the_file_is_a_pytest_benchmark_document(baselines: Baselines) -> None:
    session = document(FIRST)
    baselines.accept(session, only_new=False)
    written = json.loads(_file(baselines).read_text())
    del written["benchmarks"][0]["extra_info"]["perfsuite_provenance"]
    assert written == json.loads(json.dumps(session))


def test_each_benchmark_is_one_line_in_the_order_of_ids(baselines: Baselines) -> None:
    baselines.accept(document(FIRST, OTHER), only_new=False)
    lines = _file(baselines).read_text().splitlines()
    ids = [json.loads(line.rstrip(","))["param"] for line in lines if line.startswith('{"group"')]
    assert ids == [OTHER_VARIANT.id, VARIANT.id]


def test_accepting_one_changes_its_line_and_the_head(baselines: Baselines) -> None:
    baselines.accept(document(FIRST, OTHER), only_new=False)
    before = _file(baselines).read_text().splitlines()
    baselines.accept(document(SECOND, datetime="2026-02-03T00:00:00+00:00"), only_new=False)
    after = _file(baselines).read_text().splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 2
    assert changed[0] == ' "datetime": "2026-02-03T00:00:00+00:00",'
    assert VARIANT.id in changed[1]


def test_no_partial_file_remains(baselines: Baselines) -> None:
    baselines.accept(document(FIRST), only_new=False)
    assert list(_file(baselines).parent.iterdir()) == [_file(baselines)]


def test_a_write_that_fails_leaves_the_old_file_alone(baselines: Baselines, monkeypatch: pytest.MonkeyPatch) -> None:
    baselines.accept(document(FIRST), only_new=False)
    before = _file(baselines).read_bytes()
    write_text = Path.write_text

    def full_disk(self: Path, data: str, *rest: Any, **more: Any) -> int:
        write_text(self, data[: len(data) // 2], *rest, **more)
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OSError, match="no space left"):
        baselines.accept(document(SECOND), only_new=False)
    assert [path.read_bytes() for path in _file(baselines).parent.iterdir()] == [before]


@pytest.mark.parametrize(
    "broken",
    [
        {"datetime": float("nan")},
        {"commit_info": 3},
        {"datetime": "yesterday"},
        {"benchmarks": [document(SECOND)["benchmarks"][0] | {"stats": {"median": float("inf")}}]},
        {"custom": float("nan")},
    ],
    ids=["datetime", "commit", "no-time", "infinite", "nan"],
)
def test_what_could_not_be_read_again_is_not_written(baselines: Baselines, broken: dict[str, Any]) -> None:
    baselines.accept(document(FIRST), only_new=False)
    before = _file(baselines).read_bytes()
    with pytest.raises(BaselineError):
        baselines.accept(document(SECOND, **broken), only_new=False)
    assert _file(baselines).read_bytes() == before


@pytest.mark.parametrize("content", [b"{", b""])
def test_a_file_that_cannot_be_trusted_is_not_overwritten(baselines: Baselines, content: bytes) -> None:
    _file(baselines).parent.mkdir(parents=True)
    _file(baselines).write_bytes(content)
    with pytest.raises(BaselineError):
        baselines.accept(document(FIRST), only_new=False)
    assert _file(baselines).read_bytes() == content


def test_a_kill_while_accepting_leaves_what_was_and_nothing_behind(
    baselines: Baselines, monkeypatch: pytest.MonkeyPatch
) -> None:
    baselines.accept(document(FIRST), only_new=False)
    before = _file(baselines).read_bytes()
    if not (child := os.fork()):
        monkeypatch.setattr(Path, "replace", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        baselines.accept(document(SECOND), only_new=False)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert (_file(baselines).read_bytes(), len(list(_file(baselines).parent.iterdir()))) == (before, 2)
    later = Baselines(baselines.folder)
    later.check()
    later.accept(document(SECOND), only_new=False)
    assert list(_file(baselines).parent.iterdir()) == [_file(baselines)]


def test_what_another_run_accepted_meanwhile_is_kept(baselines: Baselines) -> None:
    baselines.accept(document(FIRST), only_new=False)
    baselines.check()
    Baselines(baselines.folder).accept(document(OTHER), only_new=False)
    baselines.accept(document(SECOND), only_new=False)
    assert baselines.variants(MACHINE, STACK) == {VARIANT, OTHER_VARIANT}


def test_each_file_is_read_once(baselines: Baselines, monkeypatch: pytest.MonkeyPatch) -> None:
    baselines.accept(document(FIRST, OTHER), only_new=False)
    later = Baselines(baselines.folder)
    read: list[Path] = []
    read_bytes = Path.read_bytes

    def noted(self: Path) -> bytes:
        read.append(self)
        return read_bytes(self)

    monkeypatch.setattr(Path, "read_bytes", noted)
    later.check()
    later.find(FIRST)
    later.find(measurement(1, digests=dataclasses.replace(DIGESTS, inputs_sha256="c" * 64)))
    later.variants(MACHINE, STACK)
    later.evidence(VARIANT, MACHINE, STACK)
    assert read == [_file(later)]


def test_a_file_from_before_evidence_is_read(baselines: Baselines) -> None:
    whole = document(FIRST)
    del whole["benchmarks"][0]["extra_info"]["perfsuite"]["evidence"]
    _file(baselines).parent.mkdir(parents=True)
    _file(baselines).write_text(json.dumps(whole))
    found = baselines.find(SECOND)
    assert isinstance(found, Baseline)
    assert found.measurement == FIRST
    assert baselines.evidence(VARIANT, MACHINE, STACK) is None
