"""Libraries that are preloaded: how they are found, what is told of those that are not, whose variables stay."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import STACK

from perfsuite.errors import UsageError
from perfsuite.machine import preload
from perfsuite.machine.preload import LD_PRELOAD, find_library, preloaded, unloadable
from perfsuite.measure.rig import Rig
from perfsuite.measure.stack import ReadyStack
from perfsuite.settings import Settings

PYTHON = Path(sys.executable)
#: Libraries that every Linux with a Python has, beside those that a Python is linked with.
THREADS, RESOLVER = "libpthread.so.0", "libresolv.so.2"


@pytest.fixture
def library(tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a real library at a path of its own, with the folders above it."""
    from ctypes import CDLL

    CDLL(RESOLVER)
    maps = Path("/proc/self/maps").read_text()
    (real,) = {line.split()[-1] for line in maps.splitlines() if "libresolv" in line}

    def library(name: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(real, file)
        return file

    return library


@pytest.mark.parametrize(
    ("names", "before", "expected"),
    [
        ((), None, None),
        ((), "mine.so", "mine.so"),
        ((RESOLVER,), None, RESOLVER),
        (("resolv",), None, RESOLVER),
        ((RESOLVER, THREADS), None, f"{RESOLVER}:{THREADS}"),
        ((RESOLVER, "resolv"), "", RESOLVER),
        ((RESOLVER,), THREADS, f"{RESOLVER}:{THREADS}"),
        ((RESOLVER,), f"{THREADS} {RESOLVER}", f"{RESOLVER}:{THREADS}"),
    ],
)
def test_libraries_stand_once_and_before_the_user_s_own(
    names: tuple[str, ...], before: str | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preload, "find_library", lambda name, python: f"lib{name}.so.2")
    environ = {"HOME": "/h"} if before is None else {"HOME": "/h", LD_PRELOAD: before}
    found = preloaded(environ, names, PYTHON)
    assert found.pop(LD_PRELOAD, None) == expected
    assert found == {"HOME": "/h"}


def test_a_path_is_taken_as_it_is(library: Callable[[str], Path]) -> None:
    file = library("my-own.so")
    assert preloaded({}, (str(file),), PYTHON) == {LD_PRELOAD: str(file)}


def test_the_stack_s_own_library_is_found_before_the_machine_s(library: Callable[[str], Path]) -> None:
    mine = library("stack/lib/libmine.so")
    assert find_library("mine", mine.parents[1] / "bin" / "python") == str(mine)
    assert find_library("mine", PYTHON) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("jemalloc", "there is no library jemalloc here; apt-get install libjemalloc2"),
        ("tcmalloc", "there is no library tcmalloc here; apt-get install libgoogle-perftools4"),
        ("tcmalloc_minimal", "there is no library tcmalloc_minimal here; apt-get install libtcmalloc-minimal4"),
        ("iomp5", "there is no library iomp5 here; pip install intel-openmp"),
        ("mimalloc", "there is no library mimalloc here; install it, or give the absolute path of its libmimalloc.so"),
        ("libnone.so.9", r"libnone.so.9 cannot be loaded: cannot open shared object file"),
        ("/none/libnone.so", r"/none/libnone.so cannot be loaded: cannot open shared object file"),
        ("/etc/passwd", r"/etc/passwd cannot be loaded: (file too short|invalid ELF header)"),
    ],
)
def test_what_is_not_there_is_an_error_that_says_what_to_do(
    name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preload, "find_library", lambda name, python: None)
    with pytest.raises(UsageError, match=f"^preload: {words}"):
        preloaded({}, (name,), PYTHON)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("kill -SEGV $$", "python is killed by SIGSEGV with LD_PRELOAD=libresolv.so.2"),
        ("echo no TLS >&2; exit 3", "python ends with exit status 3 with LD_PRELOAD=libresolv.so.2: no TLS"),
        ("echo x.so", "x.so cannot be loaded: the loader does not say why"),
        ("echo x.so; echo odd >&2", "x.so cannot be loaded: odd"),
        ("exit 0", "None"),
    ],
)
def test_an_interpreter_that_a_library_breaks_is_told(script: str, words: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    assert str(unloadable({LD_PRELOAD: RESOLVER}, ("x.so",), python)).endswith(words)


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "No such file" in str(unloadable({LD_PRELOAD: RESOLVER}, (RESOLVER,), tmp_path / "python"))


@pytest.mark.parametrize(
    ("environ", "stack", "expected"),
    [
        pytest.param({}, {}, "{mine}", id="nobody's"),
        pytest.param({LD_PRELOAD: "libpthread.so.0"}, {}, "{mine}:libpthread.so.0", id="the user's"),
        pytest.param({LD_PRELOAD: "no.so"}, {LD_PRELOAD: THREADS}, "{mine}:libpthread.so.0", id="the stack's"),
    ],
)
def test_workers_and_records_have_the_setting_s_libraries_before_other_variables(
    environ: dict[str, str],
    stack: dict[str, str],
    expected: str,
    library: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PERFSUITE_CACHE", str(tmp_path))
    mine = library("mine.so")
    ready = ReadyStack(name="one", python=PYTHON, environment=stack, stack=STACK)
    with Rig(Settings(preload=(str(mine),)), ready=ready, environ=environ) as rig:
        assert rig.worker_environment[LD_PRELOAD] == expected.format(mine=mine)
        assert rig.environment[LD_PRELOAD] == expected.format(mine="mine.so")
