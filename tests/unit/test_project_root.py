"""Commands read the settings of the folder that pytest would take for its root, from any folder below it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from perfsuite.cli import main
from perfsuite.errors import UsageError
from perfsuite.settings import project_root

_OURS = "[tool.perfsuite]\nthreads = 1\n"
_PYTEST = "[tool.pytest.ini_options]\n"
_PROJECT = "[project]\nname = 'x'\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Files of a project, where a command starts in it, and where it finds the root."""

    files: dict[str, str]
    start: str = "a/b"
    root: str
    #: Where pytest finds it, if somewhere else.
    pytests: str | None = None


LAYOUTS = {
    "here": Layout(files={"pyproject.toml": _OURS + _PYTEST}, start=".", root="."),
    "above": Layout(files={"pyproject.toml": _OURS + _PYTEST}, root="."),
    "native table": Layout(files={"pyproject.toml": "[tool.pytest]\naddopts = ['-q']\n"}, root="."),
    "empty native table": Layout(files={"pyproject.toml": "[tool.pytest]\n", "a/pyproject.toml": _PROJECT}, root="a"),
    "nearest of two": Layout(files={"pyproject.toml": _PYTEST, "a/pyproject.toml": _PYTEST}, root="a"),
    "pytest's above a plain one": Layout(files={"pyproject.toml": _PYTEST, "a/pyproject.toml": _PROJECT}, root="."),
    "pytest's above ours": Layout(files={"pyproject.toml": _PYTEST, "a/pyproject.toml": _OURS}, root="."),
    "pytest.toml": Layout(files={"pytest.toml": "", "a/pyproject.toml": _OURS}, root="."),
    ".pytest.toml": Layout(files={".pytest.toml": "", "a/pyproject.toml": _OURS}, root="."),
    "pytest.ini": Layout(files={"pytest.ini": "", "a/pyproject.toml": _OURS}, root="."),
    ".pytest.ini": Layout(files={"a/.pytest.ini": "", "pyproject.toml": _OURS + _PYTEST}, root="a"),
    "tox.ini": Layout(files={"a/tox.ini": "[tox]\n[pytest] # ours\n", "pyproject.toml": _PYTEST}, root="a"),
    "tox.ini of others": Layout(files={"a/tox.ini": "[tox]\nx = [pytest]\n", "pyproject.toml": _PYTEST}, root="."),
    "setup.cfg": Layout(files={"a/setup.cfg": "[tool:pytest]\n", "pyproject.toml": _PYTEST}, root="a"),
    "setup.cfg of others": Layout(files={"a/setup.cfg": "[metadata]\n", "pyproject.toml": _PYTEST}, root="."),
    "no pytest, ours": Layout(files={"pyproject.toml": _OURS}, root="."),
    "no pytest, a plain one": Layout(files={"a/pyproject.toml": _PROJECT, "pyproject.toml": _PROJECT}, root="a"),
    # pytest's root knows nothing of perfsuite: nothing that pytest does there could differ.
    "no pytest, ours above": Layout(
        files={"pyproject.toml": _OURS, "a/pyproject.toml": _PROJECT}, root=".", pytests="a"
    ),
    "setup.py": Layout(files={"a/setup.py": ""}, root="a"),
    "nothing": Layout(files={}, root="a/b"),
    "broken above the root": Layout(files={"a/pyproject.toml": _PYTEST, "pyproject.toml": "[tool"}, root="a"),
}

_ASK_PYTEST = """
import json, os, sys
import pytest
class Asked:
    def pytest_configure(self, config):
        roots.append(str(config.rootpath))
        pytest.exit("asked", 0)
roots = []
for folder in json.loads(sys.argv[1]):
    os.chdir(folder)
    pytest.main(["-p", "no:cacheprovider"], plugins=[Asked()])
print("\\n" + json.dumps(roots))
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for name, layout in LAYOUTS.items():
        made[name] = tmp_path_factory.mktemp("layout")
        (made[name] / layout.start).mkdir(parents=True, exist_ok=True)
        for file, content in layout.files.items():
            (made[name] / file).write_text(content)
    return made


@pytest.fixture(scope="module")
def pytests_roots(folders: dict[str, Path]) -> dict[str, Path]:
    """What pytest itself takes, for every layout."""
    starts = [str(folders[name] / layout.start) for name, layout in LAYOUTS.items()]
    asked = subprocess.run(
        [sys.executable, "-c", _ASK_PYTEST, json.dumps(starts)], capture_output=True, text=True, check=True
    )
    return dict(zip(LAYOUTS, map(Path, json.loads(asked.stdout.splitlines()[-1])), strict=True))


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_root_is_pytests(name: str, folders: dict[str, Path], pytests_roots: dict[str, Path]) -> None:
    layout, folder = LAYOUTS[name], folders[name]
    assert project_root(folder / layout.start) == folder / layout.root
    assert pytests_roots[name] == folder / (layout.pytests or layout.root)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool")
    with pytest.raises(UsageError, match=r"pyproject\.toml: "):
        project_root(tmp_path)


@pytest.mark.parametrize(
    "arguments",
    ["matrix", "kernels some-variant", "selfcheck compare --runs 0", "stacks list", "compare current nowhere"],
)
def test_every_command_reads_the_roots_settings_in_a_subfolder(
    arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.perfsuite]\nthreads = 0\n")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.setenv("PERFSUITE_LOCK_FOLDER", str(tmp_path))
    assert main(arguments.split()) == 2
    assert "threads must be above 0" in capsys.readouterr().err
