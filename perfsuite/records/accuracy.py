"""How far outputs lie from others."""

from __future__ import annotations

from dataclasses import dataclass

#: What a sketch's error comes from (``check/sketch``).
BUCKETS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """How far outputs lie from FP32's, over all measured inputs; None for a figure that they do not have.

    ``sqnr_db`` is the worst sample's signal-to-quantisation-noise ratio; ``centred_cosine`` the worst
    sample's cosine after the mean over samples is removed, None where samples do not differ; both are
    taken over all samples where each is a single score. ``agreement`` is the share of decisions that
    stay, weighted by FP32's margin, None where nothing is decided; ``max_error`` the largest difference
    over the largest FP32 magnitude. ``variation`` is how much samples differ in FP32: the least length
    of one's output after the mean is removed, relative to its whole length.
    """

    sqnr_db: float | None
    centred_cosine: float | None
    variation: float | None
    agreement: float | None
    max_error: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A reference's outputs in a kilobyte, enough to tell later how far others lie from them.

    ``buckets`` are ``BUCKETS`` float32, little-endian: each a sum of values with random signs (a count sketch).
    ``shape`` is that of the outputs. ValueError if there are more or fewer.
    """

    shape: tuple[int, ...]
    buckets: bytes

    def __post_init__(self) -> None:
        if len(self.buckets) != 4 * BUCKETS:
            raise ValueError(f"a sketch of {len(self.buckets)} bytes, not of {4 * BUCKETS}")
