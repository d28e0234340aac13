"""Pairs of processes -> a verdict: real and large are two questions, and nothing is decided too early."""

import math

import numpy as np
import pytest
from compare_builders import PAIRING, pair, side

from perfsuite.judge.paired import LOOKS, judge_pairs, settled
from perfsuite.records.pair import Pair
from perfsuite.records.speed import Verdict
from perfsuite.stats.intervals import Interval
from perfsuite.stats.sequential import Looks

LOOK = Looks(counts=LOOKS, coverage=0.95, comparisons=1)


def _pairs(ratio: float, count: int, spread: float = 0.002) -> list[Pair]:
    """Ratios spread evenly around one, so that the test knows their mean and spread."""
    offsets = np.linspace(-1, 1, count) * spread
    return [pair(ratio * math.exp(offset)) for offset in offsets]


@pytest.mark.parametrize(
    ("ratio", "spread", "verdict", "words"),
    [
        (1.0, 0.002, Verdict.UNCHANGED, "within 2.0%"),
        (1.008, 0.001, Verdict.UNCHANGED, "within 2.0%"),  # real, and too small to matter
        (1.05, 0.002, Verdict.REGRESSED, "slower"),
        (0.95, 0.002, Verdict.IMPROVED, "faster"),
        (2.0, 0.002, Verdict.REGRESSED, "slower"),
    ],
)
def test_eight_pairs_decide(ratio: float, spread: float, verdict: Verdict, words: str) -> None:
    found = judge_pairs(_pairs(ratio, 8, spread), LOOK, resolution=0.02)
    assert found is not None
    assert (found.verdict, found.reason) == (verdict, f"{words}; 8 pairs")
    assert found.ratio == pytest.approx(ratio, rel=1e-6)
    assert found.baseline_s == pytest.approx(0.1)
    assert found.candidate_s == pytest.approx(0.1 * ratio, rel=1e-3)


@pytest.mark.parametrize("count", [2, 3, 5, 7])
def test_between_looks_nothing_is_decided(count: int) -> None:
    assert judge_pairs(_pairs(2.0, count, 1e-6), LOOK, resolution=0.02) is None


def test_what_differs_too_much_wants_more_pairs_until_the_last_look() -> None:
    pairs = _pairs(1.01, 8, 0.05)
    assert judge_pairs(pairs, LOOK, resolution=0.02) is None
    last = judge_pairs(pairs, LOOK, resolution=0.02, last=True)
    assert last is not None
    assert last.verdict is Verdict.INCONCLUSIVE
    assert "differ too much" in last.reason


def test_the_last_look_is_narrower_than_another_that_others_follow() -> None:
    pairs = _pairs(1.0, 8)
    followed, last = (judge_pairs(pairs, LOOK, resolution=0.02, last=last) for last in (False, True))
    assert followed is not None
    assert last is not None
    assert followed.interval is not None
    assert last.interval is not None
    assert last.interval.high < followed.interval.high


def test_real_but_at_the_edge_of_the_resolution_is_said_so() -> None:
    found = judge_pairs(_pairs(1.018, 16, 0.006), LOOK, resolution=0.02, last=True)
    assert found is not None
    assert found.verdict is Verdict.UNCHANGED
    assert found.reason.startswith("slower, though by less than 2.0%")


def test_more_comparisons_make_every_interval_wider() -> None:
    widths = []
    for comparisons in (1, 24):
        looks = Looks(counts=LOOKS, coverage=0.95, comparisons=comparisons)
        found = judge_pairs(_pairs(1.0, 16), looks, resolution=0.02, last=True)
        assert found is not None
        assert found.interval is not None
        widths.append(found.interval.high - found.interval.low)
    assert widths[1] > 1.3 * widths[0]


@pytest.mark.parametrize(
    ("low", "high", "enough"),
    [
        (0.985, 1.015, True),  # all within
        (1.021, 1.2, True),  # all beyond
        (0.5, 0.97, True),
        (1.001, 1.1, False),  # slower, but by 2 %?
        (0.99, 1.03, False),
        (1.012, 1.028, True),  # on the edge, and as narrow as was asked for
    ],
)
def test_when_more_pairs_tell_nothing_that_was_asked_for(low: float, high: float, enough: bool) -> None:
    assert settled(Interval(low=low, high=high, coverage=0.95), 0.02) is enough


def test_a_pair_s_ratio_is_that_of_its_undisturbed_iterations() -> None:
    """A burst of the machine in one block, whichever side it hits, does not count."""
    burst = pair(1.1)
    calm, hit = side(*[100] * 8), side(110, 110, 900, *[110] * 5)
    found = Pair(pairing=burst.pairing, baseline=calm, candidate=hit)
    assert math.exp(found.log_ratio) == pytest.approx(1.1)


@pytest.mark.parametrize("fast_ratio", [1.0, 0.9])
def test_a_third_of_the_iterations_twice_as_slow_is_a_regression(fast_ratio: float) -> None:
    """The faster halves are alike, or even faster: their ratio alone would be green."""
    fast, slow = round(100_000 * fast_ratio), 200_000
    candidates = [side(*[fast] * 8, *[slow] * count) for count in (4, 3, 4, 3, 4, 3)]
    pairs = [Pair(pairing=PAIRING, baseline=side(*[100_000] * 12), candidate=candidate) for candidate in candidates]
    found = judge_pairs(pairs, LOOK, resolution=0.02)
    assert found is not None
    assert found.ratio == pytest.approx(fast_ratio)
    assert found.verdict is Verdict.REGRESSED
    assert "but the slower half of its iterations is 1." in found.reason


def test_a_burst_in_one_pair_is_no_regression_of_its_slower_half() -> None:
    hit = side(*[100_000] * 8, *[200_000] * 4)
    burst = Pair(pairing=PAIRING, baseline=side(*[100_000] * 12), candidate=hit)
    found = judge_pairs([pair(1.0), pair(1.0), burst, pair(1.0)], LOOK, resolution=0.02)
    assert found is not None
    assert found.verdict is Verdict.UNCHANGED


def test_large_but_not_real_is_inconclusive() -> None:
    last = judge_pairs(_pairs(1.05, 8, 0.2), LOOK, resolution=0.02, last=True)
    assert last is not None
    assert last.verdict is Verdict.INCONCLUSIVE
