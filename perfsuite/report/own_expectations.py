"""Which of the user's expectations took the place of perfsuite's, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from perfsuite.gates.expectations import Expectation
from perfsuite.kernel_limits import KernelLimits
from perfsuite.report.text import variant_names
from perfsuite.spec import Variant


def own_expectation_lines(
    variants: Iterable[Variant],
    own: Callable[[Variant], KernelLimits | None],
    default: Callable[[Variant], Expectation],
) -> list[str]:
    """For each reason what is expected in place of what, and of whom; nothing where the user expects nothing else."""
    groups: dict[tuple[str, str], list[Variant]] = defaultdict(list)
    for variant in variants:
        if limits := own(variant):
            before = default(variant)
            words = ", ".join(
                f"{field} {_word(value)} (was {_word(getattr(before, field))})"
                for field, value in limits.fields.items()
            )
            groups[words, limits.reason].append(variant)
    return [
        f"kernels as [tool.perfsuite] expects ({len(found)}): {words}: {reason}: {variant_names(found)}"
        for (words, reason), found in groups.items()
    ]


def _word(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value) or "none"
