"""What each window lets through, and what it calls what it does not."""

import dataclasses
import math
from collections.abc import Collection, Mapping

import numpy as np
import pytest
from builders import VARIANT
from numpy.typing import NDArray

from perfsuite.check.figures import measure
from perfsuite.check.windows import (
    CALIBRATED,
    CALIBRATED_MIXED,
    CALIBRATED_WITHOUT_VNNI,
    WINDOWS,
    Window,
    outside,
    window,
)
from perfsuite.models import MODELS
from perfsuite.models.base import Yields
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.violation import Against, Kind
from perfsuite.spec import Precision

VNNI = frozenset({"avx2", "avx512_vnni"})
PERFECT = Accuracy(sqnr_db=math.inf, centred_cosine=1.0, variation=1.0, agreement=1.0, max_error=0.0)
EVERY_WINDOW = {str(precision): one for precision, one in WINDOWS.items()} | {
    "-".join(known): one for known, one in CALIBRATED.items()
}
LOSSY = {name: one for name, one in EVERY_WINDOW.items() if name != Precision.FP32}


def _noise(*shape: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=shape)


def _kinds(accuracy: Accuracy, limits: Window) -> list[Kind]:
    return [violation.kind for violation in outside(accuracy, limits)]


@pytest.mark.parametrize("limits", EVERY_WINDOW.values(), ids=EVERY_WINDOW.keys())
@pytest.mark.parametrize(
    ("field", "floor", "kind"),
    [
        ("sqnr_db", "sqnr_floor_db", Kind.SQNR_LOW),
        ("centred_cosine", "centred_cosine_floor", Kind.COSINE),
        ("agreement", "agreement_floor", Kind.AGREEMENT),
    ],
)
def test_each_floor_is_the_last_value_that_passes(limits: Window, field: str, floor: str, kind: Kind) -> None:
    at_floor = Accuracy(
        sqnr_db=limits.sqnr_floor_db,
        centred_cosine=limits.centred_cosine_floor,
        variation=1.0,
        agreement=limits.agreement_floor,
        max_error=0.0,
    )
    assert _kinds(at_floor, limits) == []
    value = getattr(limits, floor) - 1e-3
    (found,) = outside(dataclasses.replace(at_floor, **{field: value}), limits, Against.BASELINE)
    assert (found.kind, found.found, found.against) == (kind, value, Against.BASELINE)
    assert found.expected == pytest.approx(getattr(limits, floor), rel=1e-3)


@pytest.mark.parametrize("limits", LOSSY.values(), ids=LOSSY.keys())
@pytest.mark.parametrize("sqnr_db", [80.1, math.inf])
def test_too_close_to_fp32_was_not_applied(limits: Window, sqnr_db: float) -> None:
    (found,) = outside(dataclasses.replace(PERFECT, sqnr_db=sqnr_db), limits)
    assert (found.kind, found.expected, found.found) == (Kind.SQNR_HIGH, 80.0, sqnr_db)


def test_fp32_may_equal_fp32() -> None:
    assert _kinds(PERFECT, WINDOWS[Precision.FP32]) == []


@pytest.mark.parametrize("field", ["sqnr_db", "centred_cosine", "agreement"])
def test_a_figure_that_is_no_number_does_not_pass(field: str) -> None:
    assert len(_kinds(dataclasses.replace(PERFECT, **{field: math.nan}), WINDOWS[Precision.FP32])) == 1


@pytest.mark.parametrize("limits", EVERY_WINDOW.values(), ids=EVERY_WINDOW.keys())
def test_figures_that_outputs_do_not_have_are_not_out_of_it(limits: Window) -> None:
    nothing = Accuracy(sqnr_db=None, centred_cosine=None, variation=None, agreement=None, max_error=None)
    assert _kinds(nothing, limits) == []


@pytest.mark.parametrize("precision", Precision)
def test_a_constant_output_is_found_beneath_a_large_common_part(precision: Precision) -> None:
    reference = 100 + _noise(4, 2, 10)
    found = measure(reference, np.broadcast_to(reference[0, 0], reference.shape), Yields.LOGITS)
    assert found.sqnr_db is not None
    assert found.sqnr_db > WINDOWS[Precision.INT8_STATIC].sqnr_floor_db  # what it alone would let through
    assert Kind.COSINE in _kinds(found, WINDOWS[precision])


@pytest.mark.parametrize(("spread", "cosine"), [(10.0, 0.95), (1.0, 0.3)])
def test_inputs_that_differ_little_are_turned_further_by_the_same_noise(spread: float, cosine: float) -> None:
    """A common part of 100 against differences of 10 and of 1, and noise of 30 dB across both."""
    limits = dataclasses.replace(WINDOWS[Precision.BF16], centred_cosine_floor=0.9)  # allows 25 dB
    reference = 100 + spread * _noise(6, 1, 2000)
    found = measure(reference, reference + 100 * 10**-1.5 * _noise(6, 1, 2000, seed=1), Yields.LOGITS)
    assert found.variation == pytest.approx(spread / 100, rel=0.15)
    assert found.centred_cosine == pytest.approx(cosine, abs=0.07)
    assert Kind.COSINE not in _kinds(found, limits)
    # What is left of the floor still finds an answer that is another input's.
    swapped = measure(reference, reference[::-1], Yields.LOGITS)
    assert Kind.COSINE in _kinds(swapped, limits)


@pytest.mark.parametrize(
    ("windows", "variation", "louder_db", "passes"),
    [
        pytest.param(CALIBRATED_WITHOUT_VNNI, 0.056, -1.0, True, id="less noise than was seen"),
        pytest.param(CALIBRATED_WITHOUT_VNNI, 0.056, 1.2, True, id="noise twice as loud as what inputs differ by"),
        pytest.param(CALIBRATED_WITHOUT_VNNI, 0.056, 1.5, False, id="more than other kernels may have there"),
        pytest.param(CALIBRATED, 0.056, 0.8, True, id="noise as loud as what inputs differ by"),
        pytest.param(CALIBRATED, 0.056, 1.2, False, id="more than other kernels may have where it is as loud"),
        pytest.param(CALIBRATED_WITHOUT_VNNI, 0.22, 0.5, False, id="noise a third as loud as what inputs differ by"),
    ],
)
def test_louder_noise_leaves_other_kernels_more_room(
    windows: Mapping[tuple[str, str, Precision], Window], variation: float, louder_db: float, passes: bool
) -> None:
    """Of an SQNR below the worst that was seen, which passes by itself; inputs differ as BERT's of 128 and 32 do."""
    limits = windows["bert-base", "seeded", Precision.INT8_STATIC]
    sqnr_db = limits.sqnr_floor_db + 4.0 - louder_db
    cosine = variation / math.hypot(variation, 10 ** (-sqnr_db / 20))
    found = dataclasses.replace(PERFECT, sqnr_db=sqnr_db, centred_cosine=cosine, variation=variation)
    assert _kinds(found, limits) == ([] if passes else [Kind.COSINE])


def _window(model: str, kind: str, precision: Precision, flags: Collection[str], workload: str = "smoke") -> Window:
    variant = dataclasses.replace(VARIANT, model=model, precision=precision, workload=workload)
    return window(variant, kind, flags)


def test_known_weights_have_their_own_window_and_others_the_general_one() -> None:
    assert {model for model, _, _ in CALIBRATED} <= {model.name for model in MODELS}
    for (model, kind, precision), limits in CALIBRATED.items():
        assert _window(model, kind, precision, VNNI) is limits
        assert _window("a-users-own", kind, precision, VNNI) is WINDOWS[precision]
        assert _window(model, "of-another-kind", precision, VNNI) is WINDOWS[precision]


def test_without_vnni_a_bit_of_int8_s_precision_is_gone() -> None:
    key = ("resnet50", "seeded", Precision.INT8_STATIC)
    assert _window(*key, {"avx2", "fma"}).centred_cosine_floor < _window(*key, VNNI).centred_cosine_floor
    of_bf16 = ("resnet50", "seeded", Precision.BF16)
    assert _window(*of_bf16, {"avx2"}) is _window(*of_bf16, VNNI)


def test_one_shape_after_another_has_windows_of_its_own() -> None:
    for key, limits in CALIBRATED_MIXED.items():
        assert _window(*key, VNNI, "mixed") is limits
        assert limits.sqnr_floor_db < _window(*key, VNNI).sqnr_floor_db
    of_bf16 = ("minilm", "pretrained", Precision.BF16)
    assert _window(*of_bf16, VNNI, "mixed") is _window(*of_bf16, VNNI)
