"""The middle of a few numbers."""

import numpy as np
import pytest

from perfsuite.stats.location import hodges_lehmann


def test_it_is_the_median_of_all_pairs_means() -> None:
    assert hodges_lehmann([1.0, 2.0, 9.0]) == pytest.approx(3.5)  # of 1, 1.5, 2, 5, 5.5, 9


def test_of_one_number_it_is_that_number() -> None:
    assert hodges_lehmann([3.0]) == 3.0


@pytest.mark.parametrize("wild", [1e6, -1e6])
def test_one_wild_number_of_four_moves_it_no_further_than_the_others_reach(wild: float) -> None:
    assert 1.0 <= hodges_lehmann([1.0, wild, 1.2, 1.1]) <= 1.2


def test_of_normal_numbers_it_is_nearly_as_exact_as_the_mean() -> None:
    samples = np.random.default_rng(0).normal(size=(2000, 12))
    by_mean, by_median = samples.mean(axis=1).std(), np.median(samples, axis=1).std()
    found = np.std([hodges_lehmann(sample.tolist()) for sample in samples])
    assert found < 1.06 * by_mean
    assert found < 0.92 * by_median
