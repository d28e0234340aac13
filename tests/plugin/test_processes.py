"""What a worker has started ends with it, and with its launcher, and with the run, however these end; files too."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from perfsuite.errors import WorkerError
from perfsuite.measure.launch import Worker
from perfsuite.measure.placement import place
from perfsuite.measure.rig import Rig
from perfsuite.measure.stepping import Stand, step
from perfsuite.records.placement import Binding
from perfsuite.settings import Settings
from perfsuite.spec import Mode, Precision, Variant

PARENT = Variant(model="parent", backend="stock", mode=Mode.EAGER, precision=Precision.FP32, workload="smoke")
SETTINGS = Settings(threads=1, weights="seeded", models={"parent": "misbehaving:PARENT"})
_ENVIRON = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
#: A run that waits with a worker alive: it prints its worker's number.
_RUN = """
import time
from test_processes import prepared, rig
with rig() as running, prepared(running) as worker:
    print(worker.pid, flush=True)
    time.sleep(600)
"""
_NEXT = """
from test_processes import rig
with rig():
    pass
"""


def rig() -> Rig:
    return Rig(SETTINGS, environ=_ENVIRON)


@contextlib.contextmanager
def prepared(running: Rig) -> Iterator[Worker]:
    """A worker whose first forward pass has started a process."""
    with running.worker(PARENT) as worker:
        running.prepare(PARENT, worker)
        yield worker


@pytest.mark.skipif(shutil.which("numactl") is None, reason="no numactl here: memory cannot be bound")
def test_a_worker_s_memory_is_bound_to_its_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = dataclasses.replace(place(SETTINGS), binding=Binding.BOUND)
    monkeypatch.setattr("perfsuite.measure.rig.place", lambda settings: bound)
    with rig() as running, running.worker(PARENT) as worker:
        mappings = [line.split() for line in Path(f"/proc/{worker.pid}/numa_maps").read_text().splitlines()]
        assert {mapping[1] for mapping in mappings if any(part.startswith("anon=") for part in mapping)} == {"bind:0"}


def _state(pid: int) -> str:
    """The state's letter in /proc, Z for one that nobody has waited for; empty if it is gone."""
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def _runs(pid: int) -> bool:
    return _state(pid) not in ("", "Z")


def _child(pid: int) -> int:
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _soon(true: Callable[[], bool]) -> bool:
    """Signals are sent at once and acted upon a little later."""
    end_s = time.monotonic() + 60
    while not true() and time.monotonic() < end_s:
        time.sleep(0.02)
    return true()


@pytest.fixture(scope="module")
def running() -> Iterator[Rig]:
    with rig() as found:
        yield found


def test_a_worker_ends_with_what_it_started(running: Rig) -> None:
    with prepared(running) as worker:
        child = _child(worker.pid)
        assert _runs(child)
    assert _soon(lambda: not _runs(child))


def test_a_worker_that_dies_by_itself_leaves_nothing(running: Rig) -> None:
    with prepared(running) as worker:
        child = _child(worker.pid)
        os.kill(worker.pid, signal.SIGSEGV)
        assert _soon(lambda: not _runs(child))


def test_a_stopped_worker_stops_and_ends_with_what_it_started(running: Rig) -> None:
    with prepared(running) as worker:
        child = _child(worker.pid)
        worker.pause()
        assert _soon(lambda: _state(child) == "T")
    assert _soon(lambda: not _runs(child))


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_a_launcher_that_is_closed_takes_all_with_it(stopped: bool) -> None:
    found = rig()
    with prepared(found) as worker:
        child = _child(worker.pid)
        if stopped:
            worker.pause()
        found.__exit__(None, None, None)
        assert _soon(lambda: not _runs(child))
        assert _soon(lambda: not _runs(worker.pid))


def test_a_launcher_that_is_killed_is_missed_and_what_it_left_ended() -> None:
    with rig() as found, prepared(found) as worker:
        child = _child(worker.pid)
        os.kill(_parent(worker.pid), signal.SIGKILL)
        with pytest.raises(WorkerError, match="died with its launcher"):
            worker.call("outputs", timeout_s=300, path="/dev/null")
        assert _soon(lambda: not _runs(child))


def test_nothing_is_imported_while_a_worker_is_timed() -> None:
    """Launchers import side by side, on the CPUs of what is timed."""
    others = _children()
    with rig() as found:
        found.preload(dataclasses.replace(PARENT, backend="ipex", mode=Mode.DYNAMO))
        with found.crew(PARENT):
            launchers = _children() - others
            assert len(launchers) == 2
            seen = []
            for _ in range(20):  # they may just be about to wait
                time.sleep(0.02)
                seen += [_state(pid) for pid in launchers]
            assert seen.count("S") > 30


def test_workers_inherit_what_a_compiling_one_had_imported() -> None:
    """A launcher in which a thread is left forks none that has imported anything."""
    plain = dataclasses.replace(PARENT, backend="ipex")
    with rig() as found:
        if reason := found.support(plain).reason:
            pytest.skip(reason)
        found.preload(dataclasses.replace(plain, mode=Mode.DYNAMO))
        (replicate,) = step([Stand(variant=plain, rig=found)], duration_s=0.1, warm_up_limit_s=0.1)
    assert replicate.stages.import_s


def _children() -> set[int]:
    return set(map(int, Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()))


def test_a_run_that_is_killed_leaves_no_process_and_its_files_go_when_the_next_begins(tmp_path: Path) -> None:
    environ = {**_ENVIRON, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", _RUN], env=environ, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        worker = int(run.stdout.readline())
        pids = [_child(worker), worker, _parent(worker)]
        assert all(map(_runs, pids))
        run.kill()
    assert _soon(lambda: not any(map(_runs, pids)))
    (left,) = tmp_path.iterdir()
    assert list((left / "tmp").iterdir()), "the workers' temporary folder is in the run's"
    subprocess.run([sys.executable, "-c", _NEXT], env=environ, check=True)
    assert list(tmp_path.iterdir()) == []
