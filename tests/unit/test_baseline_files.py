"""Baseline files: what is written is a pytest-benchmark document that a later session reads, whole or not at all."""

import dataclasses
import json
import math
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from builders import DIGESTS, MACHINE, OTHER_VARIANT, STACK, VARIANT, document, measurement, session
from evidence_builders import evidence, graphs, kernel, operator

from perfsuite.backends.registry import slug_of
from perfsuite.errors import BaselineError
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.baseline import Baseline
from perfsuite.store.baselines import Baselines

FIRST, SECOND = measurement(100, 110), measurement(200, 210)
OTHER = measurement(300, 310, variant=OTHER_VARIANT)
OBSERVED = evidence([kernel()], [operator()], graphs=graphs("print"))


@pytest.fixture
def baselines(tmp_path: Path) -> Baselines:
    return Baselines(tmp_path / "baselines", most=8)


def _file(baselines: Baselines) -> Path:
    return baselines.folder / MACHINE.slug / slug_of(STACK) / "20260102T030405.678000Z.json"


def test_what_was_accepted_is_found_by_a_later_session(baselines: Baselines) -> None:
    observed = dataclasses.replace(FIRST, evidence=OBSERVED)
    baselines.accept(document(observed, OTHER), only_new=False)
    later = Baselines(baselines.folder, most=8)
    later.check()
    found = later.find(SECOND)
    assert isinstance(found, Baseline)
    assert found.measurement == observed


def test_the_file_is_a_pytest_benchmark_document(baselines: Baselines) -> None:
    whole = document(FIRST)
    baselines.accept(whole, only_new=False)
    assert json.loads(_file(baselines).read_text()) == json.loads(json.dumps(whole))


def test_what_a_session_has_in_common_stands_once(baselines: Baselines) -> None:
    baselines.accept(document(FIRST, OTHER), only_new=False)
    content = _file(baselines).read_text()
    assert content.count("intel-extension-for-pytorch") == content.count(MACHINE.cpu_model) == 1
    assert json.loads(content)["perfsuite"]["stack"]["packages"] == STACK.packages


def test_what_was_measured_of_infinity_is_read_again(baselines: Baselines) -> None:
    """Outputs that are equal lie an infinity of decibels apart."""
    equal = Accuracy(sqnr_db=math.inf, centred_cosine=None, variation=0.0, agreement=1.0, max_error=0.0)
    whole = dataclasses.replace(FIRST, accuracy=equal)
    baselines.accept(document(whole), only_new=False)
    found = Baselines(baselines.folder, most=8).find(SECOND)
    assert isinstance(found, Baseline)
    assert found.measurement == whole


def test_the_circumstances_of_a_session_are_kept(baselines: Baselines) -> None:
    baselines.accept(document(FIRST), only_new=False)
    found = Baselines(baselines.folder, most=8).find(SECOND)
    assert isinstance(found, Baseline)
    assert found.accepted[0].session == session(FIRST).head


def test_each_benchmark_is_one_line_in_the_order_of_ids(baselines: Baselines) -> None:
    baselines.accept(document(FIRST, OTHER), only_new=False)
    lines = _file(baselines).read_text().splitlines()
    ids = [json.loads(line.rstrip(","))["param"] for line in lines if line.startswith('{"group"')]
    assert ids == [OTHER_VARIANT.id, VARIANT.id]


def test_a_session_that_accepts_nothing_but_a_loss_is_read(baselines: Baselines) -> None:
    baselines.accept(document(FIRST, OTHER), only_new=False)
    later = document(FIRST, begun_at="2026-02-03T00:00:00+00:00")
    baselines.accept(later, only_new=True, remove=frozenset({OTHER_VARIANT}))
    assert Baselines(baselines.folder, most=8).newest(MACHINE, STACK).keys() == {VARIANT}


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
        {"datetime": "yesterday"},
        {"benchmarks": [document(SECOND)["benchmarks"][0] | {"stats": {"median": float("nan")}}]},
        {"custom": float("nan")},
        {"perfsuite": None},
    ],
    ids=["datetime", "no-time", "a-figure", "nan", "no-session"],
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
    later = document(SECOND, begun_at="2026-01-03T00:00:00+00:00")
    if not (child := os.fork()):
        monkeypatch.setattr(Path, "replace", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        baselines.accept(later, only_new=False)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    folder = _file(baselines).parent
    assert (_file(baselines).read_bytes(), len(list(folder.iterdir()))) == (before, 2)
    again = Baselines(baselines.folder, most=8)
    again.check()
    again.accept(later, only_new=False)
    assert {path.suffix for path in folder.iterdir()} == {".json"}
    assert len(list(folder.iterdir())) == 2


def test_what_another_run_accepted_meanwhile_counts(baselines: Baselines) -> None:
    baselines.accept(document(FIRST), only_new=False)
    baselines.check()
    other = document(OTHER, SECOND, begun_at="2026-01-03T00:00:00+00:00")
    Baselines(baselines.folder, most=8).accept(other, only_new=False)
    third = document(FIRST, begun_at="2026-01-04T00:00:00+00:00")
    assert baselines.accept(third, only_new=False).sessions == 3
    assert baselines.newest(MACHINE, STACK).keys() == {VARIANT, OTHER_VARIANT}


def test_each_file_is_read_once(baselines: Baselines, monkeypatch: pytest.MonkeyPatch) -> None:
    baselines.accept(document(FIRST, OTHER), only_new=False)
    later = Baselines(baselines.folder, most=8)
    read: list[Path] = []
    read_bytes = Path.read_bytes

    def noted(self: Path) -> bytes:
        read.append(self)
        return read_bytes(self)

    monkeypatch.setattr(Path, "read_bytes", noted)
    later.check()
    later.find(FIRST)
    later.find(measurement(1, digests=dataclasses.replace(DIGESTS, inputs_sha256="c" * 64)))
    later.newest(MACHINE, STACK)
    later.evidence(VARIANT, MACHINE, STACK)
    assert read == [_file(later)]


@pytest.mark.parametrize(
    "name", ["20260102T030405.678001Z.json", "mine.json"], ids=["of-another-time", "of-the-user-s"]
)
def test_a_file_is_found_where_it_belongs(baselines: Baselines, name: str) -> None:
    baselines.accept(document(FIRST), only_new=False)
    _file(baselines).rename(_file(baselines).with_name(name))
    with pytest.raises(BaselineError, match=f"{name} holds a session of another place: its file is .*678000Z.json"):
        Baselines(baselines.folder, most=8).check()


def test_a_file_of_an_older_perfsuite_is_named_with_what_to_do(baselines: Baselines) -> None:
    path = baselines.folder / MACHINE.slug / f"{slug_of(STACK)}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document(FIRST)))
    with pytest.raises(BaselineError, match=r"2.8.0.json is not a folder of sessions: .*delete it, and accept anew"):
        baselines.check()
