"""The shards of a night as one session: all of it, once, and of one kind of machine."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import MACHINE, OLD_STACK, ONCE_VARIANT, OTHER_VARIANT, VARIANT, document, measurement

from perfsuite.cli import main
from perfsuite.errors import UsageError
from perfsuite.history.imports import rows_in
from perfsuite.records.measurement import Failure, Measurement
from perfsuite.records.session import Commit, MachineState, Shard, Unsupported
from perfsuite.store.documents import KEY, head_fields, with_verdicts
from perfsuite.store.joining import read_night, write_night
from perfsuite.store.sessions import read_stored

_VARIANTS = (VARIANT, OTHER_VARIANT, ONCE_VARIANT)


@pytest.fixture
def shard(tmp_path: Path) -> Callable[..., Path]:
    """Write one shard of three, with one variant; what is changed of its session."""

    def write(number: int, *measurements: Measurement, count: int = 3, name: str = "", **changes: Any) -> Path:
        path = tmp_path / (name or f"{number}.json")
        mine = measurements or (measurement(20_000_000, 20_020_000, variant=_VARIANTS[number - 1]),)
        path.write_text(json.dumps(document(*mine, begun_at=f"2026-02-0{number}T00:00:00+00:00")))
        session = read_stored(path).session
        told = json.loads(path.read_text())
        told[KEY] = head_fields(dataclasses.replace(session, shard=Shard(number=number, count=count), **changes))
        path.write_text(json.dumps(told))
        return path

    return write


def test_shards_are_one_session_in_whatever_order_they_are_given(shard: Callable[..., Path], tmp_path: Path) -> None:
    lost, failed = (dataclasses.replace(VARIANT, model=name) for name in ("lost", "failed"))
    files = [
        shard(1, state=MachineState(node="a", kernel="6.1")),
        shard(2, state=MachineState(node="b", kernel="6.1"), failures=(Failure(variant=failed, reason="hung"),)),
        shard(3, unsupported=(Unsupported(variant=lost, reason="no ipex"),)),
    ]
    night = read_night(files)
    assert night == read_night(files[::-1])
    assert [one.variant for one in night.measurements] == sorted(_VARIANTS, key=lambda one: one.id)
    assert {one.session for one in night.measurements} == {night.id}
    assert [one.variant for one in night.failures] == [failed]
    assert [one.variant for one in night.unsupported] == [lost]
    assert night.shard is None
    assert night.begun_at.startswith("2026-02-01")
    assert night.state.node is None
    write_night(files, night, tmp_path / "night.json")
    assert read_stored(tmp_path / "night.json").session == night


def test_a_joined_night_keeps_what_its_shards_said(shard: Callable[..., Path], tmp_path: Path) -> None:
    """For the history, which takes it in: each shard has confirmed its own suspects, what joins them has not."""
    files = [shard(number) for number in (1, 2, 3)]
    for file, verdict in zip(files, ("unchanged", "regressed", ""), strict=True):
        told = json.loads(file.read_text())
        verdicts = {one["param"]: verdict for one in told["benchmarks"]} if verdict else {}
        file.write_text(json.dumps(with_verdicts(told, verdicts)))
    write_night(files, read_night(files), tmp_path / "night.json")
    entries = {one["variant"]: one["verdict"] for one in rows_in(tmp_path / "night.json").entries}
    assert entries == {VARIANT.id: "unchanged", OTHER_VARIANT.id: "regressed", ONCE_VARIANT.id: ""}


def test_the_same_state_of_all_runners_is_kept(shard: Callable[..., Path]) -> None:
    state = MachineState(kernel="6.1", governor="performance")
    assert read_night([shard(number, state=state) for number in (1, 2, 3)]).state == state


def test_one_file_is_the_session_that_it_holds(shard: Callable[..., Path]) -> None:
    assert read_night([shard(2)]) == read_stored(shard(2)).session


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"machine": dataclasses.replace(MACHINE, threads=2)}, "of another machine class (some-xeon-"),
        ({"stack": OLD_STACK}, "of another stack (ipex-2.8.0_torch-2.8.0 and ipex-2.7.0_torch-2.7.0)"),
        ({"commit": Commit(id="f" * 40)}, "of another commit"),
        ({"environment": {"OMP_NUM_THREADS": "1"}}, "of another variables"),
        ({"settings": {"measure_s": 9.0}}, "of another settings"),
        ({"contents": {"torch": "0" * 8}}, "of another packages"),
    ],
    ids=["machine", "stack", "commit", "environment", "settings", "contents"],
)
def test_shards_of_unlike_runners_are_refused_with_what_differs(
    shard: Callable[..., Path], changes: dict[str, Any], words: str
) -> None:
    files = [shard(1), shard(2), shard(3, **changes)]
    with pytest.raises(UsageError) as refused:
        read_night(files)
    assert words in str(refused.value)
    assert "3.json" in str(refused.value)


def test_what_is_missing_is_named(shard: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match="of 3 shards these are missing: 2"):
        read_night([shard(1), shard(3)])


def test_nothing_counts_twice(shard: Callable[..., Path]) -> None:
    one, two, three = (shard(number) for number in (1, 2, 3))
    with pytest.raises(UsageError, match="a file is given twice"):
        read_night([one, one, two, three])
    with pytest.raises(UsageError, match="these are there twice: 2"):
        read_night([one, two, shard(2, name="again.json"), three])
    with pytest.raises(UsageError, match=f"several shards have {VARIANT.id}"):
        read_night([one, shard(2, measurement(variant=VARIANT), name="other.json"), three])
    with pytest.raises(UsageError, match="shards of several nights, of 3 and 4 parts"):
        read_night([one, shard(2, count=4), three])


def test_a_whole_session_is_no_shard(shard: Callable[..., Path], tmp_path: Path) -> None:
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps(document(measurement(variant=OTHER_VARIANT))))
    with pytest.raises(UsageError, match=r"whole\.json: a whole session"):
        read_night([shard(1), whole])


def _accept(folder: Path) -> None:
    path = folder / "baselines" / MACHINE.slug / "ipex-2.8.0_torch-2.8.0" / "20260102T030405.678000Z.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document(*(measurement(10_000_000, 10_010_000, variant=one) for one in _VARIANTS))))


def test_shards_are_judged_together_against_the_project_s_baselines(
    shard: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    _accept(tmp_path)
    files = [str(shard(number)) for number in (1, 2, 3)]
    outputs = ["--output=night.json", "--report-markdown=comment.md"]
    assert main(["judge", "--candidate", *files, *outputs]) == 1
    said = capsys.readouterr().out
    assert "verdicts: 3 regressed" in said
    assert max(map(len, said.splitlines())) <= 100
    assert len(read_stored(tmp_path / "night.json").session.measurements) == 3
    for name in ("summary.md", "comment.md"):
        assert "| torchscript | 🔴 20 ms 2.000 regressed |" in Path(name).read_text()


def test_without_a_baseline_nothing_could_be_judged(
    shard: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert main(["judge", "--candidate", *(str(shard(number)) for number in (1, 2, 3))]) == 3
    assert "verdicts: 3 missing-baseline" in capsys.readouterr().out
