"""What a night knows before it measures: baselines, and of other variants the history."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import OTHER_VARIANT, VARIANT
from histories import rows_of_day, session_of_day

from perfsuite import session
from perfsuite.history.address import VARIABLE, history_url
from perfsuite.history.database import History
from perfsuite.settings import Settings


@pytest.mark.parametrize(
    ("held", "address", "latencies_s"),
    [
        pytest.param(False, "", {VARIANT: 0.11, OTHER_VARIANT: 0.05}, id="the history knows all"),
        pytest.param(True, "", {VARIANT: 0.2, OTHER_VARIANT: 0.05}, id="a baseline comes first"),
        pytest.param(False, "no address", {}, id="an address that is none"),
    ],
)
def test_a_night_is_planned_by_baselines_and_by_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: bool, address: str, latencies_s: dict[object, float]
) -> None:
    monkeypatch.setenv(VARIABLE, address)
    with contextlib.closing(History(history_url(tmp_path, None, {}))) as history:
        history.keep(rows_of_day(1, 100, 50))
        history.keep(rows_of_day(2, 110))
    for stage in ("measure", "judge", "confirm_suspects", "explain_changes"):
        monkeypatch.setattr(session, stage, lambda *_: None)
    known, settings = session_of_day(3, 200), Settings()
    newest = {one.variant: one for one in known.measurements} if held else {}
    run = SimpleNamespace(
        root=tmp_path, settings=settings, baseline_stack=None, baselines=SimpleNamespace(newest=lambda *_, **__: newest)
    )
    rig = SimpleNamespace(machine=known.machine, stack=known.stack)
    session.night(cast(Any, run), cast(Any, rig), [VARIANT, OTHER_VARIANT])
    assert {variant: round(one.latency_s, 6) for variant, one in run.known.items()} == latencies_s
    assert (run.plan.confirm_s > 0) is held
