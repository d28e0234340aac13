"""Which variants are suspects: all that may be slower by what matters, the most suspicious first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfsuite.stats.confirming import Conclusion, confirmed
from perfsuite.stats.night import NightPlan
from perfsuite.stats.screening import SCREENING_PAIRS, suspects

PLAN = NightPlan(matters=1.01, fresh_pairs=100)
BOTH = NightPlan(matters=1.01, fresh_pairs=100, improvements=True)

PAIRS = st.lists(st.one_of(st.sampled_from([0.0, 0.03]), st.floats(-0.5, 0.5)), max_size=5)
SCREENED = st.dictionaries(st.integers(0, 9), PAIRS, max_size=8)


def _screened(generator: np.random.Generator, variants: int, mean: float, pairs: int) -> dict[int, list[float]]:
    """Variants whose spreads differ by a quarter around 1.5 %."""
    spreads = 0.015 * np.exp(generator.normal(0, 0.25, variants))
    return dict(enumerate(generator.normal(mean, spreads, (pairs, variants)).T.tolist()))


@pytest.mark.parametrize("pairs", [SCREENING_PAIRS, 4])
def test_a_variant_slower_by_what_matters_is_seldom_left_out(pairs: int) -> None:
    """The bound errs with half of ``missed``, however few pairs."""
    generator = np.random.default_rng(1)
    nights, variants = 120, 24
    left_out = nights * variants - sum(
        len(suspects(_screened(generator, variants, PLAN.bound, pairs), PLAN)) for _ in range(nights)
    )
    assert 0.01 < left_out / (nights * variants) < 0.035


def test_a_variant_that_is_no_slower_is_left_out_by_few_pairs_of_little_spread() -> None:
    generator = np.random.default_rng(2)
    screened = {key: [one / 5 for one in pairs] for key, pairs in _screened(generator, 24, 0.0, 2).items()}
    assert len(suspects(screened, PLAN)) < 6


def test_the_most_suspicious_comes_first_and_no_more_than_can_be_confirmed() -> None:
    screened = {"a": [0.01, 0.02], "b": [0.05, 0.06], "c": [0.03, 0.02], "d": [-0.09, -0.08]}
    assert suspects(screened, PLAN) == ["b", "c", "a"]
    assert suspects(screened, PLAN, most=2) == ["b", "c"]
    assert suspects(screened, BOTH, most=2) == ["d", "b"]


@pytest.mark.parametrize("pairs", [[], [0.0], [-0.3], [0.0, 0.0], [0.02, 0.02]])
def test_of_one_variant_with_too_little_known_the_worst_is_feared(pairs: list[float]) -> None:
    alone = {"a": pairs}
    assert suspects(alone, PLAN) == ([] if pairs == [0.0, 0.0] else ["a"])


def test_a_single_pair_takes_the_variance_of_the_others() -> None:
    screened = {"single": [-0.05], "a": [0.0, 0.01], "b": [0.0, 0.012], "c": [0.01, 0.0]}
    assert "single" not in suspects(screened, PLAN)


@settings(max_examples=60, deadline=None)
@given(screened=SCREENED, most=st.one_of(st.none(), st.integers(0, 5)), both=st.booleans())
def test_who_is_no_suspect_is_unchanged(screened: dict[int, list[float]], most: int | None, both: bool) -> None:
    plan = BOTH if both else PLAN
    found = suspects(screened, plan)
    assert suspects(screened, plan, most=most) == found[:most]
    unchanged = [key for key, one in confirmed(screened, {}, plan).items() if one.conclusion is Conclusion.UNCHANGED]
    assert sorted([*found, *unchanged]) == sorted(screened)
