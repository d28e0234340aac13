"""A project of its own for each test: the suite's real test files over tiny models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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
    """Its runs are real pytest processes: pytester's in-process runs would share our plugin's state."""
    pytester.makeconftest('pytest_plugins = ("perfsuite.plugin",)')
    pytester.makepyprojecttoml(SETTINGS)
    for file in ("test_speed.py", "test_correctness.py"):
        shutil.copy(_HERE.parent / "suite" / file, pytester.path)
    # The workers import the models by name, from beside this file.
    monkeypatch.setenv("PYTHONPATH", str(_HERE))
    # What else runs on this machine is no test's business.
    monkeypatch.setenv("PERFSUITE_LOCK_FOLDER", str(pytester.path))
    return pytester
