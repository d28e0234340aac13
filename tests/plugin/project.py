"""A project of its own for each test: the suite's real test files over tiny models."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from perfsuite.measure.environment import cache_folder

_HERE = Path(__file__).parent
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
    pytester.makeconftest('pytest_plugins = ("perfsuite.plugin",)')
    pytester.makepyprojecttoml(SETTINGS)
    for file in ("test_speed.py", "test_correctness.py"):
        shutil.copy(_HERE.parent / "suite" / file, pytester.path)
    # The workers import the models by name, from beside this file.
    monkeypatch.setenv("PYTHONPATH", str(_HERE))
    monkeypatch.syspath_prepend(str(_HERE))
    # A run in this process finds the suite's files imported, of the same names but at another place.
    for name in ("test_speed", "test_correctness"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    # What else runs on this machine is no test's business.
    monkeypatch.setenv("PERFSUITE_LOCK_FOLDER", str(pytester.path))
    # Nor that the test runs in one of several processes: pytest-benchmark would time nothing there.
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:xdist")
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):  # half of what it takes to start a run is compiling
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "")
        monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(cache_folder().absolute() / "bytecode"))
    return pytester
