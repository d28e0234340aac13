"""A path behind a space is refused by every pytest that would misread it, and by no other project's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from perfsuite.arguments import BASELINES, PATH_OPTIONS, PRELOAD
from perfsuite.options import add_options

_SENTENCE = "write {0}={1}: behind a space pytest takes a path for a test's, and looks for settings there"


class _Parser:
    """Stands where pytest's does, and keeps what is declared."""

    def __init__(self) -> None:
        self.declared: dict[str, dict[str, Any]] = {}

    def getgroup(self, *_: str) -> _Parser:
        return self

    def addoption(self, name: str, **how: Any) -> None:
        self.declared[name] = how


@pytest.fixture
def folders(tmp_path_factory: pytest.TempPathFactory, project: pytest.Pytester) -> dict[str, Path]:
    """Where baselines may be: outside of the project, in it, in another one of ours, and nowhere yet."""
    outside = tmp_path_factory.mktemp("outside")
    other = tmp_path_factory.mktemp("other")
    (other / "pyproject.toml").write_text("[tool.pytest.ini_options]\n[tool.perfsuite]\n")
    found = {"outside": outside / "b", "inside": project.path / "b", "another project's": other / "b"}
    for folder in found.values():
        folder.mkdir()
    return {**found, "missing": outside / "none"}


@pytest.mark.parametrize("where", ["outside", "inside", "another project's", "missing"])
@pytest.mark.parametrize("option", PATH_OPTIONS)
def test_a_path_behind_a_space_is_refused_and_behind_an_equals_sign_is_not(
    project: pytest.Pytester, folders: dict[str, Path], where: str, option: str
) -> None:
    path = folders[where] if option == BASELINES else folders[where].with_suffix(".html")
    refused = project.runpytest_inprocess("--collect-only", "--benchmark-only", option, path)
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    assert refused.stderr.str().strip() == f"ERROR: {_SENTENCE.format(option, path)}"
    collecting = ("--collect-only", "--benchmark-only", "-q", "-k", "tiny and eager")
    taken = project.runpytest_inprocess(*collecting, f"{option}={path}")
    assert taken.ret == 0
    assert any("test_latency[tiny-stock-eager" in line for line in taken.outlines)


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("libc.so.6", pytest.ExitCode.OK),
        ("folder", pytest.ExitCode.USAGE_ERROR),
        ("/none/libmine.so", pytest.ExitCode.USAGE_ERROR),
    ],
)
def test_a_library_is_refused_behind_a_space_where_pytest_may_take_it_for_a_path(
    project: pytest.Pytester, value: str, status: int
) -> None:
    (project.path / "folder").mkdir()
    found = project.runpytest_inprocess("--collect-only", "-q", "-k", "tiny and eager", PRELOAD, value)
    assert found.ret == status
    told = f"ERROR: {_SENTENCE.format(PRELOAD, value)}"
    assert found.stderr.str().strip() == (told if status else "")


def test_another_projects_option_of_that_name_is_its_own(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        f'def pytest_addoption(parser):\n    parser.addoption("{PATH_OPTIONS[0]}", type=int, default=0)\n'
    )
    pytester.makepyfile(f"def test_it(pytestconfig):\n    assert pytestconfig.getoption('{PATH_OPTIONS[0]}') == 3\n")
    pytester.runpytest_subprocess(PATH_OPTIONS[0], "3").assert_outcomes(passed=1)


def test_every_option_that_takes_a_path_is_listed() -> None:
    parser: Any = _Parser()
    add_options(parser)
    paths = [
        name
        for name, how in parser.declared.items()
        if how.get("type") is Path or how.get("metavar") in ("DIR", "FILE", "PATH")
    ]
    assert sorted(paths) == sorted(PATH_OPTIONS)


def test_what_every_pytest_loads_is_light() -> None:
    code = "import sys, pytest; before = set(sys.modules); import perfsuite.arguments; print(set(sys.modules) - before)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert sorted(eval(loaded.stdout)) == ["perfsuite", "perfsuite.arguments"]
