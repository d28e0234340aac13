"""How far a variant's outputs lie from FP32's, and whether that is what its precision should give."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perfsuite.models.base import Yields
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.measurement import Digests
from perfsuite.spec import Precision, Variant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What a variant answers: ``values`` (inputs, batch, ...) float32, ``mask`` (inputs, batch, tokens).

    ``prepared`` is what the process that saved the artefact answered, for a deployed variant.
    """

    values: NDArray[np.float32]
    mask: NDArray[np.int64] | None
    digests: Digests
    prepared: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How accurate a variant is, and what is wrong with that."""

    accuracy: Accuracy
    violations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What counts as right: no worse than the lower bounds, and no closer than the precision allows.

    ``sqnr_ceiling_db`` is None where an output may equal FP32's. ``source`` says where the
    numbers come from.
    """

    sqnr_floor_db: float
    sqnr_ceiling_db: float | None
    centred_cosine_floor: float
    agreement_floor: float
    source: str


#: An output closer than this to FP32's was computed in FP32: compiled FP32 itself lies at 118 dB
#: and above, BF16 and INT8 at 45 dB and below (every variant, ipex 2.8 and stock 2.8, AMX).
_APPLIED_CEILING_DB = 80.0
#: How far below the worst value seen a floor lies: other kernels round otherwise, by 2 dB at most
#: between ipex's and PyTorch's of one precision.
_MARGIN_DB = 4.0

_TORCHAO = "torchao's tests ask for 25 dB of bf16 and, mostly, 20 dB of int8; real weights keep less"


def _general(floor_db: float, cosine: float, agreement: float) -> Window:
    return Window(
        sqnr_floor_db=floor_db,
        sqnr_ceiling_db=_APPLIED_CEILING_DB,
        centred_cosine_floor=cosine,
        agreement_floor=agreement,
        source=_TORCHAO,
    )


def _seen(worst_db: float, cosine: float, agreement: float, *, where: str = "AMX") -> Window:
    """A window around what known-good stacks give; ``worst_db`` is the lowest SQNR among them."""
    return Window(
        sqnr_floor_db=worst_db - _MARGIN_DB,
        sqnr_ceiling_db=_APPLIED_CEILING_DB,
        centred_cosine_floor=cosine,
        agreement_floor=agreement,
        source=f"ipex 2.8 and stock 2.8 keep {worst_db:g} dB or more, smoke and latency, {where}",
    )


#: For weights that nobody has calibrated.
WINDOWS: dict[Precision, Window] = {
    Precision.FP32: Window(
        sqnr_floor_db=80.0,
        sqnr_ceiling_db=None,
        centred_cosine_floor=0.999999,
        agreement_floor=0.999,
        source="compiled fp32 keeps 118 dB or more here; 80 leaves room for other summation orders",
    ),
    Precision.BF16: _general(25.0, 0.98, 0.95),
    Precision.INT8_STATIC: _general(15.0, 0.8, 0.9),
    Precision.INT8_DYNAMIC: _general(15.0, 0.8, 0.9),
}

#: For known weights: (model, kind of weights, precision). Cosines are smoke's.
CALIBRATED: dict[tuple[str, str, Precision], Window] = {
    ("resnet50", "seeded", Precision.BF16): _seen(38.4, 0.99, 0.99),
    ("resnet50", "seeded", Precision.INT8_STATIC): _seen(22.1, 0.95, 0.95),
    ("bert-base", "seeded", Precision.BF16): _seen(37.5, 0.99, 0.95),
    ("bert-base", "seeded", Precision.INT8_STATIC): _seen(26.0, 0.95, 0.9),
    ("bert-base", "seeded", Precision.INT8_DYNAMIC): _seen(24.0, 0.95, 0.9),
    ("minilm", "pretrained", Precision.BF16): _seen(40.0, 0.999, 0.99),
    ("minilm", "pretrained", Precision.INT8_STATIC): _seen(17.0, 0.93, 0.95),
    ("minilm", "pretrained", Precision.INT8_DYNAMIC): _seen(10.5, 0.75, 0.9),
}


#: The same on CPUs without VNNI, whose INT8 kernels add pairs of products in 16 bits, which
#: saturates unless a bit of precision is given up ("Nuances of int8 computations" in oneDNN's
#: guide). Measured cosine: resnet50 0.936 or more, with a layer that is 5 % off 0.909 or less;
#: bert-base 0.946 or more; minilm 0.907 at 128 tokens.
CALIBRATED_WITHOUT_VNNI: dict[tuple[str, str, Precision], Window] = {
    ("resnet50", "seeded", Precision.INT8_STATIC): _seen(21.0, 0.92, 0.95, where="AVX2 without VNNI"),
    ("bert-base", "seeded", Precision.INT8_STATIC): _seen(21.5, 0.93, 0.9, where="AVX2 without VNNI"),
    ("bert-base", "seeded", Precision.INT8_DYNAMIC): _seen(21.2, 0.93, 0.9, where="AVX2 without VNNI"),
    ("minilm", "pretrained", Precision.INT8_STATIC): _seen(15.9, 0.89, 0.95, where="AVX2 without VNNI"),
}
_VNNI = frozenset({"avx512_vnni", "avx_vnni"})


def window(model: str, weights_kind: str, precision: Precision, flags: Collection[str]) -> Window:
    """The window of known weights on a CPU with these flags, or the general one."""
    key = model, weights_kind, precision
    without_vnni = CALIBRATED_WITHOUT_VNNI.get(key) if _VNNI.isdisjoint(flags) else None
    return without_vnni or CALIBRATED.get(key, WINDOWS[precision])


def check(
    variant: Variant,
    reference: Outputs,
    answer: Outputs,
    *,
    yields: Yields,
    weights_kind: str,
    flags: Collection[str],
) -> Finding:
    """Hold a variant's outputs against FP32's and, if deployed, against the process that saved it."""
    reference_values, values = reference.values.astype(np.float64), answer.values.astype(np.float64)
    accuracy = measure(reference_values, values, answer.mask, yields)
    if not np.isfinite(reference_values).all():
        return Finding(accuracy=accuracy, violations=("the FP32 reference itself is not finite",))
    found = list(violations(accuracy, window(variant.model, weights_kind, variant.precision, flags)))
    if answer.digests != reference.digests:
        found.append("weights or inputs are not those of the FP32 reference")
    if answer.prepared is not None and not np.array_equal(answer.prepared, answer.values, equal_nan=True):
        found.append("the loaded artefact does not answer as the process that saved it did")
    return Finding(accuracy=accuracy, violations=tuple(found))


def measure(reference: Floats, candidate: Floats, mask: NDArray[np.int64] | None, yields: Yields) -> Accuracy:
    """Compare outputs of shape (inputs, batch, ...); ``mask`` (inputs, batch, tokens) is 1 where a token is real.

    Anything not finite in the candidate makes every measure as bad as it can be.
    """
    if reference.shape != candidate.shape:
        raise ValueError(f"outputs have shape {candidate.shape}, FP32's have {reference.shape}")
    if not np.isfinite(candidate).all():
        return Accuracy(sqnr_db=-np.inf, centred_cosine=-1.0, variation=1.0, agreement=0.0, max_error=np.inf)
    true, seen = _samples(reference), _samples(candidate)
    if mask is not None:
        keep = _samples(mask)[..., None]
        true, seen = true * keep, seen * keep
    sqnr_db = min(_sqnr_db(t, s) for t, s in zip(true, seen, strict=True))
    max_error = float(np.abs(true - seen).max() / np.abs(true).max())
    if yields is Yields.TOKENS:
        true, seen = true.sum(axis=1), seen.sum(axis=1)
    decisions = _top_scores if yields is Yields.LOGITS else _neighbour_scores
    return Accuracy(
        sqnr_db=sqnr_db,
        centred_cosine=_centred_cosine(true, seen),
        variation=_variation(true),
        agreement=_agreement(decisions(true), decisions(seen)),
        max_error=max_error,
    )


def violations(accuracy: Accuracy, window: Window) -> tuple[str, ...]:
    """What is out of the window, in words; empty if nothing is."""
    found = []
    if not accuracy.sqnr_db >= window.sqnr_floor_db:
        found.append(f"SQNR {accuracy.sqnr_db:.1f} dB is below {window.sqnr_floor_db:g} dB")
    if window.sqnr_ceiling_db is not None and accuracy.sqnr_db > window.sqnr_ceiling_db:
        found.append(
            f"SQNR {accuracy.sqnr_db:.1f} dB is above {window.sqnr_ceiling_db:g} dB: "
            "too close to FP32, so the precision was not applied"
        )
    # Where inputs differ little, the noise that the precision makes turns what they differ by further.
    under_noise = _cosine_under_noise(window.sqnr_floor_db + _MARGIN_DB, accuracy.variation)
    cosine_floor = min(window.centred_cosine_floor, under_noise)
    if not accuracy.centred_cosine >= cosine_floor:
        found.append(f"centred cosine {accuracy.centred_cosine:.6f} is below {cosine_floor:.6g}")
    if not accuracy.agreement >= window.agreement_floor:
        found.append(f"agreement {accuracy.agreement:.4f} is below {window.agreement_floor:g}")
    return tuple(found)


def _samples(array: NDArray[Any]) -> NDArray[Any]:
    return array.reshape(-1, *array.shape[2:])


def _sqnr_db(true: Floats, seen: Floats) -> float:
    noise = float(np.linalg.norm(true - seen))
    if noise == 0.0:
        return float("inf")
    return float(20 * np.log10(np.linalg.norm(true) / noise))


def _centred_cosine(true: Floats, seen: Floats) -> float:
    """The worst sample's cosine after FP32's mean over samples is taken from both.

    The plain cosine of networks whose outputs share a large common part is near 1 whatever happens.
    """
    centre = true.mean(axis=0)
    true, seen = true - centre, seen - centre
    lengths = np.linalg.norm(true, axis=1) * np.linalg.norm(seen, axis=1)
    products = (true * seen).sum(axis=1)
    return float(np.divide(products, lengths, out=np.full_like(products, -1.0), where=lengths > 0).min())


def _variation(true: Floats) -> float:
    lengths = np.linalg.norm(true, axis=1)
    centred = np.linalg.norm(true - true.mean(axis=0), axis=1)
    return float(np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0).min())


def _cosine_under_noise(sqnr_db: float, variation: float) -> float:
    """The centred cosine that is left when noise of that level lies across what inputs differ by.

    Seeded BERT's inputs of 32 tokens differ by 0.22 and more, those of 128 by 0.06: INT8 of equal SQNR
    leaves a cosine of 0.95 there and of 0.60 here.
    """
    noise = 10 ** (-sqnr_db / 20)
    return variation / float(np.hypot(variation, noise))


def _agreement(true: Floats, seen: Floats) -> float:
    """The share of rows whose highest score stays in its place, weighted by FP32's margin over the second."""
    ordered = np.sort(true, axis=1)
    margins = ordered[:, -1] - ordered[:, -2]
    same = true.argmax(axis=1) == seen.argmax(axis=1)
    return float((margins * same).sum() / margins.sum())


def _top_scores(logits: Floats) -> Floats:
    return logits


def _neighbour_scores(embeddings: Floats) -> Floats:
    """Cosine of each embedding with every other, the common part removed: which is its nearest?"""
    centred = embeddings - embeddings.mean(axis=0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-30)
    scores: Floats = unit @ unit.T
    np.fill_diagonal(scores, -2.0)
    return scores
