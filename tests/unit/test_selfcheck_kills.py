"""The check of kills, over runs that only write a journal: it sees what they lose and what they leave."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from perfsuite.judge.colour import Status
from perfsuite.selfcheck import kills
from perfsuite.selfcheck.kill_plan import Kill, Target, planned
from perfsuite.selfcheck.losses import is_finished, lacks, records_lost
from perfsuite.selfcheck.processes import of_run
from perfsuite.selfcheck.project import Project

#: A run of two variants that waits as a worker's step would; what is wrong with it is its first argument.
_RUN = """
import json, os, subprocess, sys, tempfile, time
from pathlib import Path
fault, resume = sys.argv[1], "--resume" in sys.argv
journals = Path(".perfsuite")
journals.mkdir(exist_ok=True)
lines = [{"of": "all"}]
lines += [{"JournalEntry": {"variant": {"model": name}, "at": time.time_ns()}} for name in "abba"]
lines += [{"CheckEntry": {"variant": {"model": name}}} for name in "ab"] + [{"Finish": {"at": "now"}}]
path = max(journals.iterdir()) if resume else journals / f"{time.time_ns()}.jsonl"
if resume and fault == "forgets":
    path.write_text("")
if resume and fault == "fails":
    sys.exit(3)
temporary = Path(tempfile.gettempdir())
if fault != "leaves a folder":
    for left in temporary.iterdir():
        left.rmdir()
(temporary / str(os.getpid())).mkdir()
waits = "import sys; sys.stdin.read()"  # until the run ends
launcher = ["-c", waits, "perfsuite.worker"] if fault != "leaves a process" else ["-c", "import time; time.sleep(99)"]
process = subprocess.Popen([sys.executable, "-S", *launcher], stdin=subprocess.PIPE, start_new_session=True)
have = path.read_text().count("\\n") if path.exists() else 0
if fault == "measures twice":
    lines.insert(3, lines[2])
with path.open("a") as file:
    for line in lines[have:]:
        time.sleep(0.3 if fault == "tells nothing" else 0.04)  # it must not end before it is killed
        if process.poll() is not None and fault != "tells nothing":
            sys.exit(1)
        print(json.dumps(line), file=file, flush=True)
        if process.poll() is not None:
            sys.exit(0)
process.kill()
process.wait()
(temporary / str(os.getpid())).rmdir()
"""


def _kill(target: Target = Target.PYTEST, *, again: bool = False, lines_share: float = 0.5) -> Kill:
    return Kill(target=target, signal=signal.SIGKILL, lines_share=lines_share, delay_share=0.5, again=again)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFSUITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kills, "_GRACE_S", 1.0)
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def _tally(folder: Path, fault: str, *planned: Kill) -> kills.Tally:
    project = Project(folder, [sys.executable, "-S", "-c", _RUN, fault])
    check = kills._Check(project)
    try:
        assert check.rehearse()
        return check.tally(planned)
    finally:
        check.end_all()
        assert not of_run(project.mark)


@pytest.mark.parametrize(
    "planned",
    [
        pytest.param([_kill()], id="once"),
        pytest.param([_kill(again=True), _kill()], id="two in a row"),
        pytest.param([_kill(lines_share=0.0), _kill(lines_share=0.99)], id="at the begin and the end"),
        pytest.param([_kill(Target.LAUNCHER)], id="a launcher"),
    ],
)
def test_runs_that_lose_and_leave_nothing_pass(folder: Path, planned: list[Kill]) -> None:
    tally = _tally(folder, "none", *planned)
    assert tally == kills.Tally(kills=len(planned), resumed=len(planned))
    assert tally.status is Status.FINE


@pytest.mark.parametrize(
    ("fault", "target", "seen"),
    [
        pytest.param("forgets", Target.PYTEST, "records_lost", id="a record is lost"),
        pytest.param("fails", Target.PYTEST, "faults", id="it cannot be resumed"),
        pytest.param("leaves a process", Target.PYTEST, "processes", id="a process is left"),
        pytest.param("leaves a folder", Target.PYTEST, "folders", id="a folder is left"),
        pytest.param("tells nothing", Target.LAUNCHER, "faults", id="a cost is not told"),
    ],
)
def test_each_fault_is_seen(
    folder: Path, fault: str, target: Target, seen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = _tally(folder, fault, _kill(target))
    assert (tally.kills, tally.status) == (1, Status.WORSE)
    assert getattr(tally, seen) > 0
    assert "kill 1: " in capsys.readouterr().out


@pytest.mark.parametrize("fault", ["fails", "measures twice"])
def test_nothing_is_told_of_runs_that_do_not_end_well_unkilled(
    folder: Path, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = fault != "measures twice"
    assert kills._Check(Project(folder, [sys.executable, "-S", "-c", _RUN, fault])).rehearse() is wanted
    assert ("3 JournalEntry of b, not 2" in capsys.readouterr().out) is not wanted


def test_without_a_kill_nothing_is_told() -> None:
    assert kills.Tally().status is Status.UNTOLD
    assert str(kills.Tally(kills=3, resumed=2, records_lost=1)) == (
        "3 kills: 2 resumed, 1 records lost, 0 processes and 0 folders left behind"
    )


def test_all_targets_and_signals_come_equally_often_and_alike_for_a_seed() -> None:
    found = planned(50, 3)
    assert found == planned(50, 3) != planned(50, 4)
    assert set(Counter((kill.target, kill.signal) for kill in found).values()) == {10}
    assert {kill.target for kill in found} == set(Target)
    assert any(kill.again for kill in found)


def _journal(*lines: object) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in ({"of": "all"}, *lines))


def _line(kind: str, name: str) -> dict[str, object]:
    return {kind: {"variant": {"model": name}}}


_WHOLE = [_line("JournalEntry", name) for name in "abba"] + [_line("CheckEntry", name) for name in "ab"]
_END = {"Finish": {"at": "now"}}


@pytest.mark.parametrize(
    ("lines", "lacking"),
    [
        pytest.param([*_WHOLE, _END], [], id="whole"),
        pytest.param(_WHOLE, ["0 Finish, not 1"], id="unfinished"),
        pytest.param([*_WHOLE, _END, _END], ["2 Finish, not 1"], id="finished twice"),
        pytest.param([*_WHOLE[1:], _END], ["1 JournalEntry of a, not 2"], id="a replicate less"),
        pytest.param([*_WHOLE, _WHOLE[0], _END], ["3 JournalEntry of a, not 2"], id="a replicate more"),
        pytest.param([*_WHOLE[:-1], _END], ["CheckEntry of 1 variants, not of 2"], id="a check less"),
    ],
)
def test_what_a_journal_lacks(lines: list[object], lacking: list[str]) -> None:
    assert lacks(_journal(*lines)) == lacking
    assert is_finished(_journal(*lines)) is (_END in lines)


@pytest.mark.parametrize(
    ("before", "now", "lost"),
    [
        (b"", b"a\nb\n", 0),
        (b"a\nb\n", b"a\nb\n", 0),
        (b"a\nb\n", b"a\nb\nc\n", 0),
        (b"a\nb\n", b"a\n", 1),
        (b"a\nb\n", b"a\nc\n", 1),
        (b"a\nb\nc\n", b"b\nc\n", 3),
        (b"a\nb\n", b"", 2),
    ],
)
def test_how_many_records_are_lost(before: bytes, now: bytes, lost: int) -> None:
    assert records_lost(before, now) == lost


def test_a_process_is_found_by_its_mark_and_by_its_session_while_it_lives() -> None:
    waits = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(99)"]
    mark = {"PERFSUITE_KILLS": "one-of-a-test"}
    with subprocess.Popen(waits, env=mark, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            for found in (of_run("PERFSUITE_KILLS=one-of-a-test"), of_run("A=b", frozenset([process.pid]))):
                assert [one.pid for one in found] == [process.pid]
            assert of_run("PERFSUITE_KILLS=one-of") == []
        finally:
            process.kill()
            process.wait()
    assert of_run("PERFSUITE_KILLS=one-of-a-test", frozenset([process.pid])) == []
