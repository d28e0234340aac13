"""How long a run is planned to take."""

from __future__ import annotations

import dataclasses

import pytest
from builders import ONCE_VARIANT, OTHER_VARIANT, VARIANT, measurement

from perfsuite.measure.plan import plan

#: 2.1 s a replicate.
STORED = measurement(100, 100)


@pytest.mark.parametrize(
    ("stored", "replicates", "measure_s"),
    [
        pytest.param({}, 2, 2 * (2 * 7 + 4), id="nothing is known"),
        pytest.param({VARIANT: STORED}, 2, 2 * 2.1 + 4 + 18, id="one is known"),
        pytest.param({VARIANT: STORED, OTHER_VARIANT: STORED}, 3, 2 * (3 * 2.1 + 4), id="both are"),
    ],
)
def test_measuring_takes_what_it_took(stored: dict, replicates: int, measure_s: float) -> None:  # type: ignore[type-arg]
    found = plan([VARIANT, OTHER_VARIANT], stored, held=stored, replicates=replicates, confirm="none", budget_s=None)
    assert found.measure_s == pytest.approx(measure_s)
    assert (found.extra_s, found.confirm_s) == (0.0, 0.0)


def test_what_runs_once_is_planned_once() -> None:
    assert plan([ONCE_VARIANT], {}, held=(), replicates=5, confirm="none", budget_s=None).measure_s == 7 + 4


@pytest.mark.parametrize(
    ("confirm", "known", "confirm_s"),
    [
        ("suspects", 1, 180.0),
        ("suspects", 24, 24 * 30.0),
        ("all", 24, 24 * 55.0),
        ("none", 24, 0.0),
        ("suspects", 0, 0.0),
    ],
)
def test_confirming_takes_time_for_each_variant_with_a_baseline(confirm: str, known: int, confirm_s: float) -> None:
    variants = [dataclasses.replace(VARIANT, model=f"model-{number}") for number in range(24)]
    stored = dict.fromkeys(variants[:known], STORED)
    assert plan(variants, stored, held=stored, replicates=2, confirm=confirm, budget_s=None).confirm_s == confirm_s


def test_variants_that_only_the_baseline_has_take_no_time() -> None:
    others = {dataclasses.replace(VARIANT, model=f"model-{number}"): STORED for number in range(24)}
    known = {VARIANT: STORED, **others}
    found = plan([VARIANT], known, held=known, replicates=2, confirm="suspects", budget_s=None)
    assert found.confirm_s == 180.0
    assert plan([VARIANT], others, held=others, replicates=2, confirm="suspects", budget_s=None).confirm_s == 0.0


def test_what_the_history_alone_knows_is_measured_and_not_confirmed() -> None:
    found = plan([VARIANT], {VARIANT: STORED}, held=(), replicates=2, confirm="all", budget_s=None)
    assert found.measure_s == pytest.approx(8.2)
    assert found.confirm_s == 0.0


@pytest.mark.parametrize(
    ("budget_s", "confirm", "extra_s", "confirm_s"),
    [
        pytest.param(1000.0, "suspects", 400 - 8.2, 600.0, id="more than is needed"),
        pytest.param(15.0, "suspects", 0.0, 6.8, id="measuring takes most"),
        pytest.param(5.0, "suspects", 0.0, 0.0, id="less than measuring takes"),
        pytest.param(1000.0, "none", 1000 - 8.2, 0.0, id="nothing to confirm"),
    ],
)
def test_a_budget_is_shared_out(budget_s: float, confirm: str, extra_s: float, confirm_s: float) -> None:
    found = plan([VARIANT], {VARIANT: STORED}, held=[VARIANT], replicates=2, confirm=confirm, budget_s=budget_s)
    assert [found.extra_s, found.confirm_s] == pytest.approx([extra_s, confirm_s])
