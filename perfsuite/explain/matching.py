"""Which call of one pass does the work of which call of the other."""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence

from perfsuite.records.evidence import Kernel, Source
from perfsuite.records.explanation import KernelChange

#: Work that only moves data: oneDNN's primitive, and PyTorch's operators for the same.
_MOVERS = frozenset({"reorder", "aten::copy_", "aten::contiguous", "aten::clone", "aten::_to_copy", "aten::to"})
_CONVOLUTION = re.compile(r"conv")
_PRODUCT = re.compile(r"mm|matmul|inner_product|linear", re.IGNORECASE)


def moves_data(kernel: Kernel) -> bool:
    """Whether it is a reorder: a copy into another layout, type or place."""
    return kernel.operation in _MOVERS


def match(before: Sequence[Kernel], after: Sequence[Kernel]) -> tuple[KernelChange, ...]:
    """Pair the calls of two passes, the most alike first; every call is in exactly one change.

    A kernel that ran more often than its partner is split: the rest looks for another partner,
    and what finds none was added or removed.
    """
    changes: list[KernelChange] = []
    left, right = list(before), list(after)
    for key in (_identity, _same_type, _same_shape, _same_work):
        left, right = _pair(left, right, key, changes)
    left, right = _pair(left, right, _same_sum, changes, split=False)
    changes += [KernelChange(before=kernel, after=None) for kernel in left]
    changes += [KernelChange(before=None, after=kernel) for kernel in right]
    return tuple(changes)


def _identity(kernel: Kernel) -> Hashable:
    return (
        kernel.operation,
        kernel.problem,
        kernel.dtype,
        kernel.tensors,
        kernel.implementation,
        kernel.isa,
        kernel.source,
    )


def _same_type(kernel: Kernel) -> Hashable:
    # A reorder between other types or layouts is another reorder.
    return kernel.operation, kernel.problem, kernel.dtype, moves_data(kernel) and kernel.tensors


def _same_shape(kernel: Kernel) -> Hashable:
    return None if moves_data(kernel) else (kernel.operation, kernel.problem)


def _same_work(kernel: Kernel) -> Hashable:
    """Multiply-accumulates of a call: another precision may take the same layer to another library."""
    family = _family(kernel)
    return None if family is None or kernel.macs is None else (family, round(kernel.macs / kernel.count))


def _same_sum(kernel: Kernel) -> Hashable:
    """One product may do what several did: query, key and value from one matrix in place of three."""
    family = _family(kernel)
    return None if family is None else (family, kernel.macs)


def _family(kernel: Kernel) -> re.Pattern[str] | None:
    if not kernel.macs:
        return None
    return next((family for family in (_CONVOLUTION, _PRODUCT) if family.search(kernel.operation)), None)


def _pair(
    left: Sequence[Kernel],
    right: Sequence[Kernel],
    key: Callable[[Kernel], Hashable],
    changes: list[KernelChange],
    *,
    split: bool = True,
) -> tuple[list[Kernel], list[Kernel]]:
    """Add pairs of equal keys (None equals nothing) to ``changes``; return what is left of each side."""
    waiting: dict[Hashable, deque[Kernel]] = defaultdict(deque)
    for kernel in right:
        waiting[key(kernel)].append(kernel)
    unmatched = []
    for one in left:
        name = key(one)
        rest: Kernel | None = one
        partners = waiting.get(name) if name is not None else None
        while rest and partners:
            other = partners.popleft()
            fewer = min(rest.count, other.count)
            count, other_count = (fewer, fewer) if split else (rest.count, other.count)
            changes.append(KernelChange(before=_calls(rest, count), after=_calls(other, other_count)))
            if other.count > other_count:
                partners.appendleft(_calls(other, other.count - other_count))
            rest = _calls(rest, rest.count - count) if rest.count > count else None
        if rest:
            unmatched.append(rest)
    return unmatched, [kernel for partners in waiting.values() for kernel in partners]


def _calls(kernel: Kernel, count: int) -> Kernel:
    """``count`` of the kernel's calls, with their part of its time and work."""
    if count == kernel.count:
        return kernel
    part = count / kernel.count
    macs = None if kernel.macs is None else round(kernel.macs * part)
    return dataclasses.replace(kernel, count=count, time_s=kernel.time_s * part, macs=macs)


def types(kernel: Kernel) -> str:
    """What it computes in; PyTorch's operators say it of all their inputs, in PyTorch's words."""
    return kernel.tensors if kernel.source is Source.OPERATOR and not kernel.dtype else kernel.dtype
