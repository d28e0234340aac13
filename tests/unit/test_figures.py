"""Figures of outputs against figures computed by hand, and those that outputs do not have."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from perfsuite.check.figures import measure, worst
from perfsuite.models.base import Yields
from perfsuite.records.accuracy import Accuracy

Array = NDArray[np.float32]
LOGITS, TOKENS = Yields.LOGITS, Yields.TOKENS


def _array(values: Any) -> Array:
    return np.asarray(values, dtype=np.float32)


def _noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


#: Two inputs of two items each, one score an item: squares add up to 114, and to 14 around the mean of 5.
SCORES = _array([[[3], [4]], [[5], [8]]])
LAST_SCORE = _array([[[0], [0]], [[0], [1]]])
#: Lengths of 0, 5 and 5: a sample has 5 sqrt(2 / 3) in general.
ZERO_AND_TWO = _array([[[0, 0]], [[3, 4]], [[4, 3]]])
ONE_PERCENT_OF_A_SAMPLE = 0.05 * math.sqrt(2 / 3)


def _table(*cases: tuple[str, Yields, Any, Any, dict[str, float | None]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("yields", "reference", "candidate", "expected"), [case[1:] for case in cases], ids=[case[0] for case in cases]
    )


@_table(
    # Noise 0.5 on a norm of 5 is 20 dB. Around (3.5, 3.5), (-0.5, 1) lies against (-0.5, 0.5).
    ("logits", LOGITS, [[[3, 4]], [[4, 3]]], [[[3, 4.5]], [[4, 3]]],
     {"sqnr_db": 20, "centred_cosine": 3 / math.sqrt(10), "variation": math.sqrt(0.5) / 5, "agreement": 1,
      "max_error": 0.125}),
    # One vector of all four scores, and one too high in the last of them.
    ("one-score-a-sample", LOGITS, SCORES, SCORES + LAST_SCORE,
     {"sqnr_db": 10 * math.log10(114), "centred_cosine": 17 / math.sqrt(14 * 21), "variation": math.sqrt(14 / 114),
      "agreement": None, "max_error": 0.125}),
    ("a-score-without-an-axis", LOGITS, SCORES[..., 0], SCORES[..., 0] + LAST_SCORE[..., 0],
     {"sqnr_db": 10 * math.log10(114), "centred_cosine": 17 / math.sqrt(14 * 21), "agreement": None}),
    ("a-score-near-zero", LOGITS, [[[0.001]], [[1]]], [[[0.011]], [[1]]], {"sqnr_db": 40}),
    ("one-score-an-input", LOGITS, [3, 4, 5, 8], [3, 4, 5, 9], {"sqnr_db": 10 * math.log10(114), "agreement": None}),
    ("one-token-feature", TOKENS, SCORES[..., None], SCORES[..., None] + LAST_SCORE[..., None],
     {"sqnr_db": 10 * math.log10(114), "centred_cosine": 17 / math.sqrt(14 * 21), "agreement": None}),
    ("one-score-in-all", LOGITS, [[[10]]], [[[11]]],
     {"sqnr_db": 20, "centred_cosine": None, "variation": None, "agreement": None, "max_error": 0.1}),
    ("one-sample-stays", LOGITS, [[[3, 4]]], [[[3, 4.5]]],
     {"sqnr_db": 20, "centred_cosine": None, "variation": None, "agreement": 1, "max_error": 0.125}),
    ("one-sample-turns", LOGITS, [[[3, 4]]], [[[4.5, 4]]], {"centred_cosine": None, "agreement": 0}),
    ("one-embedding", TOKENS, [[[[3, 4]]]], [[[[3, 4.5]]]],
     {"sqnr_db": 20, "centred_cosine": None, "variation": None, "agreement": None}),
    # The nearest other one of two is always the other one.
    ("two-embeddings-exchanged", TOKENS, [[[[3, 4]], [[4, 3]]]], [[[[4, 3]], [[3, 4]]]],
     {"centred_cosine": -1, "agreement": None}),
    ("embeddings-without-tokens", TOKENS, [[[3, 4], [4, 3], [5, 4]]], [[[3, 4], [4, 3], [5, 4]]],
     {"centred_cosine": 1, "agreement": 1}),
    # Two pairs of neighbours; the second and the third sample exchanged.
    ("neighbours-stay", TOKENS, [[[[1, 0]], [[1, 0.1]], [[-1, 0]], [[-1, 0.1]]]],
     [[[[1, 0]], [[1.01, 0.1]], [[-1, 0]], [[-1, 0.1]]]], {"agreement": 1}),
    ("neighbours-exchanged", TOKENS, [[[[1, 0]], [[1, 0.1]], [[-1, 0]], [[-1, 0.1]]]],
     [[[[1, 0]], [[-1, 0]], [[1, 0.1]], [[-1, 0.1]]]], {"agreement": 0}),
    ("decision-of-small-margin", LOGITS, [[[0, 1], [0, 3]]], [[[1, 0], [0, 3]]], {"agreement": 3 / 4}),
    ("decision-of-large-margin", LOGITS, [[[0, 1], [0, 3]]], [[[0, 1], [3, 0]]], {"agreement": 1 / 4}),
    ("margins-of-zero", LOGITS, [[[2, 2]], [[5, 5]]], [[[2, 2]], [[5, 5]]], {"centred_cosine": 1, "agreement": None}),
    ("margins-of-rounding", LOGITS, [[[2, 2.0001]], [[5, 5]]], [[[2, 1.9999]], [[5, 5]]], {"agreement": None}),
    # Held against what the samples have in general.
    ("a-sample-of-zeros", LOGITS, ZERO_AND_TWO, [[[ONE_PERCENT_OF_A_SAMPLE, 0]], [[3, 4]], [[4, 3]]],
     {"sqnr_db": 40, "agreement": 1, "max_error": ONE_PERCENT_OF_A_SAMPLE / 4}),
    ("all-zeros", LOGITS, [[[0, 0]]] * 3, [[[0, 0]]] * 3,
     {"sqnr_db": None, "centred_cosine": None, "variation": 0, "agreement": None, "max_error": 0}),
    ("zeros-no-more", LOGITS, [[[0, 0]]] * 3, [[[0, 1]]] * 3,
     {"sqnr_db": -math.inf, "centred_cosine": None, "agreement": None, "max_error": None}),
    ("constant-logits", LOGITS, [[[1, 2]]] * 3, [[[1, 2.1]]] * 3,
     {"centred_cosine": None, "variation": 0, "agreement": 1, "max_error": 0.05}),
    ("constant-embeddings", TOKENS, [[[[1, 2]]]] * 3, [[[[1, 2.1]]]] * 3,
     {"centred_cosine": None, "variation": 0, "agreement": None}),
    # FP32 itself may be that far off: what is left after the centre is taken away is rounding.
    ("constant-but-for-rounding", LOGITS, [[[1, 2]], [[1.00001, 2]], [[1, 2]]], [[[1, 2]], [[0.99999, 2]], [[1, 2]]],
     {"centred_cosine": None, "variation": 0}),
    ("embeddings-constant-but-for-rounding", TOKENS, [[[[1, 2]]], [[[1.00001, 2]]], [[[1, 2.00002]]]],
     [[[[1, 2]]], [[[1, 2.00002]]], [[[1.00001, 2]]]], {"centred_cosine": None, "agreement": None}),
    # One sample is the common part itself; the others say how much samples differ.
    ("a-sample-at-the-centre", LOGITS, [[[2, 3]], [[1, 5]], [[3, 1]]], [[[2, 3]], [[1, 5]], [[3, 1]]],
     {"centred_cosine": 1, "variation": math.sqrt(5 / 26)}),
    ("an-answer-at-the-centre", LOGITS, [[[1, 5]], [[3, 1]]], [[[2, 3]], [[2, 3]]], {"centred_cosine": -1}),
    # Regressions decide nothing; what a box shares with its like is 1/2 and 1/3 of both together, one is no box.
    ("scores", Yields.SCORES, [[[3, 4]], [[4, 3]]], [[[3, 4.5]], [[4, 3]]], {"sqnr_db": 20, "agreement": None}),
    ("three-embeddings", Yields.EMBEDDINGS, [[[3, 4], [4, 3], [5, 4]]], [[[3, 4], [4, 3], [5, 4]]], {"agreement": 1}),
    ("boxes", Yields.BOXES, [[[[0, 0, 2, 2], [0, 0, 2, 2], [1, 1, 1, 5]]]],
     [[[[0, 0, 1, 2], [1, 0, 3, 2], [0, 0, 9, 9]]]], {"agreement": 1 / 2}),
    ("boxes-apart", Yields.BOXES, [[[[0, 0, 2, 2]]]], [[[[3, 3, 4, 4]]]], {"agreement": 0}),
    ("boxes-without-area", Yields.BOXES, [[[[1, 1, 1, 2]]]], [[[[1, 1, 1, 2]]]], {"agreement": None}),
    ("huge", LOGITS, [[[3e38, 1]]], [[[3e38, 1]]], {"sqnr_db": math.inf, "agreement": 1, "max_error": 0}),
    ("huge-and-opposite", LOGITS, [[[3e38, 1]]], [[[-3e38, 1]]], {"max_error": 2}),
)  # fmt: skip
def test_by_hand(yields: Yields, reference: Any, candidate: Any, expected: dict[str, float | None]) -> None:
    found = dataclasses.asdict(measure(_array(reference), _array(candidate), yields))
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-4)


def test_one_bad_sample_is_not_averaged_away() -> None:
    reference = _noise(4, 8, 10)
    candidate = reference.copy()
    candidate[2, 5] *= 0.5
    assert measure(reference, candidate, LOGITS).sqnr_db == pytest.approx(20 * math.log10(2))


@pytest.mark.parametrize("yields", Yields)
def test_equal_outputs_are_perfect(yields: Yields) -> None:
    outputs = _noise(2, 3, 4, 5) if yields is TOKENS else _noise(2, 3, 4)
    if yields is Yields.BOXES:
        outputs = np.cumsum(np.abs(outputs), axis=-1)
    found = measure(outputs, outputs.copy(), yields)
    assert (found.sqnr_db, found.max_error) == (math.inf, 0.0)
    assert found.centred_cosine == pytest.approx(1.0)
    assert found.agreement == (None if yields is Yields.SCORES else pytest.approx(1.0))


def test_of_several_outputs_the_worst_of_each_figure_counts() -> None:
    one = Accuracy(sqnr_db=30.0, centred_cosine=None, variation=0.5, agreement=0.9, max_error=0.1)
    other = Accuracy(sqnr_db=40.0, centred_cosine=0.8, variation=None, agreement=None, max_error=0.2)
    assert worst([one, other]) == Accuracy(
        sqnr_db=30.0, centred_cosine=0.8, variation=0.5, agreement=0.9, max_error=0.2
    )
    assert (worst([one]), worst([])) == (one, None)


def test_tokens_are_pooled_before_samples_are_compared() -> None:
    reference = _noise(2, 2, 3, 4)
    # Tokens in another order: each is wrong, their sum is not.
    found = measure(reference, reference[:, :, ::-1], TOKENS)
    assert (found.centred_cosine, found.agreement) == pytest.approx((1.0, 1.0))
    assert found.sqnr_db is not None
    assert found.sqnr_db < 10


@given(st.integers(0, 2**32 - 1), st.floats(1e-4, 1e-2), st.sampled_from([1, 5]))
@settings(max_examples=20, deadline=None)
def test_ten_times_the_noise_costs_20_db(seed: int, scale: float, width: int) -> None:
    reference, noise = _noise(2, 3, width, seed=seed), _noise(2, 3, width, seed=seed + 1)
    one, ten = (measure(reference, reference + np.float32(k * scale) * noise, LOGITS) for k in (1, 10))
    assert one.sqnr_db is not None
    assert ten.sqnr_db is not None
    assert one.sqnr_db - ten.sqnr_db == pytest.approx(20.0, abs=0.1)
