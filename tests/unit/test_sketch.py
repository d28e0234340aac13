"""A sketch of outputs tells how far others lie from them, as exactly as it says; and it is the same for ever."""

import dataclasses
import hashlib
import json
import math

import msgspec
import numpy as np
import pytest
from builders import measurement, outputs_of
from numpy.typing import NDArray

from perfsuite.check.outputs import Outputs
from perfsuite.check.sketch import hold_against_sketch, sketch, sketch_sqnr_db
from perfsuite.models.base import Yields
from perfsuite.records.accuracy import BUCKETS, Sketch
from perfsuite.records.measurement import Measurement
from perfsuite.records.violation import Against, Kind

SHAPE = (4, 2, 500)
RELATIVE_STANDARD_DEVIATION = math.sqrt(2 / BUCKETS)


def _outputs(values: NDArray[np.floating], mask: NDArray[np.int64] | None = None) -> Outputs:
    return outputs_of(values.astype(np.float32), mask=mask)


def _values(outputs: Outputs) -> NDArray[np.float32]:
    return outputs.answers[0].values


def _noise(*shape: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=shape)


def _norm_ratio(values: NDArray[np.float64]) -> float:
    """The estimated squared norm over the true one."""
    outputs = _outputs(values)
    buckets = np.frombuffer(sketch(outputs).buckets, dtype="<f4").astype(np.float64)
    return float(np.sum(buckets**2) / np.sum(_values(outputs).astype(np.float64) ** 2))


def _true_sqnr_db(before: Outputs, now: Outputs) -> float:
    true, seen = _values(before).astype(np.float64), _values(now).astype(np.float64)
    return float(20 * np.log10(np.linalg.norm(true) / np.linalg.norm(true - seen)))


@pytest.mark.parametrize(
    ("axes", "deviation"),
    [(0, RELATIVE_STANDARD_DEVIATION), (2, RELATIVE_STANDARD_DEVIATION), (3, 0.0)],
    ids=["all-values", "one-sample", "one-value"],
)
def test_squared_norms_are_estimated_as_exactly_as_stated(axes: int, deviation: float) -> None:
    """600 trials know a standard deviation to 3 % of it, and the mean to 0.4 %."""
    ratios = []
    for seed in range(600):
        noise = np.zeros(SHAPE)
        part = (seed % 4, seed % 2, seed % 500)[:axes]
        noise[part] = _noise(*SHAPE, seed=seed)[part]
        ratios.append(_norm_ratio(noise))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.012)
    assert np.std(ratios) == pytest.approx(deviation, rel=0.12, abs=1e-6)


@pytest.mark.parametrize("sqnr_db", [-5.0, 40.0, 79.0, 120.0])
def test_an_sqnr_is_estimated_to_half_a_decibel(sqnr_db: float) -> None:
    errors_db = []
    for seed in range(100):
        before = _noise(*SHAPE, seed=seed)
        now = before + _noise(*SHAPE, seed=seed + 1000) * 10 ** (-sqnr_db / 20)
        one, other = _outputs(before), _outputs(now)
        errors_db.append(sketch_sqnr_db(sketch(one), sketch(other)) - _true_sqnr_db(one, other))
    assert abs(np.mean(errors_db)) < 0.2
    assert 0.35 < np.std(errors_db) < 0.65  # 0.53


@pytest.mark.parametrize(
    ("before", "now", "sqnr_db"),
    [
        pytest.param(1 + _noise(*SHAPE), 1 + _noise(*SHAPE), math.inf, id="equal"),
        pytest.param(np.zeros(SHAPE), np.zeros(SHAPE), math.inf, id="equal-zeros"),
        pytest.param(np.zeros(SHAPE), np.ones(SHAPE), -math.inf, id="zeros-no-more"),
    ],
)
def test_without_noise_or_signal(before: NDArray[np.float64], now: NDArray[np.float64], sqnr_db: float) -> None:
    assert sketch_sqnr_db(sketch(_outputs(before)), sketch(_outputs(now))) == sqnr_db


def test_it_is_a_kilobyte_and_the_same_for_ever() -> None:
    """More values than are added up at a time; stored sketches were made with these places and signs."""
    values = np.arange(3 * 700_001, dtype=np.float64).reshape(3, 1, -1) % 1001
    buckets = sketch(_outputs(values)).buckets
    assert len(buckets) == 1024
    assert hashlib.sha256(buckets).hexdigest()[:16] == "9b5f3b3c58f0f064"


def test_what_the_mask_hides_counts_as_zero() -> None:
    mask = np.asarray([[[1, 1, 0], [1, 0, 0]]], dtype=np.int64)
    values = _noise(1, 2, 3, 4)
    hidden = np.where(mask[..., None] == 1, values, np.nan)
    assert sketch(_outputs(hidden, mask)) == sketch(_outputs(np.nan_to_num(hidden)))


def test_several_outputs_are_one_after_the_other_but_for_those_that_figures_judge() -> None:
    one, other, order = (_outputs(_noise(*shape)) for shape in ((2, 3, 4), (2, 3, 5), (2, 3)))
    judged = [dataclasses.replace(order.answers[0], yields=Yields.FIGURES)]
    kept = sketch(dataclasses.replace(one, answers=(*one.answers, *judged, *other.answers)))
    joined = np.concatenate([_values(one).reshape(-1), _values(other).reshape(-1)])
    assert kept == dataclasses.replace(sketch(_outputs(joined)), shape=(24, 30))
    assert sketch(dataclasses.replace(one, answers=(*one.answers, *judged))) == sketch(one)
    nothing = sketch(dataclasses.replace(one, answers=tuple(judged)))
    assert hold_against_sketch(nothing, nothing) == ()


def test_it_survives_json() -> None:
    kept = sketch(_outputs(_noise(*SHAPE)))
    assert msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(kept))), Sketch) == kept
    whole = measurement(1, reference=kept)
    assert msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(whole))), Measurement) == whole
    older = {name: value for name, value in msgspec.to_builtins(whole).items() if name != "reference"}
    assert msgspec.convert(older, Measurement).reference is None


BEFORE = _outputs(_noise(*SHAPE))
KEPT = sketch(BEFORE)


def _noisy(sqnr_db: float) -> Outputs:
    noise = _noise(*SHAPE, seed=1)
    return _outputs(_values(BEFORE) + noise * 10 ** (-sqnr_db / 20))


def _nan() -> Outputs:
    values = _values(BEFORE).copy()
    values[1, 1, 7] = math.nan
    return _outputs(values)


@pytest.mark.parametrize(
    ("before", "reference", "kind", "subject"),
    [
        pytest.param(KEPT, BEFORE, None, "", id="equal"),
        pytest.param(KEPT, _noisy(118), None, "", id="other-kernels"),
        pytest.param(KEPT, _noisy(82), None, "", id="within-the-window"),
        pytest.param(KEPT, _noisy(78), Kind.SQNR_LOW, "", id="below-it"),
        pytest.param(KEPT, _noisy(-5), Kind.SQNR_LOW, "", id="something-else"),
        pytest.param(KEPT, _outputs(_noise(4, 2, 499)), Kind.SHAPE, "", id="another-shape"),
        pytest.param(KEPT, _nan(), Kind.NOT_FINITE, "", id="nan"),
        pytest.param(sketch(_nan()), BEFORE, Kind.NOT_FINITE, "baseline", id="nan-in-the-baseline"),
        pytest.param(sketch(_outputs(np.full(SHAPE, np.inf))), BEFORE, Kind.NOT_FINITE, "baseline", id="infinite"),
    ],
)
def test_a_reference_against_what_was_kept(before: Sketch, reference: Outputs, kind: Kind | None, subject: str) -> None:
    found = hold_against_sketch(before, sketch(reference))
    assert [(violation.kind, violation.subject) for violation in found] == ([(kind, subject)] if kind else [])
    assert all(violation.against is Against.BASELINE_REFERENCE for violation in found)


def test_what_a_sketch_is_held_against_is_named() -> None:
    (found,) = hold_against_sketch(KEPT, sketch(_noisy(60)))
    assert found.expected == 80.0
    assert found.found == pytest.approx(60, abs=2)
    (found,) = hold_against_sketch(dataclasses.replace(KEPT, shape=(4, 2, 400)), KEPT)
    assert (found.expected, found.found) == ("(4, 2, 400)", "(4, 2, 500)")
    (found,) = hold_against_sketch(KEPT, sketch(_nan()))
    assert found.found == 1
