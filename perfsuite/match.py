"""Which variants an entry of a file of settings or expectations is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from perfsuite.spec import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The facts that an entry asks for, each by its name, and what they may be; * in one stands for anything."""

    accepted: Mapping[str, tuple[str, ...]]

    def fits(self, facts: Mapping[str, str]) -> bool:
        """Whether every fact that is asked for is one of those accepted."""
        return all(
            any(fnmatchcase(facts[name], pattern) for pattern in patterns) for name, patterns in self.accepted.items()
        )

    def __str__(self) -> str:
        return ", ".join(f"{name} {' or '.join(patterns)}" for name, patterns in self.accepted.items())


def variant_facts(variant: Variant) -> dict[str, str]:
    """What may be asked of a variant: each of its parts, and ``variant``, its whole id."""
    return {
        "model": variant.model,
        "backend": variant.backend,
        "mode": variant.mode.value,
        "precision": variant.precision.value,
        "workload": variant.workload,
        "variant": variant.id,
    }
