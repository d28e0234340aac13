"""What two stacks are asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from perfsuite.spec import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is compared: the variants that fit, mode by mode or each side's best, to what resolution.

    ``selection`` is what ``fits`` was made of, as the user wrote it. ``examining`` looks at outputs and
    kernels too; without it a report is of speed alone. ``beside`` is how many comparisons share the allowed error
    with each of this one.
    """

    fits: Callable[[Variant], bool]
    selection: tuple[str, ...]
    workloads: tuple[str, ...]
    resolution: float
    best: bool = False
    examining: bool = True
    beside: int = 0
