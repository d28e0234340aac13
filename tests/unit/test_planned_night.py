"""What a night knows before it measures: baselines, and of other variants the history."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import OTHER_VARIANT, VARIANT
from histories import rows_of_day, session_of_day
from test_campaign import HEADER

from perfsuite import session
from perfsuite.history.address import VARIABLE, history_url
from perfsuite.history.database import History
from perfsuite.measure.plan import Plan
from perfsuite.report.live import NightScreen
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


@pytest.mark.parametrize(("extra_s", "left"), [(600.0, "10 min"), (0.0, "18 s")])
def test_a_night_counts_down_what_its_budget_leaves_for_measuring_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra_s: float, left: str
) -> None:
    screens: list[NightScreen] = []

    def stepwise(_: int, screen: NightScreen) -> contextlib.AbstractContextManager[None]:
        screens.append(screen)
        return contextlib.nullcontext()

    monkeypatch.setattr(session, "session_head", lambda *_: HEADER)
    monkeypatch.setattr(session, "stepwise", stepwise)
    monkeypatch.setattr("perfsuite.measure.campaign.run", lambda *_, **__: {})
    plan = Plan(variants=1, replicates=2, measure_s=20.0, extra_s=extra_s, confirm_s=0.0)
    run = SimpleNamespace(
        root=tmp_path, settings=Settings(), resume=False, shard=None, observing=False, plan=plan, known={},
        session=SimpleNamespace(unsupported=()),
    )  # fmt: skip
    session.measure(cast(Any, run), cast(Any, None), [VARIANT])
    (screen,) = screens
    assert screen.left() == f"about {left} left to measure"
