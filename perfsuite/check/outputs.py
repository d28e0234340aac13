"""Outputs, held against FP32's, against another stack's, and against the process that saved the artefact."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from perfsuite.check.figures import measure, worst
from perfsuite.check.windows import FP32, below_floor, outside, window
from perfsuite.models.base import Figure, Yields
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.measurement import Digests
from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.spec import Precision, Variant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from perfsuite.models.base import Arrays

    #: ``Model.figures``.
    Figures = Callable[[Arrays, Arrays, Precision], Iterable[Figure]]

#: How many values that are not finite a violation names (judgement: where it begins is what helps).
_NAMED = 3
#: Each of two outputs may be as far from FP32 as its window allows, to opposite sides: twice the noise,
#: 20 log10(2). What the baseline's own length may lack of FP32's is smaller than the window's margin.
_BOTH_SIDES_DB = 6.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One output at one shape: ``values`` (inputs, batch, ...) float32, ``mask`` (inputs, batch, tokens).

    ``name`` is empty where a model returns but one tensor, ``shape`` where a workload has but one. ``prepared`` is
    what the process that saved the artefact answered, for a deployed variant.
    """

    yields: Yields
    values: NDArray[np.float32]
    mask: NDArray[np.int64] | None = None
    name: str = ""
    shape: str = ""
    prepared: NDArray[np.float32] | None = None

    @property
    def place(self) -> str:
        """Which of the outputs it is, in words; empty where there is but one."""
        return f"{self.name} at {self.shape}".removeprefix(" ") if self.shape else self.name

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
class Outputs:
    """All that a variant answers, and to what."""

    answers: tuple[Answer, ...]
    digests: Digests


@dataclass(frozen=True, slots=True, kw_only=True)
class Correctness:
    """How accurate outputs are, the worst of them; None where nothing can be compared; and what is wrong with that."""

    accuracy: Accuracy | None
    violations: tuple[Violation, ...]


def check(
    variant: Variant,
    reference: Outputs,
    answer: Outputs,
    *,
    weights_kind: str,
    flags: Collection[str],
    figures: Figures | None = None,
) -> Correctness:
    """Hold a variant's outputs against FP32's and, if deployed, against the process that saved it.

    ``figures`` are the model's own, of the outputs that mean whatever these say.
    """
    limits = window(variant, weights_kind, flags)
    found = [
        violation
        for one in reference.answers
        for violation in _at(one.place, _not_finite(one.counted, Against.REFERENCE))
    ]
    finite = not found
    held = _held(reference, answer, Against.REFERENCE)
    for pair in held.pairs if finite else ():
        found += _at(pair.place, outside(pair.accuracy, limits))
    found += held.violations
    if figures and finite and not held.violations:
        found += own_violations(figures, reference, answer, variant.precision, Against.EXPECTATION)
    found += _other_digests(reference.digests, answer.digests)
    found += (violation for one in answer.answers for violation in _at(one.place, _artefact(one)))
    return Correctness(accuracy=held.accuracy if finite else None, violations=tuple(found))


def hold_against_baseline(
    variant: Variant, baseline: Outputs, candidate: Outputs, *, weights_kind: str, flags: Collection[str]
) -> Correctness:
    """Hold a variant's outputs against the same variant's in another stack.

    By SQNR alone: the centre and the margins that cosine and agreement go by are the baseline's here, not
    FP32's, so that their floors do not follow from the window's; nor do a model's own figures. Nothing is held
    against a baseline that is not finite: that is wrong in itself.
    """
    floor_db = window(variant, weights_kind, flags).sqnr_floor_db - _BOTH_SIDES_DB
    if not _is_finite(baseline):
        return Correctness(accuracy=None, violations=())
    held = _held(baseline, candidate, Against.BASELINE)
    found = (
        violation
        for pair in held.pairs
        for violation in _at(pair.place, below_floor(pair.accuracy, floor_db, Against.BASELINE))
    )
    return Correctness(accuracy=held.accuracy, violations=(*held.violations, *found))


def hold_references(baseline: Outputs, candidate: Outputs, *, figures: Figures | None = None) -> Correctness:
    """Hold a stack's eager FP32 against another's, of the same weights and inputs; as ``hold_against_baseline``."""
    against = Against.BASELINE_REFERENCE
    if not _is_finite(baseline):
        return Correctness(accuracy=None, violations=())
    held = _held(baseline, candidate, against)
    found = [violation for pair in held.pairs for violation in _at(pair.place, outside(pair.accuracy, FP32, against))]
    if figures and not held.violations:
        found += own_violations(figures, baseline, candidate, Precision.FP32, against)
    return Correctness(accuracy=held.accuracy, violations=(*held.violations, *found))


def own_violations(
    figures: Figures, reference: Outputs, answer: Outputs, precision: Precision, against: Against
) -> Iterator[Violation]:
    """What of the model's own figures is out of its bounds, at each shape; one that is no number is out of any."""
    for shape in dict.fromkeys(one.shape for one in reference.answers):
        true, seen = (
            {one.name: one.counted for one in outputs.answers if one.shape == shape} for outputs in (reference, answer)
        )
        for figure in figures(true, seen, precision):
            for bound, kept in (
                (figure.least, figure.least is None or figure.value >= figure.least),
                (figure.most, figure.most is None or figure.value <= figure.most),
            ):
                if not kept:
                    yield Violation(
                        kind=Kind.FIGURE,
                        subject=f"{figure.name} at {shape}" if shape else figure.name,
                        expected=bound,
                        found=float(figure.value),
                        against=against,
                    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """How far one output lies from its counterpart."""

    place: str
    accuracy: Accuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """All outputs that can be compared, and why others cannot."""

    pairs: tuple[_Pair, ...]
    violations: tuple[Violation, ...]

    @property
    def accuracy(self) -> Accuracy | None:
        return worst([pair.accuracy for pair in self.pairs])


def _held(expected: Outputs, answer: Outputs, against: Against) -> _Held:
    pairs: list[_Pair] = []
    found: list[Violation] = []
    names = [[one.place for one in outputs.answers] for outputs in (expected, answer)]
    if names[0] != names[1]:
        given = (", ".join(some) or "none" for some in names)
        found.append(Violation(kind=Kind.OUTPUTS, expected=next(given), found=next(given), against=against))
    else:
        for one, other in zip(expected.answers, answer.answers, strict=True):
            wrong = _at(one.place, incomparable(one.values.shape, other, against))
            found += wrong
            if not wrong and one.yields is not Yields.FIGURES and _is_measurable(one):
                pairs.append(_Pair(place=one.place, accuracy=measure(one.counted, other.counted, one.yields)))
    return _Held(pairs=tuple(pairs), violations=tuple(found))


def _is_measurable(answer: Answer) -> bool:
    return bool(np.isfinite(answer.counted).all())


def _is_finite(outputs: Outputs) -> bool:
    return all(map(_is_measurable, outputs.answers))


def _at(place: str, violations: Iterable[Violation]) -> list[Violation]:
    """The violations, which are of this output."""
    return [replace(violation, subject=place) for violation in violations]


def incomparable(expected: tuple[int, ...], answer: Answer, against: Against) -> Iterator[Violation]:
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


def _artefact(answer: Answer) -> Iterator[Violation]:
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
