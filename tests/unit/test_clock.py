"""The time that a run may take, and what an interrupted one before it took of that."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders import replicate, session
from compare_builders import pair

from perfsuite import session as stages
from perfsuite.measure.campaign import Journal
from perfsuite.measure.clock import Clock
from perfsuite.measure.plan import Plan
from perfsuite.settings import Settings


@pytest.mark.parametrize(
    ("spent_s", "asked_s", "allowed"),
    [
        pytest.param(0.0, 99.0, True, id="all is left"),
        pytest.param(60.0, 39.0, True, id="enough is left"),
        pytest.param(60.0, 41.0, False, id="too little is left"),
        pytest.param(101.0, 0.0, False, id="nothing is left"),
    ],
)
def test_what_an_interrupted_run_took_is_spent(spent_s: float, asked_s: float, allowed: bool) -> None:
    assert Clock(100.0, spent_s=spent_s).allows(asked_s) is allowed


def test_a_resumed_run_has_spent_what_its_pairs_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.create(tmp_path, session().head)
    for _ in range(2):
        journal.append(pair(1.0))
    plan = Plan(variants=1, replicates=2, measure_s=10.0, extra_s=0.0, confirm_s=1000.0)
    journal = Journal.resume(tmp_path, session().head)
    run = SimpleNamespace(journal=journal, plan=plan, settings=Settings(), outcomes={}, results={})
    clocks: list[Clock] = []

    def confirm(*_: Any, clock: Clock, **__: Any) -> dict[Any, Any]:
        clocks.append(clock)
        return {}

    monkeypatch.setattr(stages, "confirm", confirm)
    stages.confirm_suspects(run, SimpleNamespace())  # type: ignore[arg-type]
    side_s = replicate(100).stages.total_s
    assert clocks[0].spent_s == pytest.approx(4 * side_s, rel=0.05)
