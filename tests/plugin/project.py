"""A project of its own for each test: the suite's real test files over tiny models."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

import perfsuite
from perfsuite.measure.environment import cache_folder

_HERE = Path(__file__).parent
_SUITE = Path(perfsuite.__file__).parent / "suite"
SETTINGS = """
[tool.perfsuite]
weights = "seeded"
measure_s = 0.2
warm_up_limit_s = 0.5
threads = 1

[tool.perfsuite.models]
tiny = "misbehaving:TINY"
crash = "misbehaving:CRASH"
hang = "misbehaving:HANG"
garbage = "misbehaving:GARBAGE"
memory = "misbehaving:MEMORY"
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A run of it that starts workers has a pytest process of its own; one that only collects or refuses need not."""
    pytester.makepyprojecttoml(SETTINGS)
    shutil.copy(_SUITE / "test_correctness.py", pytester.path)  # a timing run brings the rest itself
    # The workers import the models by name, from beside this file.
    monkeypatch.setenv("PYTHONPATH", str(_HERE))
    monkeypatch.syspath_prepend(str(_HERE))
    # A run in this process finds the file imported, of the same name but at another place.
    monkeypatch.delitem(sys.modules, "test_correctness", raising=False)
    # A run is not to know that the test runs in one of several processes: pytest-benchmark would time nothing there.
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:xdist")
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):  # half of what it takes to start a run is compiling
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "")
        monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(cache_folder().absolute() / "bytecode"))
    return pytester


def words(result: pytest.RunResult) -> str:
    """What a run said, wherever its lines are folded."""
    return " ".join(result.stdout.str().split())


def too_wide(result: pytest.RunResult) -> list[str]:
    """Lines of a run's end, from its results on, that go past 100 columns."""
    lines = result.stdout.lines
    begin = next(number for number, line in enumerate(lines) if "[100%]" in line)
    return [line for line in lines[begin:] if len(line) > 100]
