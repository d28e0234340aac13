"""Accuracy: each metric against figures computed by hand, and what each window lets through."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from builders import DIGESTS, VARIANT
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from perfsuite.check.outputs import CALIBRATED, WINDOWS, Outputs, Window, check, measure, violations, window
from perfsuite.models import MODELS
from perfsuite.models.base import Yields
from perfsuite.records.accuracy import Accuracy
from perfsuite.spec import Precision

Floats = NDArray[np.float64]
VNNI = frozenset({"avx2", "avx512_vnni"})

WORST = Accuracy(sqnr_db=-math.inf, centred_cosine=-1.0, variation=1.0, agreement=0.0, max_error=math.inf)
PERFECT = Accuracy(sqnr_db=math.inf, centred_cosine=1.0, variation=1.0, agreement=1.0, max_error=0.0)


def _floats(values: Any) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _noise(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=shape)


def _close(accuracy: Accuracy, expected: Accuracy) -> bool:
    return dataclasses.astuple(accuracy) == pytest.approx(dataclasses.astuple(expected))


def _perfect(accuracy: Accuracy) -> bool:
    return _close(accuracy, dataclasses.replace(PERFECT, variation=accuracy.variation))


def test_logits_by_hand() -> None:
    reference, candidate = _floats([[[3, 4]], [[4, 3]]]), _floats([[[3, 4.5]], [[4, 3]]])
    # Noise 0.5 on a norm of 5 is 20 dB. Around (3.5, 3.5), (-0.5, 1) lies against (-0.5, 0.5).
    expected = Accuracy(
        sqnr_db=20.0, centred_cosine=3 / math.sqrt(10), variation=math.sqrt(0.5) / 5, agreement=1.0, max_error=0.125
    )
    assert _close(measure(reference, candidate, None, Yields.LOGITS), expected)


def test_decisions_count_by_their_margin() -> None:
    reference = _floats([[[0, 1], [0, 3]]])
    small, large = _floats([[[1, 0], [0, 3]]]), _floats([[[0, 1], [3, 0]]])
    assert measure(reference, small, None, Yields.LOGITS).agreement == pytest.approx(3 / 4)
    assert measure(reference, large, None, Yields.LOGITS).agreement == pytest.approx(1 / 4)


def test_one_bad_sample_is_not_averaged_away() -> None:
    reference = _noise(4, 8, 10)
    candidate = reference.copy()
    candidate[2, 5] *= 0.5
    found = measure(reference, candidate, None, Yields.LOGITS)
    assert found.sqnr_db == pytest.approx(20 * math.log10(2))


@pytest.mark.parametrize("yields", Yields)
def test_equal_outputs_are_perfect(yields: Yields) -> None:
    outputs = _noise(2, 3, 4, 5) if yields is Yields.TOKENS else _noise(2, 3, 4)
    assert _perfect(measure(outputs, outputs.copy(), None, yields))


def test_padding_does_not_count() -> None:
    reference = _noise(2, 2, 3, 4)
    mask = np.asarray([[[1, 1, 0], [1, 0, 0]], [[1, 1, 1], [1, 1, 0]]], dtype=np.int64)
    candidate = reference + 100 * (1 - mask[..., None])
    assert _perfect(measure(reference, candidate, mask, Yields.TOKENS))
    assert measure(reference, candidate, None, Yields.TOKENS).max_error > 1


def test_tokens_agree_if_the_nearest_other_embedding_stays() -> None:
    # Two pairs of neighbours; the candidate has the second and third sample exchanged.
    reference = _floats([[[[1, 0]], [[1, 0.1]], [[-1, 0]], [[-1, 0.1]]]])
    kept = measure(reference, reference * 1.01, None, Yields.TOKENS)
    exchanged = measure(reference, reference[:, [0, 2, 1, 3]], None, Yields.TOKENS)
    assert (kept.agreement, exchanged.agreement) == (1.0, 0.0)


def test_tokens_are_pooled_before_samples_are_compared() -> None:
    reference = _noise(2, 2, 3, 4)
    # Tokens in another order: each is wrong, their sum is not.
    found = measure(reference, reference[:, :, ::-1], None, Yields.TOKENS)
    assert (found.centred_cosine, found.agreement) == pytest.approx((1.0, 1.0))
    assert found.sqnr_db < 10


@given(st.integers(0, 2**32 - 1), st.floats(1e-5, 1e-2))
@settings(max_examples=20, deadline=None)
def test_ten_times_the_noise_costs_20_db(seed: int, scale: float) -> None:
    reference, noise = _noise(2, 3, 5, seed=seed), _noise(2, 3, 5, seed=seed + 1)
    one, ten = (measure(reference, reference + k * scale * noise, None, Yields.LOGITS) for k in (1, 10))
    assert one.sqnr_db - ten.sqnr_db == pytest.approx(20.0)
    assert ten.max_error == pytest.approx(10 * one.max_error)


@given(st.sampled_from([math.nan, math.inf, -math.inf]), st.integers(0, 29), st.sampled_from(Precision))
@settings(max_examples=20, deadline=None)
def test_one_value_that_is_not_finite_is_the_worst_there_is(value: float, index: int, precision: Precision) -> None:
    reference = _noise(2, 3, 5)
    candidate = reference.copy()
    candidate.flat[index] = value
    found = measure(reference, candidate, None, Yields.LOGITS)
    assert found == WORST
    assert len(violations(found, WINDOWS[precision])) == 3


@pytest.mark.parametrize("precision", Precision)
def test_a_constant_output_is_found_beneath_a_large_common_part(precision: Precision) -> None:
    reference = 100 + _noise(4, 2, 10)
    candidate = np.broadcast_to(reference[0, 0], reference.shape)
    found = measure(reference, candidate, None, Yields.LOGITS)
    assert found.sqnr_db > WINDOWS[Precision.INT8_STATIC].sqnr_floor_db  # what it alone would let through
    assert found.centred_cosine <= 0
    assert any("centred cosine" in violation for violation in violations(found, WINDOWS[precision]))


def test_a_constant_output_at_the_common_part_itself() -> None:
    reference = _floats([[[1, 5]], [[3, 1]]])
    candidate = _floats([[[2, 3]], [[2, 3]]])
    assert measure(reference, candidate, None, Yields.LOGITS).centred_cosine == -1.0


def test_another_shape_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\(1, 2, 4\).*\(1, 2, 3\)"):
        measure(_noise(1, 2, 3), _noise(1, 2, 4), None, Yields.LOGITS)


EVERY_WINDOW = {str(precision): one for precision, one in WINDOWS.items()} | {
    "-".join(known): one for known, one in CALIBRATED.items()
}


@pytest.mark.parametrize("limits", EVERY_WINDOW.values(), ids=EVERY_WINDOW.keys())
@pytest.mark.parametrize(
    ("field", "floor", "word"),
    [
        ("sqnr_db", "sqnr_floor_db", "SQNR"),
        ("centred_cosine", "centred_cosine_floor", "centred cosine"),
        ("agreement", "agreement_floor", "agreement"),
    ],
)
def test_each_floor_is_the_last_value_that_passes(limits: Window, field: str, floor: str, word: str) -> None:
    at_floor = Accuracy(
        sqnr_db=limits.sqnr_floor_db,
        centred_cosine=limits.centred_cosine_floor,
        variation=1.0,
        agreement=limits.agreement_floor,
        max_error=0.0,
    )
    assert violations(at_floor, limits) == ()
    below = dataclasses.replace(at_floor, **{field: getattr(limits, floor) - 1e-3})
    (said,) = violations(below, limits)
    assert said.startswith(word)
    assert "below" in said


def test_inputs_that_differ_little_are_turned_further_by_the_same_noise() -> None:
    """A common part of 100 against differences of 10 and of 1, and noise of 30 dB across both."""
    limits = dataclasses.replace(WINDOWS[Precision.BF16], centred_cosine_floor=0.9)  # allows 25 dB
    for spread, cosine in ((10.0, 0.95), (1.0, 0.3)):
        reference = 100 + spread * _noise(6, 1, 2000)
        found = measure(reference, reference + 100 * 10**-1.5 * _noise(6, 1, 2000, seed=1), None, Yields.LOGITS)
        assert found.variation == pytest.approx(spread / 100, rel=0.15)
        assert found.centred_cosine == pytest.approx(cosine, abs=0.07)
        assert not any("centred cosine" in violation for violation in violations(found, limits))
        # What is left of the floor still finds an answer that is another input's.
        swapped = measure(reference, reference[::-1], None, Yields.LOGITS)
        assert any("centred cosine" in violation for violation in violations(swapped, limits))


def test_known_weights_have_their_own_window_and_others_the_general_one() -> None:
    assert {model for model, _, _ in CALIBRATED} <= {model.name for model in MODELS}
    for (model, kind, precision), limits in CALIBRATED.items():
        assert window(model, kind, precision, VNNI) is limits
        assert window("a-users-own", kind, precision, VNNI) is WINDOWS[precision]
        assert window(model, "of-another-kind", precision, VNNI) is WINDOWS[precision]


@pytest.mark.parametrize("field", ["sqnr_db", "centred_cosine", "agreement"])
def test_a_metric_that_is_no_number_does_not_pass(field: str) -> None:
    accuracy = dataclasses.replace(PERFECT, **{field: math.nan})
    assert violations(accuracy, WINDOWS[Precision.FP32])


@pytest.mark.parametrize(
    "limits",
    [one for name, one in EVERY_WINDOW.items() if name != Precision.FP32],
    ids=[name for name in EVERY_WINDOW if name != Precision.FP32],
)
@pytest.mark.parametrize("sqnr_db", [80.1, math.inf])
def test_too_close_to_fp32_was_not_applied(limits: Window, sqnr_db: float) -> None:
    (said,) = violations(dataclasses.replace(PERFECT, sqnr_db=sqnr_db), limits)
    assert "the precision was not applied" in said


def test_fp32_may_equal_fp32() -> None:
    assert violations(PERFECT, WINDOWS[Precision.FP32]) == ()


def _outputs(values: Floats, prepared: Floats | None = None, weights: str = "a" * 64) -> Outputs:
    return Outputs(
        values=values.astype(np.float32),
        mask=None,
        digests=dataclasses.replace(DIGESTS, weights_sha256=weights),
        prepared=None if prepared is None else prepared.astype(np.float32),
    )


REFERENCE = _noise(2, 4, 10)
#: As far from FP32 as BF16 lies: some 46 dB.
ANSWER = REFERENCE + 0.005 * _noise(2, 4, 10, seed=1)


def _said(reference: Outputs, answer: Outputs, weights_kind: str = "seeded") -> tuple[str, ...]:
    return check(VARIANT, reference, answer, yields=Yields.LOGITS, weights_kind=weights_kind, flags=VNNI).violations


def test_check_passes_what_its_precision_should_give() -> None:
    assert _said(_outputs(REFERENCE), _outputs(ANSWER, prepared=ANSWER)) == ()


def test_check_measures_what_it_judges() -> None:
    finding = check(
        VARIANT, _outputs(REFERENCE), _outputs(ANSWER), yields=Yields.LOGITS, weights_kind="seeded", flags=VNNI
    )
    assert 40 < finding.accuracy.sqnr_db < 50


def test_check_asks_more_of_weights_it_knows() -> None:
    worse = _outputs(REFERENCE + 0.03 * _noise(2, 4, 10, seed=1))
    assert any("SQNR" in violation for violation in _said(_outputs(REFERENCE), worse))
    assert _said(_outputs(REFERENCE), worse, weights_kind="pretrained") == ()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (_outputs(REFERENCE), "too close to FP32"),
        (_outputs(ANSWER, weights="c" * 64), "not those of the FP32 reference"),
        (_outputs(ANSWER, prepared=ANSWER + 0.5), "does not answer as the process that saved it did"),
    ],
    ids=["silently-fp32", "other-weights", "stale-artefact"],
)
def test_check_says_what_is_wrong(answer: Outputs, said: str) -> None:
    (violation,) = _said(_outputs(REFERENCE), answer)
    assert said in violation


def test_check_does_not_pass_on_a_reference_that_is_no_number() -> None:
    broken = REFERENCE.copy()
    broken[1, 2, 3] = math.nan
    assert _said(_outputs(broken), _outputs(ANSWER))


def test_without_vnni_a_bit_of_int8_s_precision_is_gone() -> None:
    key = ("resnet50", "seeded", Precision.INT8_STATIC)
    assert window(*key, {"avx2", "fma"}).centred_cosine_floor < window(*key, VNNI).centred_cosine_floor
    assert window("resnet50", "seeded", Precision.BF16, {"avx2"}) is window("resnet50", "seeded", Precision.BF16, VNNI)
