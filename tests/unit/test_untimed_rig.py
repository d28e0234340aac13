"""Workers that nobody times wait without spinning and calibrate once; those that are timed do neither."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders import VARIANT

from perfsuite.measure import rig as rigs
from perfsuite.measure.environment import PATIENT
from perfsuite.plugin import _rig
from perfsuite.settings import Settings
from perfsuite.spec import Mode, Precision, Variant

STATIC = dataclasses.replace(VARIANT, precision=Precision.INT8_STATIC)


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
    assert made["calibrates_once"]


def test_a_user_s_own_waiting_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KMP_BLOCKTIME", "7")
    assert _made(monkeypatch, timing=False)["environ"]["KMP_BLOCKTIME"] == "7"


def test_a_timing_run_waits_as_the_user_s_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KMP_BLOCKTIME", raising=False)
    made = _made(monkeypatch, timing=True)
    assert "KMP_BLOCKTIME" not in made["environ"]
    assert not made["calibrates_once"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What each worker was asked for; none starts."""
    found: list[dict[str, Any]] = []

    @contextlib.contextmanager
    def start(_: object) -> Iterator[None]:
        yield

    monkeypatch.setattr(rigs.Rig, "_make_assets", lambda *_: None)
    monkeypatch.setattr(rigs.Rig, "_launcher", lambda *_: SimpleNamespace(start=start))
    monkeypatch.setattr(rigs.Rig, "job", lambda _, variant, **how: found.append(how))
    return found


def _calibrated(rig: rigs.Rig, asked: list[dict[str, Any]], variant: Variant, **how: Any) -> Path | None:
    with rig.worker(variant, **how):
        return asked[-1].get("calibrated")


def test_modes_share_a_calibration_and_models_workloads_and_faults_do_not(asked: list[dict[str, Any]]) -> None:
    with rigs.Rig(Settings(), calibrates_once=True) as rig:
        first = _calibrated(rig, asked, STATIC)
        assert first is not None
        assert _calibrated(rig, asked, dataclasses.replace(STATIC, mode=Mode.EAGER)) == first
        assert _calibrated(rig, asked, dataclasses.replace(STATIC, model="bert-base")) not in (None, first)
        assert _calibrated(rig, asked, dataclasses.replace(STATIC, workload="smoke")) not in (None, first)
        assert _calibrated(rig, asked, STATIC, fault="calibration-8x-wide") is None
        assert _calibrated(rig, asked, STATIC, calibrated=Path("own")) == Path("own")


def test_by_default_nothing_is_shared(asked: list[dict[str, Any]]) -> None:
    with rigs.Rig(Settings()) as rig:
        assert _calibrated(rig, asked, STATIC) is None
