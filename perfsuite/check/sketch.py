"""A kilobyte that keeps how far other outputs lie from these: a count sketch.

Charikar, Chen and Farach-Colton, "Finding frequent items in data streams" (2002): each value is added
to one of the buckets with a sign, both drawn at random for its place. The sum of the buckets' squares
estimates the sum of the values' squares with a relative standard deviation of at most sqrt(2 / 256) =
8.8 %, 0.37 dB (that of a single value is exact), and sketches subtract as values do. An SQNR is a
ratio of two such estimates: 0.53 dB. It is that of all samples together, not of the worst one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perfsuite.check.outputs import Outputs
from perfsuite.check.windows import FP32
from perfsuite.models.base import Yields
from perfsuite.records.accuracy import BUCKETS, Sketch
from perfsuite.records.violation import Against, Kind, Violation

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Any number, but the same for ever: stored sketches are compared with new ones.
_SEED = 2002
#: Values at a time: 20 MB of intermediate arrays at most.
_CHUNK = 1 << 20
_LITTLE_ENDIAN = np.dtype("<f4")


def sketch(outputs: Outputs) -> Sketch:
    """The outputs' sketch, one after the other; what a mask hides counts as zero, what figures judge not at all."""
    counted = [one for one in outputs.answers if one.yields is not Yields.FIGURES]
    values = np.concatenate([one.counted.reshape(-1) for one in counted] or [np.zeros(0, dtype=np.float32)])
    # numpy's frozen generator: its streams never change between versions (NEP 19).
    stream = np.random.RandomState(_SEED)
    sums = np.zeros(2 * BUCKETS)
    for start in range(0, len(values), _CHUNK):
        part = values[start : start + _CHUNK]
        # A bucket and a sign in one number: the even ones are added, the odd ones subtracted.
        places = stream.randint(0, 2 * BUCKETS, size=len(part), dtype=np.uint16)
        sums += np.bincount(places, weights=part, minlength=2 * BUCKETS)
    with np.errstate(invalid="ignore", over="ignore"):  # of outputs that are not finite
        buckets = (sums[0::2] - sums[1::2]).astype(_LITTLE_ENDIAN)
    # Of several outputs the lengths tell as well whether there are others.
    shape = counted[0].values.shape if len(counted) == 1 else tuple(one.values.size for one in counted)
    return Sketch(shape=shape, buckets=buckets.tobytes())


def sketch_sqnr_db(before: Sketch, now: Sketch) -> float:
    """The SQNR of ``now`` against ``before``, of equal shape, to 0.53 dB; infinite where they are equal.

    What float32 rounds off the buckets lies some 150 dB down, so that up to 140 dB can be told.
    """
    true, seen = _buckets(before), _buckets(now)
    noise = np.linalg.norm(true - seen)
    if noise == 0:
        return float("inf")
    signal = np.linalg.norm(true)
    return float(20 * np.log10(signal / noise)) if signal > 0 else float("-inf")


def hold_against_sketch(before: Sketch, now: Sketch) -> tuple[Violation, ...]:
    """Hold a stack's eager FP32 against what was kept of the baseline's, of the same weights and inputs.

    A baseline that is not finite is told as well, with the subject ``baseline``: nothing else would.
    """
    against = Against.BASELINE_REFERENCE
    if before.shape != now.shape:
        return (Violation(kind=Kind.SHAPE, expected=str(before.shape), found=str(now.shape), against=against),)
    for subject, sums in (("baseline", _buckets(before)), ("", _buckets(now))):
        if lost := int((~np.isfinite(sums)).sum()):
            return (Violation(kind=Kind.NOT_FINITE, subject=subject, expected=0, found=lost, against=against),)
    sqnr_db = sketch_sqnr_db(before, now)
    if sqnr_db >= FP32.sqnr_floor_db:
        return ()
    return (Violation(kind=Kind.SQNR_LOW, expected=FP32.sqnr_floor_db, found=sqnr_db, against=against),)


def _buckets(kept: Sketch) -> NDArray[np.float64]:
    return np.frombuffer(kept.buckets, dtype=_LITTLE_ENDIAN).astype(np.float64)
