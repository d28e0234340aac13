"""Moderated variances: what they are fitted to, and intervals that cover what they state."""

import math

import numpy as np
import pytest
from scipy import optimize, special, stats

from perfsuite.stats.moderated import Variance, _trigamma_inverse, moderated, moderation_by


@pytest.mark.parametrize("x", [0.05, 0.5, 1.0, 4.0, 30.0, 1000.0])
def test_the_inverse_of_trigamma_is_scipy_s(x: float) -> None:
    value = float(special.polygamma(1, x))
    root = optimize.brentq(lambda t: float(special.polygamma(1, t)) - value, 1e-3, 1e5, xtol=1e-10)
    assert _trigamma_inverse(value) == pytest.approx(root, rel=1e-6) == pytest.approx(x, rel=1e-5)


@pytest.mark.parametrize("prior_freedom", [4.0, 20.0])
def test_the_common_variance_is_found_again(prior_freedom: float) -> None:
    generator = np.random.default_rng(1)
    true = 4e-4 * prior_freedom / generator.chisquare(prior_freedom, 4000)
    own = [Variance(value=float(v * generator.chisquare(3) / 3), freedom=3.0) for v in true]
    # One without observations of its own takes the common one as it is.
    common = moderated([*own, Variance(value=0.0, freedom=0.0)])[-1]
    assert common.value == pytest.approx(4e-4, rel=0.1)
    assert common.freedom == pytest.approx(prior_freedom, rel=0.35)


def test_equal_variances_are_pooled() -> None:
    generator = np.random.default_rng(2)
    own = [Variance(value=float(1e-4 * generator.chisquare(2) / 2), freedom=2.0) for _ in range(400)]
    found = moderated(own)
    assert np.std([math.log(one.value) for one in found]) < 0.3 * np.std([math.log(one.value) for one in own])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_of_fewer_than_three_nothing_common_is_said(count: int) -> None:
    own = [Variance(value=1e-4, freedom=2.0)] * count
    assert moderated(own) == own


def test_no_variance_at_all_is_no_error() -> None:
    assert all(one.value > 0 for one in moderated([Variance(value=0.0, freedom=2.0)] * 5))


@pytest.mark.parametrize("spread_of_spreads", [0.0, 0.25, 0.6])
def test_intervals_of_two_replicates_a_side_cover_what_they_state(spread_of_spreads: float) -> None:
    """24 variants whose noise differs: Student's t with moderated variances misses with 5 %, and is far narrower."""
    generator = np.random.default_rng(3)
    missed = widths = plain = 0.0
    nights, variants = 150, 24
    for _ in range(nights):
        spreads = 0.03 * np.exp(generator.normal(0, spread_of_spreads, variants))
        sides = generator.normal(0, spreads, (2, 2, variants))
        own_variances = sides.var(axis=1, ddof=1).mean(axis=0)
        found = moderated([Variance(value=float(v), freedom=2.0) for v in own_variances])
        means = sides[0].mean(axis=0) - sides[1].mean(axis=0)
        half = [stats.t.ppf(0.975, one.freedom) * math.sqrt(one.value) for one in found]
        missed += float((np.abs(means) > half).mean()) / nights
        widths += float(np.mean(half)) / nights
        plain += float(np.mean(stats.t.ppf(0.975, 2) * np.sqrt(own_variances))) / nights
    assert 0.03 < missed < 0.07
    assert widths < 0.75 * plain


def test_a_few_well_known_variances_weigh_more_than_many_barely_known() -> None:
    generator = np.random.default_rng(4)
    found = []
    for _ in range(100):
        own = [Variance(value=float(generator.chisquare(f) / f), freedom=f) for f in [1.0] * 20 + [40.0] * 4]
        found.append(math.log(moderated([*own, Variance(value=0.0, freedom=0.0)])[-1].value))
    # Were all to weigh alike it would vary by 0.75.
    assert float(np.std(found)) < 0.4


def test_small_errors_hold_where_the_common_variance_is_not_overrated() -> None:
    """An error of 1 in 1,000, 24 variants with four observations each, whose spreads differ by a quarter."""
    generator = np.random.default_rng(5)
    missed = {8.0: 0.0, math.inf: 0.0}
    nights, variants = 1200, 24
    for _ in range(nights):
        draws = generator.normal(0, np.exp(generator.normal(0, 0.25, variants)), (4, variants))
        own = [Variance(value=float(v), freedom=3.0) for v in draws.var(axis=0, ddof=1)]
        means = np.abs(draws.mean(axis=0))
        for most_freedom in missed:
            moderation = moderation_by(own, most_freedom=most_freedom)
            known = [moderation.of(one) for one in own]
            freedoms = np.array([one.freedom for one in known])
            half = special.stdtrit(freedoms, 0.9995) * np.sqrt([one.value / 4 for one in known])
            missed[most_freedom] += float((means > half).mean()) / nights
    assert missed[8.0] < 0.0012
    assert missed[math.inf] > 0.0015
