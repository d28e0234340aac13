"""What a session says of its circumstances: the machine's state, the commit, what is in the packages, its settings."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import MACHINE, PLACEMENT, STACK

from perfsuite.errors import StackError
from perfsuite.machine.cpu import read_cpu
from perfsuite.machine.state import machine_state
from perfsuite.measure.contents import contents, record_digest
from perfsuite.measure.head import commit_of, session_head
from perfsuite.measure.rig import Rig
from perfsuite.records.session import Commit, MachineState
from perfsuite.settings import Settings

CPU = "sys/devices/system/cpu"
FILES = {
    "proc/cpuinfo": "processor : 0\nmodel name : Test\nmicrocode\t: 0x2b000603\nflags : avx2",
    "proc/sys/kernel/hostname": "alder",
    "proc/sys/kernel/osrelease": "6.1.0",
    "proc/loadavg": "0.40 0.20 0.10 1/99 1234",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    f"{CPU}/intel_pstate/no_turbo": "0",
    f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave",
}
STATE = MachineState(
    node="alder",
    kernel="6.1.0",
    microcode="0x2b000603",
    governor="powersave",
    turbo="on",
    huge_pages="madvise",
    load_1min=0.4,
)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, {}),
        ({f"{CPU}/intel_pstate/no_turbo": "1"}, {"turbo": "off"}),
        ({f"{CPU}/intel_pstate/no_turbo": None, f"{CPU}/cpufreq/boost": "0"}, {"turbo": "off"}),
        ({f"{CPU}/intel_pstate/no_turbo": None}, {"turbo": None}),
        ({f"{CPU}/cpu0/cpufreq/scaling_governor": None}, {"governor": None}),
        ({"proc/cpuinfo": "processor : 0\nflags : avx2"}, {"microcode": None}),
        ({"proc/loadavg": None}, {"load_1min": None}),
        ({"sys/kernel/mm/transparent_hugepage/enabled": None}, {"huge_pages": None}),
        ({"proc/sys/kernel/hostname": None}, {"node": None}),
        ({"proc/sys/kernel/osrelease": None}, {"kernel": None}),
    ],
    ids=[
        "all", "no-turbo", "no-boost", "no-turbo-file", "no-governor", "no-microcode", "no-load", "no-pages", "no-name",
        "no-kernel",
    ],
)  # fmt: skip
def test_the_machine_s_state_is_read_as_far_as_it_shows(
    tmp_path: Path, changed: dict[str, str | None], told: dict[str, Any]
) -> None:
    for name, text in (FILES | changed).items():
        if text is not None:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text + "\n")
    assert machine_state(read_cpu(tmp_path, {0}), tmp_path) == dataclasses.replace(STATE, **told)


#: Of one wheel: as pip and as uv write it.
BY_PIP = """\
../../../bin/tool,sha256=aaa,200
mine-1.0.dist-info/INSTALLER,sha256=zuu,4
mine-1.0.dist-info/METADATA,sha256=bbb,10
mine-1.0.dist-info/RECORD,,
mine-1.0.dist-info/REQUESTED,sha256=47D,0
mine/__init__.py,sha256=ccc,3
mine/__pycache__/__init__.cpython-311.pyc,,
"mine/with,comma.py",sha256=ddd,3
"""
BY_UV = """\
../../../bin/tool,sha256=eee,190
mine/__init__.py,sha256=ccc,3
"mine/with,comma.py",sha256=ddd,3
mine-1.0.dist-info/METADATA,sha256=bbb,10
mine-1.0.dist-info/RECORD,,
mine-1.0.dist-info/uv_cache.json,sha256=fff,10
"""


def test_who_installs_a_wheel_does_not_matter() -> None:
    assert record_digest(BY_PIP) == record_digest(BY_UV)
    assert len(record_digest(BY_PIP)) == 16


@pytest.mark.parametrize("other", ["ccc", "mine/__init__.py"])
def test_another_file_is_another_digest(other: str) -> None:
    assert record_digest(BY_PIP.replace(other, "changed")) != record_digest(BY_PIP)


def _install(folder: Path, name: str, record: str | None, url: str | None = None) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    for file, text in (("RECORD", record), ("direct_url.json", url and json.dumps({"url": url}))):
        if text is not None:
            (info / file).write_text(text)


def test_packages_from_a_local_path_and_without_a_list_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path / "first", "My.Package", BY_PIP)
    _install(tmp_path / "first", "editable", BY_PIP, "file:///home/me/project")
    _install(tmp_path / "first", "downloaded", BY_PIP, "https://somewhere/x.whl")
    _install(tmp_path / "first", "unlisted", None)
    _install(tmp_path / "second", "my-package", BY_PIP.replace("ccc", "changed"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), str(tmp_path / "second")])
    digest = record_digest(BY_PIP)
    assert contents() == {"downloaded": digest, "my-package": digest}


def _interpreter(folder: Path, script: str) -> Path:
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return python


def test_another_interpreter_says_the_same(tmp_path: Path) -> None:
    assert contents(_interpreter(tmp_path, f'exec {sys.executable} "$@"')) == contents()


def test_of_the_interpreter_itself_all_that_is_found_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path / "site", "mine", BY_PIP)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert contents(Path(sys.executable)) == contents()
    assert "mine" in contents(Path(sys.executable))
    assert "mine" not in contents(_interpreter(tmp_path, f'exec {sys.executable} "$@"'))


@pytest.mark.parametrize("script", ["exit 1", "echo nothing"])
def test_an_interpreter_that_does_not_tell_is_an_error(tmp_path: Path, script: str) -> None:
    with pytest.raises(StackError, match="does not say what is installed"):
        contents(_interpreter(tmp_path, script))


def _git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=me", "-c", "user.email=me@here")
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_commit_and_whether_files_differ_from_it(tmp_path: Path) -> None:
    assert commit_of(tmp_path) is None
    _git(tmp_path, "init", "-q")
    assert commit_of(tmp_path) is None
    (tmp_path / "file").write_text("one")
    _git(tmp_path, "add", "file")
    _git(tmp_path, "commit", "-qm", "one")
    commit = _git(tmp_path, "rev-parse", "HEAD")
    assert commit_of(tmp_path) == Commit(id=commit)
    (tmp_path / "file").write_text("two")
    assert commit_of(tmp_path) == Commit(id=commit, dirty=True)


def test_a_session_begins_with_what_its_measurements_have_in_common(tmp_path: Path) -> None:
    rig = SimpleNamespace(
        stack=STACK,
        machine=MACHINE,
        placement=PLACEMENT,
        environment={"OMP_NUM_THREADS": "4"},
        other_python=None,
        settings=Settings(measure_s=3.0, models={"mine": "mine:MODEL"}),
    )
    one, other = (session_head(cast(Rig, rig), tmp_path) for _ in range(2))
    assert (one.stack, one.machine, one.environment, one.commit) == (STACK, MACHINE, rig.environment, None)
    assert one.placement == PLACEMENT
    assert one.settings == {"measure_s": 3.0, "warm_up_limit_s": 2.0, "weights": "auto", "models.mine": "mine:MODEL"}
    assert one.id.startswith(f"{one.begun_compact}-")
    assert one.id != other.id
    assert one.head == one
