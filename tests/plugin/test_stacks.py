"""Stacks really built by uv: tiny, impossible, two at once, killed in the middle, and what does not import."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perfsuite.errors import StackError, UsageError
from perfsuite.measure.stack import current_stack
from perfsuite.stacks.build import build_stack, ready_stack
from perfsuite.stacks.definitions import StackDefinition, stack_definitions
from perfsuite.stacks.folders import kept_folders, read_record
from perfsuite.stacks.locking import lock_stack

SIX = {"requirements": ["six==1.16.0"]}
_COMMAND = [sys.executable, "-c", "from perfsuite.cli import main; raise SystemExit(main())", "stacks"]
_WAIT_S = 60.0

#: A package that builds itself, without other packages: one module, after what ``before`` does.
_PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "{name}"
version = "0.1"
"""
_BACKEND = """
import pathlib, time, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    {before}
    name = "{name}-0.1-py3-none-any.whl"
    info = "{name}-0.1.dist-info/"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        wheel.writestr("{name}.py", {module!r})
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: 0.1\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
"""
#: Tells that the build has come this far, and goes no further until it may.
_GATE = """
    here = pathlib.Path(__file__).parent
    (here / "started").touch()
    for _ in range(3000):
        if (here / "go").exists():
            break
        time.sleep(0.1)
"""


def package(folder: Path, name: str, module: str = "", before: str = "") -> str:
    """A requirement for a package made here."""
    folder = folder / name
    folder.mkdir()
    (folder / "pyproject.toml").write_text(_PYPROJECT.format(name=name))
    (folder / "backend.py").write_text(_BACKEND.format(name=name, module=module, before=before.strip() or "pass"))
    return f"{name} @ {folder.as_uri()}"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stacks are built into a cache of the test's own; packages come from uv's, which is the machine's."""
    monkeypatch.setenv("PERFSUITE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "stacks"


def define(root: Path, table: object) -> StackDefinition:
    return stack_definitions({"mine": table}, root)["mine"]


def project(root: Path, table: dict[str, Any], more: str = "") -> None:
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
    (root / "pyproject.toml").write_text(f"[tool.perfsuite.stacks.mine]\n{lines}\n{more}")


def start(root: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*_COMMAND, *arguments], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_COMMAND, *arguments], cwd=root, capture_output=True, text=True, check=False, timeout=_WAIT_S
    )


def state(root: Path) -> list[str]:
    rows = json.loads(run(root, "list", "--json").stdout)
    return [row["state"] for row in rows if row["name"] == "mine"]


def uv_runs(root: Path) -> bool:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            line = (process / "cmdline").read_bytes()
            if b"install" in line.split(b"\0") and bytes(root) in line:
                return True
    return False


def wait_until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + _WAIT_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_a_stack_is_built_once_and_holds_what_it_requires_alone(tmp_path: Path) -> None:
    definitions = stack_definitions({"mine": SIX | {"environment": {"A": "1"}}}, tmp_path)
    said: list[str] = []
    first = ready_stack("mine", definitions, project=tmp_path, say=said.append)
    assert (first.stack.packages, first.environment) == ({"six": "1.16.0"}, {"A": "1"})
    assert first.stack.python == current_stack().python
    seen = subprocess.run([first.python, "-c", "import six; print(six.__version__)"], capture_output=True, check=True)
    assert seen.stdout == b"1.16.0\n"
    assert [line.split(":")[1].split()[0] for line in said] == ["building", "built"]
    assert ready_stack("mine", definitions, project=tmp_path, say=said.append) == first
    assert len(said) == 2


def test_the_current_stack_needs_no_building() -> None:
    ready = ready_stack("current", {}, project=Path.cwd(), say=pytest.fail)
    assert (ready.python, ready.stack) == (Path(sys.executable), current_stack())


def test_an_interpreter_of_the_users_answers_for_itself(tmp_path: Path) -> None:
    definitions = stack_definitions({"mine": {"interpreter": sys.executable}}, tmp_path)
    ready = ready_stack("mine", definitions, project=tmp_path, say=pytest.fail)
    assert ready.stack == current_stack()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "No such file or directory"),
        ("exit 3", "exit status 3"),
        ("echo broken >&2; exit 1", "exit status 1: broken"),
        ("echo hello", "not a Python's answer"),
    ],
)
def test_an_interpreter_that_is_none_is_one_clear_error(tmp_path: Path, script: str | None, reason: str) -> None:
    if script:
        (tmp_path / "python").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "python").chmod(0o755)
    definitions = stack_definitions({"mine": {"interpreter": "python"}}, tmp_path)
    with pytest.raises(StackError, match=rf"^stack mine: .*{reason}; correct interpreter in \[tool.*\]$"):
        ready_stack("mine", definitions, project=tmp_path, say=pytest.fail)


def test_an_impossible_requirement_is_named_with_uvs_reason(tmp_path: Path, cache: Path) -> None:
    project(tmp_path, {"requirements": ["six==99", "packaging"]})
    done = run(tmp_path, "build", "mine")
    assert done.returncode == 1
    assert "stack mine cannot be built (six==99); uv says:\n  No solution found" in done.stderr
    assert "there is no version of six==99" in done.stderr
    assert "What to do: change the requirements in [tool.perfsuite.stacks.mine]." in done.stderr
    assert "Traceback" not in done.stderr
    assert list(cache.glob("mine-*")) == []


def test_one_that_fails_does_not_keep_others_from_being_built(tmp_path: Path) -> None:
    project(tmp_path, {"requirements": ["six==99"]}, '[tool.perfsuite.stacks.good]\nrequirements = ["six==1.16.0"]\n')
    done = run(tmp_path, "build", "mine", "good")
    assert done.returncode == 1
    assert [name for name, folder in kept_folders() if read_record(folder)] == ["good"]


def test_two_builds_at_once_make_one(tmp_path: Path) -> None:
    project(tmp_path, {"requirements": [package(tmp_path, "slow", before=_GATE)]})
    with start(tmp_path, "build", "mine") as one:
        wait_until((tmp_path / "slow" / "started").exists)
        assert state(tmp_path) == ["building"]
        with start(tmp_path, "build", "mine") as two:
            assert two.stderr
            assert "waiting for that to end" in two.stderr.readline()
            (tmp_path / "slow" / "go").touch()
            said_two = two.communicate(timeout=_WAIT_S)
        said_one = one.communicate(timeout=_WAIT_S)
    assert (one.returncode, two.returncode) == (0, 0)
    assert said_one[0] == said_two[0]
    assert "built in" in said_one[1]
    assert said_two[1] == "stack mine has been built meanwhile\n"


@pytest.mark.parametrize(
    ("how", "left"), [(signal.SIGKILL, "interrupted"), (signal.SIGTERM, "interrupted"), (signal.SIGINT, "not built")]
)
def test_a_build_that_is_ended_is_built_anew(tmp_path: Path, how: signal.Signals, left: str) -> None:
    gate = tmp_path / "slow"
    project(tmp_path, {"requirements": ["six==1.16.0", package(tmp_path, "slow", before=_GATE)]})
    with start(tmp_path, "build", "mine") as first:
        wait_until((gate / "started").exists)
        assert uv_runs(tmp_path)
        first.send_signal(how)
        first.wait(_WAIT_S)
    wait_until(lambda: not uv_runs(tmp_path))  # the gate is still shut: it was ended, it did not finish
    assert first.returncode == (130 if how == signal.SIGINT else -how)
    (gate / "go").touch()  # what uv had started may still be running, and holds the lock
    wait_until(lambda: state(tmp_path) == [left])
    done = run(tmp_path, "build", "mine")
    assert done.returncode == 0, done.stderr
    assert ("removing an interrupted build" in done.stderr) == (left == "interrupted")
    assert state(tmp_path) == ["built"]


def test_a_stack_whose_torch_imports_is_built(tmp_path: Path) -> None:
    mine = define(tmp_path, {"requirements": [package(tmp_path, "torch", "def get_num_threads():\n    return 3\n")]})
    assert build_stack(mine, say=print).exists()


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("raise ImportError('libmissing.so: cannot open')", "ImportError: libmissing.so: cannot open"),
        ("import os\nos.abort()", "importing it was ended by signal SIGABRT"),
    ],
)
def test_a_torch_that_does_not_import_is_named(tmp_path: Path, cache: Path, module: str, reason: str) -> None:
    mine = define(tmp_path, {"requirements": ["six==1.16.0", package(tmp_path, "torch", module)]})
    with pytest.raises(StackError, match=rf"^stack mine: torch @ .*version 0\.1\) but does not import: {reason}"):
        build_stack(mine, say=print)
    assert list(cache.glob("mine-*")) == []


def test_constraints_of_the_project_are_not_the_stacks(tmp_path: Path) -> None:
    project(tmp_path, SIX, '[tool.uv]\nconstraint-dependencies = ["six==1.17.0"]\n')
    done = run(tmp_path, "build", "mine")
    assert done.returncode == 0, done.stderr


def test_a_pinned_stack_is_built_from_its_pins_with_their_hashes(tmp_path: Path) -> None:
    table = {"requirements": ["six<1.17"]}
    file = lock_stack(define(tmp_path, table))
    assert file == tmp_path / "stacks" / "mine.txt"
    text = file.read_text()
    assert "six==1.16.0 \\\n    --hash=sha256:" in text
    assert "://" not in text
    assert build_stack(define(tmp_path, table), say=print).exists()
    file.write_text(re.sub(r"sha256:\w+", f"sha256:{'0' * 64}", text))
    with pytest.raises(
        StackError, match=r"(?s)Hash mismatch for `six==1\.16\.0`.*`perfsuite stacks lock mine` pins anew"
    ):
        build_stack(define(tmp_path, table), say=print)
    with pytest.raises(UsageError, match="made from other requirements"):
        build_stack(define(tmp_path, SIX), say=print)


def test_removal_takes_outdated_builds_too(tmp_path: Path) -> None:
    for version in ("1.16.0", "1.17.0"):
        project(tmp_path, {"requirements": [f"six=={version}"]})
        assert run(tmp_path, "build", "mine").returncode == 0
    assert sorted(state(tmp_path)) == ["built", "outdated"]
    done = run(tmp_path, "remove", "mine")
    assert (done.returncode, done.stdout.count("mine: removed")) == (0, 2)
    assert state(tmp_path) == ["not built"]
    assert "nothing to remove" in run(tmp_path, "remove", "mine").stdout
    assert run(tmp_path, "remove", "other").returncode == 2


def test_a_stack_that_something_runs_in_is_neither_removed_nor_rebuilt(tmp_path: Path) -> None:
    project(tmp_path, SIX)
    python = run(tmp_path, "build", "mine").stdout.split()[-1]
    with subprocess.Popen(
        [python, "-c", "print(1, flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as user:
        assert user.stdin is not None
        assert user.stdout is not None
        user.stdout.readline()
        for action in (("remove",), ("build", "--rebuild")):
            done = run(tmp_path, *action, "mine")
            assert done.returncode == 1
            assert f"is in use by process {user.pid}" in done.stderr
        user.stdin.write(b"\n")
    assert state(tmp_path) == ["built"]
    assert run(tmp_path, "remove", "mine").returncode == 0


@pytest.mark.parametrize("arguments", [("build",), ("remove",), ("build", "mine", "--all"), ("build", "current")])
def test_what_cannot_be_meant_is_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("perfsuite: ")


def test_the_list_fits_a_terminal_of_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    project(tmp_path, {"interpreter": "/" + "long-folder/" * 9 + "python"})
    done = run(tmp_path, "list")
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 80
    for word in ("ipex-2.6", "torch-2.14", "not built", "missing"):
        assert word in done.stdout
