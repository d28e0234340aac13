"""Outputs, held against FP32's, against another stack's, and against the process that saved the artefact."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perfsuite.check.figures import measure
from perfsuite.check.windows import FP32, below_floor, outside, window
from perfsuite.models.base import Yields
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.measurement import Digests
from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.spec import Variant

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: How many values that are not finite a violation names (judgement: where it begins is what helps).
_NAMED = 3
#: Each of two outputs may be as far from FP32 as its window allows, to opposite sides: twice the noise,
#: 20 log10(2). What the baseline's own length may lack of FP32's is smaller than the window's margin.
_BOTH_SIDES_DB = 6.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What a variant answers: ``values`` (inputs, batch, ...) float32, ``mask`` (inputs, batch, tokens).

    ``prepared`` is what the process that saved the artefact answered, for a deployed variant.
    """

    values: NDArray[np.float32]
    mask: NDArray[np.int64] | None
    digests: Digests
    prepared: NDArray[np.float32] | None = None

    @property
    def counted(self) -> NDArray[np.float32]:
        """The values, zero where the mask hides them: what stands there, NaN say, is nobody's answer."""
        return self._shown(self.values)

    @property
    def counted_prepared(self) -> NDArray[np.float32] | None:
        return None if self.prepared is None else self._shown(self.prepared)

    def _shown(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        # A mask of tokens says nothing of outputs that have none, a classifier's.
        if self.mask is None or values.ndim < 4 or values.shape[:3] != self.mask.shape:
            return values
        return np.where(self.mask.reshape(*self.mask.shape, *(1,) * (values.ndim - 3)) != 0, values, np.float32(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Correctness:
    """How accurate outputs are, None where nothing can be compared; and what is wrong with that."""

    accuracy: Accuracy | None
    violations: tuple[Violation, ...]


def check(
    variant: Variant,
    reference: Outputs,
    answer: Outputs,
    *,
    yields: Yields,
    weights_kind: str,
    flags: Collection[str],
) -> Correctness:
    """Hold a variant's outputs against FP32's and, if deployed, against the process that saved it."""
    accuracy = None
    found = list(_not_finite(reference.counted, Against.REFERENCE))
    found += incomparable(reference.values.shape, answer, Against.REFERENCE)
    if not found:
        accuracy = measure(reference.counted, answer.counted, yields)
        found += outside(accuracy, window(variant.model, weights_kind, variant.precision, flags))
    found += _other_digests(reference.digests, answer.digests)
    found += _artefact(answer)
    return Correctness(accuracy=accuracy, violations=tuple(found))


def hold_against_baseline(
    variant: Variant,
    baseline: Outputs,
    candidate: Outputs,
    *,
    yields: Yields,
    weights_kind: str,
    flags: Collection[str],
) -> Correctness:
    """Hold a variant's outputs against the same variant's in another stack.

    By SQNR alone: the centre and the margins that cosine and agreement go by are the baseline's here, not
    FP32's, so that their floors do not follow from the window's. Nothing is held against a baseline that
    is not finite: that is wrong in itself.
    """
    limits = window(variant.model, weights_kind, variant.precision, flags)
    accuracy, found = _held(baseline, candidate, yields, Against.BASELINE)
    if accuracy is not None:
        found += below_floor(accuracy, limits.sqnr_floor_db - _BOTH_SIDES_DB, Against.BASELINE)
    return Correctness(accuracy=accuracy, violations=tuple(found))


def hold_references(baseline: Outputs, candidate: Outputs, *, yields: Yields) -> Correctness:
    """Hold a stack's eager FP32 against another's, of the same weights and inputs; as ``hold_against_baseline``."""
    accuracy, found = _held(baseline, candidate, yields, Against.BASELINE_REFERENCE)
    if accuracy is not None:
        found += outside(accuracy, FP32, Against.BASELINE_REFERENCE)
    return Correctness(accuracy=accuracy, violations=tuple(found))


def _held(
    baseline: Outputs, candidate: Outputs, yields: Yields, against: Against
) -> tuple[Accuracy | None, list[Violation]]:
    """How far they lie apart, or why that cannot be told."""
    if not np.isfinite(baseline.counted).all():
        return None, []
    found = list(incomparable(baseline.values.shape, candidate, against))
    return (None, found) if found else (measure(baseline.counted, candidate.counted, yields), [])


def incomparable(expected: tuple[int, ...], answer: Outputs, against: Against) -> Iterator[Violation]:
    """What leaves no figures to compute: another shape, no values at all, values that are no numbers."""
    shape = answer.values.shape
    if shape != expected:
        yield Violation(kind=Kind.SHAPE, expected=str(expected), found=str(shape), against=against)
    elif 0 in shape:
        yield Violation(kind=Kind.SHAPE, expected="at least one value", found=str(shape))
    # A violation against the FP32 reference is the reference's own.
    yield from _not_finite(answer.counted, Against.EXPECTATION if against is Against.REFERENCE else against)


def _not_finite(values: NDArray[np.float32], against: Against) -> Iterator[Violation]:
    bad = ~np.isfinite(values)
    if count := int(bad.sum()):
        where = tuple(str(index.tolist()) for index in np.argwhere(bad)[:_NAMED])
        yield Violation(kind=Kind.NOT_FINITE, expected=0, found=count, against=against, where=where)


def _other_digests(reference: Digests, answer: Digests) -> Iterator[Violation]:
    for subject, expected, found in (
        ("weights", reference.weights_sha256, answer.weights_sha256),
        ("inputs", reference.inputs_sha256, answer.inputs_sha256),
    ):
        if expected != found:
            yield Violation(
                kind=Kind.DIGEST,
                subject=subject,
                expected=expected[:12],
                found=found[:12],
                against=Against.REFERENCE,
            )


def _artefact(answer: Outputs) -> Iterator[Violation]:
    """That the loaded artefact answers otherwise than the process that saved it did."""
    prepared, loaded = answer.counted_prepared, answer.counted
    if prepared is None or np.array_equal(prepared, loaded, equal_nan=True):
        return
    yield Violation(kind=Kind.ARTEFACT, expected=0, found=_largest_difference(prepared, loaded))


def _largest_difference(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Infinite where only one is finite, or where the shapes differ."""
    if one.shape != other.shape:
        return float("inf")
    both = np.isfinite(one) & np.isfinite(other)
    if not np.array_equal(one[~both], other[~both], equal_nan=True):
        return float("inf")
    return float(np.abs(one[both].astype(np.float64) - other[both]).max())
