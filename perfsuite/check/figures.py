"""How far outputs lie from others, in figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from perfsuite.check.windows import FP32
from perfsuite.models.base import Yields
from perfsuite.records.accuracy import Accuracy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: What differs by less, relative to the whole, is the same: another FP32 may be that far off (80 dB, ``FP32``).
_SAME = 10 ** (-FP32.sqnr_floor_db / 20)
#: With fewer samples the nearest other one is the only one: no decision that could change.
_LEAST_NEIGHBOURS = 3
#: What two boxes have in common over what they cover together, for them to be of one thing (Everingham et al. 2010,
#: "The PASCAL Visual Object Classes Challenge").
_OVERLAP = 0.5


def measure(reference: NDArray[Any], candidate: NDArray[Any], yields: Yields) -> Accuracy:
    """Compare finite outputs of one shape, (inputs, batch, ...), that are zero where a mask hides them.

    A sample is one item of one input's batch. What the samples leave without meaning is None: nothing
    to centre in one sample, no decision in one score.
    """
    samples = math.prod(reference.shape[:2])
    true_samples, seen_samples = (array.reshape(samples, *array.shape[2:]) for array in (reference, candidate))
    pooled = yields is Yields.TOKENS and true_samples.ndim > 2
    signals, noises, true_rows, seen_rows = [], [], [], []
    error = 0.0
    for one, other in zip(true_samples, seen_samples, strict=True):
        true, seen = one.astype(np.float64), other.astype(np.float64)
        signals.append(np.linalg.norm(true.ravel()))
        noises.append(np.linalg.norm((true - seen).ravel()))
        error = max(error, float(np.abs(true - seen).max()))
        true_rows.append(true.sum(axis=0).ravel() if pooled else true.ravel())
        seen_rows.append(seen.sum(axis=0).ravel() if pooled else seen.ravel())
    signal, noise, rows, others = (np.asarray(part) for part in (signals, noises, true_rows, seen_rows))
    if true_samples[0].size == 1:  # one score a sample: its own ratio is small by chance, where it is near zero
        signal, noise = (np.sqrt(np.sum(lengths**2, keepdims=True)) for lengths in (signal, noise))
    largest = float(np.abs(reference).max())
    cosine, variation = _centred_cosine(rows, others)
    return Accuracy(
        sqnr_db=_sqnr_db(signal, noise),
        centred_cosine=cosine,
        variation=variation,
        agreement=_agreement(rows, others, yields),
        max_error=0.0 if error == 0 else error / largest if largest else None,
    )


def worst(accuracies: Sequence[Accuracy]) -> Accuracy | None:
    """The worst of each figure, of several outputs; None of none."""

    def least(values: Iterable[float | None]) -> float | None:
        return min((value for value in values if value is not None), default=None)

    if len(accuracies) < 2:
        return accuracies[0] if accuracies else None
    errors = [one.max_error for one in accuracies if one.max_error is not None]
    return Accuracy(
        sqnr_db=least(one.sqnr_db for one in accuracies),
        centred_cosine=least(one.centred_cosine for one in accuracies),
        variation=least(one.variation for one in accuracies),
        agreement=least(one.agreement for one in accuracies),
        max_error=max(errors, default=None),
    )


def _sqnr_db(signal: Floats, noise: Floats) -> float | None:
    """The worst sample's; minus infinity for noise where all of FP32 is zero, None where all of both is."""
    signal = _scales(signal)
    if not signal.any():
        return -np.inf if noise.any() else None
    return float(20 * np.log10(_ratios(signal, noise, otherwise=np.inf).min()))


def _scales(lengths: Floats) -> Floats:
    """What each sample is held against: its length, or, if it is all zeros, what the samples usually have."""
    return np.where(lengths > 0, lengths, np.sqrt(np.mean(lengths**2)))


def _centred_cosine(true: Floats, seen: Floats) -> tuple[float | None, float | None]:
    """The worst sample's cosine after FP32's mean over samples is taken from both; and the least variation.

    The plain cosine of networks whose outputs share a large common part is near 1 whatever happens.
    Of one score a sample it is a sign, so all samples' scores make one vector. Samples that are FP32's
    mean itself have no direction.
    """
    if len(true) == 1:
        return None, None
    centre = true.mean(axis=0)
    centred, others = true - centre, seen - centre
    if true.shape[1] == 1:
        true, centred, others = true.T, centred.T, others.T
    lengths, scales = np.linalg.norm(centred, axis=1), _scales(np.linalg.norm(true, axis=1))
    differ = lengths > _SAME * scales
    if not differ.any():
        return None, 0.0
    products = (centred * others).sum(axis=1)
    cosines = _ratios(products, lengths * np.linalg.norm(others, axis=1), otherwise=-1.0)
    return float(cosines[differ].min()), float((lengths[differ] / scales[differ]).min())


def _agreement(true: Floats, seen: Floats, yields: Yields) -> float | None:
    """The share of decisions that stay, weighted by FP32's margin; None if there are none.

    Logits decide for the highest, embeddings for the nearest other sample; scores decide nothing.
    """
    samples, width = true.shape
    if yields is Yields.BOXES:
        return _boxes_kept(true.reshape(-1, 4), seen.reshape(-1, 4))
    if width == 1 or yields is Yields.SCORES or (yields is not Yields.LOGITS and samples < _LEAST_NEIGHBOURS):
        return None
    scores, others = (true, seen) if yields is Yields.LOGITS else (_neighbour_scores(true), _neighbour_scores(seen))
    ordered = np.sort(scores, axis=1)
    margins = ordered[:, -1] - ordered[:, -2]
    margins[margins <= _SAME * np.abs(scores).max(axis=1)] = 0.0
    if not margins.any():
        return None
    same = scores.argmax(axis=1) == others.argmax(axis=1)
    return float((margins * same).sum() / margins.sum())


def _boxes_kept(true: Floats, seen: Floats) -> float | None:
    """The share of FP32's boxes that still overlap by half; None if none of them has an area."""
    sides = np.minimum(true[:, 2:], seen[:, 2:]) - np.maximum(true[:, :2], seen[:, :2])
    common, area, other = (np.prod(np.maximum(part, 0.0), axis=1) for part in (sides, _sides(true), _sides(seen)))
    there = area > 0
    if not there.any():
        return None
    return float((_ratios(common, area + other - common, otherwise=0.0)[there] >= _OVERLAP).mean())


def _sides(boxes: Floats) -> Floats:
    return boxes[:, 2:] - boxes[:, :2]


def _neighbour_scores(embeddings: Floats) -> Floats:
    """Cosine of each embedding with every other, the common part removed: which is its nearest?"""
    centred = embeddings - embeddings.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    lengths[lengths <= _SAME * np.linalg.norm(embeddings, axis=1, keepdims=True)] = 0.0
    unit = _ratios(centred, np.broadcast_to(lengths, centred.shape), otherwise=0.0)
    scores: Floats = unit @ unit.T
    np.fill_diagonal(scores, -2.0)
    return scores


def _ratios(numerators: Floats, denominators: Floats, *, otherwise: float) -> Floats:
    """The quotients, and ``otherwise`` where the denominator is zero."""
    return np.divide(numerators, denominators, out=np.full_like(numerators, otherwise), where=denominators > 0)
