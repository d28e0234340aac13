"""Workers that nobody times wait without spinning; those that are timed wait as the user's would."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from perfsuite.measure import rig as rigs
from perfsuite.measure.environment import PATIENT
from perfsuite.plugin import _rig
from perfsuite.settings import Settings


def _made(monkeypatch: pytest.MonkeyPatch, *, timing: bool) -> dict[str, Any]:
    """How a run's rig is made."""
    made: dict[str, Any] = {}
    monkeypatch.setattr(rigs, "Rig", lambda _, **how: made.update(how))
    run: Any = SimpleNamespace(rig=None, settings=Settings(), ready=None, timing=timing)
    _rig(run)
    return made


def test_waiting_threads_sleep_where_nothing_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KMP_BLOCKTIME", raising=False)
    made = _made(monkeypatch, timing=False)
    assert made["environ"].items() >= PATIENT.items()


def test_a_user_s_own_waiting_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KMP_BLOCKTIME", "7")
    assert _made(monkeypatch, timing=False)["environ"]["KMP_BLOCKTIME"] == "7"


def test_a_timing_run_waits_as_the_user_s_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KMP_BLOCKTIME", raising=False)
    made = _made(monkeypatch, timing=True)
    assert "KMP_BLOCKTIME" not in made["environ"]
