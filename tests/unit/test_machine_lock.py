"""One timing run at a time: the second is refused with the first one's name, and a dead one blocks nobody."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from perfsuite.errors import MachineBusyError, PerfsuiteError
from perfsuite.measure.lock import machine_lock

_HOLDS = """
import time
from perfsuite.measure.lock import machine_lock
with machine_lock("a long look"):
    print("holding", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lock of a machine of the test's own, in a folder such as /tmp."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    monkeypatch.setenv("PERFSUITE_LOCK_FOLDER", str(folder))
    return folder / "perfsuite-machine.lock"


@contextmanager
def _held() -> Iterator[subprocess.Popen[str]]:
    """By another process."""
    with subprocess.Popen([sys.executable, "-c", _HOLDS, "some", "$words"], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        run.stdout.readline()
        try:
            yield run
        finally:
            run.kill()


def _take() -> None:
    with machine_lock("a test"):
        pass


def _as_nobody(purpose: str) -> str:
    """What another user's process sees: the lock file while it holds the machine, or why it cannot."""
    reader, writer = os.pipe()
    if not os.fork():
        try:
            os.setuid(65534)
            with machine_lock(purpose):
                os.write(writer, Path(os.environ["PERFSUITE_LOCK_FOLDER"], "perfsuite-machine.lock").read_bytes())
        except BaseException as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.wait()
    with open(reader) as seen:
        return seen.read()


def test_the_second_is_refused_at_once_with_who_holds_it(lock: Path) -> None:
    with _held() as run, pytest.raises(MachineBusyError) as refused:
        _take()
    assert refused.match(rf"^a test: another run .* a long look \(process {run.pid} of \w+, since 20")
    assert refused.match(rf": -c some '\$words'\); start again .*`kill {run.pid}`$")


def test_it_is_free_again_when_its_holder_ends_well_or_fails(lock: Path) -> None:
    with pytest.raises(ZeroDivisionError), machine_lock("a division"):
        raise ZeroDivisionError
    _take()
    _take()
    assert lock.read_bytes() == b""


def test_a_holder_that_is_killed_blocks_nobody(lock: Path) -> None:
    with _held() as run:
        run.kill()
    assert b"a long look" in lock.read_bytes()
    _take()


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": 1}', b"\xff"])
def test_a_holder_that_is_not_known_is_still_respected(lock: Path, content: bytes) -> None:
    with _held():
        lock.write_bytes(content)
        with pytest.raises(MachineBusyError, match="which one is not known"):
            _take()


def test_one_that_died_is_not_named_as_the_holder(lock: Path) -> None:
    with _held() as dead:
        dead.kill()
    stale = lock.read_bytes()
    with _held():
        lock.write_bytes(stale)
        with pytest.raises(MachineBusyError, match="which one is not known"):
            _take()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_users_see_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are closed to others
        Path(folder).chmod(0o1777)
        monkeypatch.setenv("PERFSUITE_LOCK_FOLDER", folder)
        with machine_lock("root's"):
            assert f"root's (process {os.getpid()} of " in _as_nobody("nobody's")
        assert '"purpose":"nobody\'s"' in _as_nobody("nobody's")
        Path(folder, "perfsuite-machine.lock").chmod(0o644)
        with machine_lock("root's"):
            assert f"root's (process {os.getpid()} of " in _as_nobody("nobody's")
        assert _as_nobody("nobody's") == ""  # holds it, and cannot say so


def test_a_trap_in_its_place_is_neither_followed_nor_overwritten(lock: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    lock.symlink_to(precious)
    with pytest.raises(PerfsuiteError, match=r"cannot be opened .*PERFSUITE_LOCK_FOLDER"):
        _take()
    lock.unlink()
    lock.hardlink_to(precious)
    _take()
    assert precious.read_text() == "mine"


def test_a_folder_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERFSUITE_LOCK_FOLDER", "/no/such/folder")
    with pytest.raises(PerfsuiteError, match=r"^/no/such/folder/perfsuite-machine\.lock, .*No such file"):
        _take()
