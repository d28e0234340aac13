"""What the user expects of some variants' kernels in place of what perfsuite does, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from perfsuite.errors import UsageError

_DTYPES = ("fp32", "bf16", "fp16", "int8")


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelLimits:
    """``fields`` of an expectation (``perfsuite/gates/expected.toml`` says what each is), and the user's reason."""

    fields: Mapping[str, str | float]
    reason: str


def read_kernel_limits(name: str, kernels: object, reason: object) -> KernelLimits:
    """UsageError on what cannot be meant; a bound may be lowered, with a reason, and never to nothing."""
    if not isinstance(kernels, dict) or not kernels:
        raise UsageError(
            f'{name}: kernels must be a table of bounds, such as {{ least_share = "60%" }}, not {kernels!r}'
        )
    if unknown := sorted(kernels.keys() - _FIELDS.keys()):
        raise UsageError(f"{name}: kernels has unknown bounds {', '.join(unknown)}; known are {', '.join(_FIELDS)}")
    if not isinstance(reason, str) or not reason.strip():
        raise UsageError(f"{name}: kernels needs a reason, such as reason = 'its head stays FP32, issue 12'")
    fields = {field: _FIELDS[field](f"{name}: kernels: {field}", value) for field, value in kernels.items()}
    return KernelLimits(fields=fields, reason=reason)


def _dtype(name: str, value: object) -> str:
    if value not in _DTYPES:
        raise UsageError(f"{name} must be one of {', '.join(_DTYPES)}, not {value!r}")
    return str(value)


def _least(name: str, value: object) -> float:
    share = _share(value)
    if share is None or not 0 < share <= 1:
        raise UsageError(
            f"{name} must be a share above 0 and up to 100%, such as 60%, not {value!r}: 0 would ask nothing"
        )
    return share


def _most(name: str, value: object) -> float:
    share = _share(value)
    if share is None or not 0 <= share < 1:
        raise UsageError(
            f"{name} must be a share from 0 and below 100%, such as 5%, not {value!r}: 100% would let pass all"
        )
    return share


def _share(value: object) -> float | None:
    if isinstance(value, str) and (number := re.fullmatch(r"(\d+(?:\.\d+)?) ?%", value)):
        return float(number[1]) / 100
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(name: str, value: object, *, least: int) -> float:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UsageError(f"{name} must be a number from {least} on, not {value!r}")
    return value


_FIELDS: Mapping[str, Callable[[str, object], str | float]] = {
    "dtype": _dtype,
    "least_share": _least,
    "least_best_isa_share": _least,
    "most_reference_share": _most,
    "graph_breaks": lambda name, value: _count(name, value, least=0),
    "recompilations": lambda name, value: _count(name, value, least=0),
    "least_compiled_graphs": lambda name, value: _count(name, value, least=1),
}
