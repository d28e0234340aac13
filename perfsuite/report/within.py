"""What one session shows by itself: compiled modes slower than eager, lower precisions slower than higher ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from perfsuite.limits import Limits
from perfsuite.records.measurement import Measurement
from perfsuite.report.text import milliseconds
from perfsuite.spec import Mode, Precision, Variant

#: What each precision is taken for to be faster than.
_HIGHER = {
    Precision.BF16: Precision.FP32,
    Precision.FP16: Precision.FP32,
    Precision.INT8_STATIC: Precision.BF16,
    Precision.INT8_DYNAMIC: Precision.BF16,
    Precision.INT8_WEIGHT_ONLY: Precision.BF16,
}
_PRECISION_WORDS = {
    Precision.FP32: "FP32",
    Precision.BF16: "BF16",
    Precision.FP16: "FP16",
    Precision.INT8_STATIC: "INT8",
    Precision.INT8_DYNAMIC: "INT8",
    Precision.INT8_WEIGHT_ONLY: "INT8 of weights",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reversal:
    """A variant that is slower than the one that it is there to be faster than."""

    what: str
    slower: Measurement
    faster: Measurement

    @property
    def ratio(self) -> float:
        return self.slower.latency_s / self.faster.latency_s


def within_lines(
    measurements: Mapping[Variant, Measurement],
    limits: Callable[[Variant], Limits],
    *,
    known: Collection[Variant] = (),
) -> list[str]:
    """A line for each variant that is slower than its simpler counterpart, the worst first.

    By more than what matters, and every worker of the one is slower than every worker of the other: a lone one tells
    no spread, and has no line. Neither have those ``known`` not to do what their name promises, such as simulated
    INT8, nor those that the user ignores.
    """
    found = [
        reversal
        for variant, measurement in measurements.items()
        if variant not in known and not limits(variant).ignore
        for reversal in _reversals(measurement, measurements)
        if _is_slower(reversal, limits(variant).matters)
    ]
    found.sort(key=lambda one: one.ratio, reverse=True)
    lines = [f"  {_line(one)}" for one in found]
    return [f"slower than simpler variants of this run ({len(lines)}):", *lines] if lines else []


def _reversals(measurement: Measurement, measurements: Mapping[Variant, Measurement]) -> Iterator[_Reversal]:
    variant = measurement.variant
    eager = measurements.get(dataclasses.replace(variant, mode=Mode.EAGER))
    if variant.mode is not Mode.EAGER and eager is not None:
        yield _Reversal(what="compiled slower than eager", slower=measurement, faster=eager)
    precision = _HIGHER.get(variant.precision)
    higher = measurements.get(dataclasses.replace(variant, precision=precision)) if precision else None
    if precision and higher is not None:
        words = f"{_PRECISION_WORDS[variant.precision]} slower than {_PRECISION_WORDS[precision]}"
        yield _Reversal(what=words, slower=measurement, faster=higher)


def _is_slower(one: _Reversal, matters: float) -> bool:
    slower, faster = ([worker.latency_s for worker in side.replicates] for side in (one.slower, one.faster))
    return min(len(slower), len(faster)) > 1 and min(slower) > max(faster) and one.ratio > matters


def _line(one: _Reversal) -> str:
    slower, faster = one.slower, one.faster
    return (
        f"{one.what}: {slower.variant.id} takes {milliseconds(slower.latency_s)}, "
        f"{faster.variant.id} {milliseconds(faster.latency_s)} ({one.ratio:.2f} times)"
    )
