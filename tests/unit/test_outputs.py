"""Outputs held against FP32's and another stack's: what passes, and the violations of what does not."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from builders import DIGESTS, VARIANT, outputs_of
from numpy.typing import NDArray

from perfsuite.check.outputs import (
    Correctness,
    Outputs,
    check,
    hold_against_baseline,
    hold_references,
)
from perfsuite.models.base import Yields
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.spec import Precision

Array = NDArray[np.float32]
NAN, INF = math.nan, math.inf
OTHER_DIGESTS = dataclasses.replace(DIGESTS, weights_sha256="c" * 64)


def _noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def _outputs(values: Array, **changes: Any) -> Outputs:
    return outputs_of(values, **changes)


def changed_at(values: Array, changes: dict[tuple[int, ...], float]) -> Array:
    changed = values.copy()
    for index, value in changes.items():
        changed[index] = value
    return changed


REFERENCE = _noise(2, 4, 10)
#: As far from FP32 as BF16 lies: some 46 dB.
ANSWER = REFERENCE + np.float32(0.005) * _noise(2, 4, 10, seed=1)
SAVED_OTHERWISE = changed_at(ANSWER, {(0, 0, 0): 3.0})
BY = 3.0 - float(ANSWER[0, 0, 0])
TOKENS_REFERENCE = _noise(2, 2, 3, 4)
TOKENS_ANSWER = TOKENS_REFERENCE + np.float32(0.005) * _noise(2, 2, 3, 4, seed=1)
MASK = np.asarray([[[1, 1, 0], [1, 0, 0]], [[1, 1, 1], [1, 1, 0]]], dtype=np.int64)


def _tokens(values: Array, **changes: Any) -> Outputs:
    return _outputs(values, mask=MASK, yields=Yields.TOKENS, **changes)


def checked(reference: Outputs, answer: Outputs, *, weights_kind: str = "seeded", figures: Any = None) -> Correctness:
    return check(VARIANT, reference, answer, weights_kind=weights_kind, flags=("avx512_vnni",), figures=figures)


def test_what_its_precision_should_give_passes_and_is_measured() -> None:
    found = checked(_outputs(REFERENCE), _outputs(ANSWER, prepared=ANSWER))
    assert found.violations == ()
    assert found.accuracy is not None
    assert found.accuracy.sqnr_db is not None
    assert 40 < found.accuracy.sqnr_db < 50


def test_more_is_asked_of_weights_that_are_known() -> None:
    worse = _outputs(REFERENCE + np.float32(0.03) * _noise(2, 4, 10, seed=1))
    assert Kind.SQNR_LOW in [violation.kind for violation in checked(_outputs(REFERENCE), worse).violations]
    assert checked(_outputs(REFERENCE), worse, weights_kind="pretrained").violations == ()


def _not_finite(count: int, *where: str, against: Against = Against.EXPECTATION) -> Violation:
    return Violation(kind=Kind.NOT_FINITE, expected=0, found=count, where=where, against=against)


def _digest(subject: str, expected: str, found: str) -> Violation:
    return Violation(
        kind=Kind.DIGEST, subject=subject, expected=expected * 12, found=found * 12, against=Against.REFERENCE
    )


@pytest.mark.parametrize(
    ("reference", "answer", "expected"),
    [
        pytest.param(
            _outputs(REFERENCE),
            _outputs(REFERENCE),
            [Violation(kind=Kind.SQNR_HIGH, expected=80.0, found=INF)],
            id="silently-fp32",
        ),
        pytest.param(
            _outputs(REFERENCE),
            _outputs(ANSWER, digests=OTHER_DIGESTS),
            [
                Violation(
                    kind=Kind.DIGEST, subject="weights", expected="a" * 12, found="c" * 12, against=Against.REFERENCE
                )
            ],
            id="other-weights",
        ),
        pytest.param(
            _outputs(REFERENCE),
            _outputs(ANSWER, digests=dataclasses.replace(DIGESTS, inputs_sha256="d" * 64)),
            [
                Violation(
                    kind=Kind.DIGEST, subject="inputs", expected="b" * 12, found="d" * 12, against=Against.REFERENCE
                )
            ],
            id="other-inputs",
        ),
        pytest.param(
            _outputs(REFERENCE),
            _outputs(ANSWER, prepared=SAVED_OTHERWISE),
            [Violation(kind=Kind.ARTEFACT, expected=0, found=BY)],
            id="artefact-answers-otherwise",
        ),
        pytest.param(
            _outputs(REFERENCE),
            _outputs(ANSWER, prepared=changed_at(ANSWER, {(0, 0, 0): NAN})),
            [Violation(kind=Kind.ARTEFACT, expected=0, found=INF)],
            id="artefact-was-saved-with-nan",
        ),
        pytest.param(
            _outputs(REFERENCE),
            _outputs(ANSWER, prepared=ANSWER[:1]),
            [Violation(kind=Kind.ARTEFACT, expected=0, found=INF)],
            id="artefact-of-another-shape",
        ),
        pytest.param(
            _outputs(REFERENCE),
            _outputs(ANSWER[:, :3]),
            [Violation(kind=Kind.SHAPE, expected="(2, 4, 10)", found="(2, 3, 10)", against=Against.REFERENCE)],
            id="another-shape",
        ),
        pytest.param(
            _outputs(REFERENCE[:, :, :0]),
            _outputs(ANSWER[:, :, :0]),
            [Violation(kind=Kind.SHAPE, expected="at least one value", found="(2, 4, 0)")],
            id="no-values",
        ),
        pytest.param(
            _outputs(REFERENCE),
            _outputs(changed_at(ANSWER, {(1, 2, 3): NAN})),
            [_not_finite(1, "[1, 2, 3]")],
            id="nan",
        ),
        pytest.param(
            _outputs(REFERENCE),
            _outputs(changed_at(ANSWER, {(1, 2, 3): -INF, (0, 1, 2): INF, (1, 2, 4): NAN, (1, 3, 9): NAN})),
            [_not_finite(4, "[0, 1, 2]", "[1, 2, 3]", "[1, 2, 4]")],
            id="the-first-three-are-named",
        ),
        pytest.param(
            _outputs(changed_at(REFERENCE, {(1, 2, 3): NAN})),
            _outputs(ANSWER),
            [_not_finite(1, "[1, 2, 3]", against=Against.REFERENCE)],
            id="nan-in-fp32",
        ),
        pytest.param(
            _outputs(changed_at(REFERENCE, {(1, 2, 3): NAN})),
            _outputs(changed_at(ANSWER, {(1, 2, 3): NAN})),
            [_not_finite(1, "[1, 2, 3]", against=Against.REFERENCE), _not_finite(1, "[1, 2, 3]")],
            id="nan-in-both",
        ),
        pytest.param(
            _outputs(changed_at(REFERENCE, {(1, 2, 3): NAN})),
            _outputs(ANSWER, digests=OTHER_DIGESTS, prepared=SAVED_OTHERWISE),
            [
                _not_finite(1, "[1, 2, 3]", against=Against.REFERENCE),
                _digest("weights", "a", "c"),
                Violation(kind=Kind.ARTEFACT, expected=0, found=BY),
            ],
            id="what-needs-no-figures-is-told-beside",
        ),
    ],
)
def test_each_thing_that_is_wrong_has_its_kind(reference: Outputs, answer: Outputs, expected: list[Violation]) -> None:
    found = checked(reference, answer)
    assert list(found.violations) == expected
    unmeasured = {Kind.SHAPE, Kind.NOT_FINITE} & {violation.kind for violation in expected}
    assert (found.accuracy is None) == bool(unmeasured)


@pytest.mark.parametrize("hidden", [NAN, INF, 1e30, 0.0])
@pytest.mark.parametrize("side", ["reference", "answer", "both", "prepared"])
def test_what_the_mask_hides_counts_nowhere(hidden: float, side: str) -> None:
    def fill(values: Array, name: str) -> Array:
        covered = np.where(MASK[..., None] == 1, values, np.float32(hidden))
        return covered if side in (name, "both") else values

    clean = checked(_tokens(TOKENS_REFERENCE), _tokens(TOKENS_ANSWER))
    found = checked(
        _tokens(fill(TOKENS_REFERENCE, "reference")),
        _tokens(fill(TOKENS_ANSWER, "answer"), prepared=fill(TOKENS_ANSWER, "prepared")),
    )
    assert found == clean
    assert clean.accuracy is not None
    assert clean.accuracy.sqnr_db == pytest.approx(38.6, abs=0.1)


def test_what_the_mask_shows_counts() -> None:
    nan = changed_at(TOKENS_ANSWER, {(1, 1, 1, 0): NAN, (1, 1, 2, 0): NAN})
    found = checked(_tokens(TOKENS_REFERENCE), _tokens(nan))
    assert found.violations == (_not_finite(1, "[1, 1, 1, 0]"),)


@pytest.mark.parametrize("shape", [(2, 2, 3), (2, 2, 1), (2, 2)], ids=str)
def test_a_mask_of_tokens_says_nothing_of_outputs_without(shape: tuple[int, ...]) -> None:
    """A classifier of text: three classes are not three tokens."""
    values = _noise(*shape)
    outputs = _outputs(values, mask=MASK)
    assert np.array_equal(outputs.answers[0].counted, values)
    assert checked(outputs, outputs).accuracy is not None


BASELINE = _outputs(ANSWER)


def held(baseline: Outputs, candidate: Outputs) -> Correctness:
    return hold_against_baseline(VARIANT, baseline, candidate, weights_kind="seeded", flags=("avx512_vnni",))


def referred(baseline: Outputs, candidate: Outputs) -> Correctness:
    return hold_references(baseline, candidate)


def _noisy(sqnr_db: float) -> Outputs:
    """Every sample with noise of exactly that level."""
    noise = _noise(*ANSWER.shape, seed=2).astype(np.float64)
    noise *= np.linalg.norm(ANSWER, axis=2, keepdims=True) / np.linalg.norm(noise, axis=2, keepdims=True)
    return _outputs((ANSWER + noise * 10 ** (-sqnr_db / 20)).astype(np.float32))


def test_two_stacks_may_be_as_far_apart_as_each_may_be_from_fp32() -> None:
    floor_db = 38.4 - 4 - 20 * math.log10(2)  # known-good stacks keep 38.4 dB, the window 4 less
    assert held(BASELINE, _noisy(floor_db + 0.1)).violations == ()
    (found,) = held(BASELINE, _noisy(floor_db - 0.1)).violations
    assert (found.kind, found.against) == (Kind.SQNR_LOW, Against.BASELINE)
    assert found.expected == pytest.approx(floor_db, abs=0.01)
    assert found.found == pytest.approx(floor_db - 0.1, abs=0.01)


@pytest.mark.parametrize("precision", Precision)
def test_two_stacks_may_be_equal(precision: Precision) -> None:
    variant = dataclasses.replace(VARIANT, precision=precision)
    found = hold_against_baseline(variant, BASELINE, BASELINE, weights_kind="seeded", flags=())
    assert found.violations == ()
    assert found.accuracy is not None
    assert found.accuracy.max_error == 0


@pytest.mark.parametrize(
    ("sqnr_db", "kinds"),
    [(81.0, []), (79.0, [Kind.SQNR_LOW]), (30.0, [Kind.SQNR_LOW, Kind.COSINE])],
)
def test_references_are_held_by_the_window_of_fp32(sqnr_db: float, kinds: list[Kind]) -> None:
    found = referred(BASELINE, _noisy(sqnr_db))
    assert [violation.kind for violation in found.violations] == kinds
    assert all(violation.against is Against.BASELINE_REFERENCE for violation in found.violations)
    assert isinstance(found.accuracy, Accuracy)


@pytest.mark.parametrize(("hold", "against"), [(held, Against.BASELINE), (referred, Against.BASELINE_REFERENCE)])
@pytest.mark.parametrize(
    ("baseline", "candidate", "kind"),
    [
        pytest.param(BASELINE, _outputs(ANSWER[:, :3]), Kind.SHAPE, id="shape"),
        pytest.param(BASELINE, _outputs(changed_at(ANSWER, {(0, 0, 0): NAN})), Kind.NOT_FINITE, id="nan"),
        pytest.param(BASELINE, _outputs(ANSWER, digests=OTHER_DIGESTS), None, id="other-weights-are-the-caller-s"),
        pytest.param(
            _outputs(changed_at(ANSWER, {(0, 0, 0): NAN})), BASELINE, None, id="nan-in-the-baseline-is-its-own"
        ),
    ],
)
def test_against_another_stack(
    hold: Any, against: Against, baseline: Outputs, candidate: Outputs, kind: Kind | None
) -> None:
    found = hold(baseline, candidate)
    assert [(violation.kind, violation.against) for violation in found.violations] == (
        [(kind, against)] if kind else []
    )
