"""The fixtures of all tests here."""

from pathlib import Path

import pytest
from project import project

__all__ = ["project"]


@pytest.fixture(autouse=True)
def _machine_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What else is timed on this machine is no test's business, and what a test times is nobody's history."""
    monkeypatch.setenv("PERFSUITE_LOCK_FOLDER", str(tmp_path))
    monkeypatch.delenv("PERFSUITE_HISTORY", raising=False)
