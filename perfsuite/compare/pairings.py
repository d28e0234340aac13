"""Which variants of two stacks are held against one another, and what only one of them has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfsuite.errors import UsageError
from perfsuite.records.comparison import OneSided
from perfsuite.records.pair import Pairing
from perfsuite.spec import Mode, Precision, Variant

if TYPE_CHECKING:
    from perfsuite.measure.rig import Rig

#: Between a stack and the backend that is to be used in it.
_SEPARATOR = ":"
_BACKENDS = {"ipex": "intel-extension-for-pytorch", "stock": "torch"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One of the two stacks, and the backend that prepares its models."""

    name: str
    backend: str
    rig: Rig

    def variant(self, model: str, mode: Mode, precision: Precision, workload: str) -> Variant:
        return Variant(model=model, backend=self.backend, mode=mode, precision=precision, workload=workload)


def split_party(argument: str) -> tuple[str, str | None]:
    """``ipex-2.8`` or ``ipex-2.8:stock`` -> the stack's name and the backend asked for."""
    name, _, backend = argument.partition(_SEPARATOR)
    if backend and backend not in _BACKENDS:
        raise UsageError(f"{argument}: no backend {backend}; there are {', '.join(_BACKENDS)}")
    return name, backend or None


def own_backend(packages: Iterable[str]) -> str:
    """What a stack is there for: ipex where it has it, else stock."""
    return "ipex" if _BACKENDS["ipex"] in packages else "stock"


def pair_up(
    baseline: Party, candidate: Party, workloads: Iterable[str], fits: Callable[[Variant], bool]
) -> tuple[tuple[Pairing, ...], tuple[OneSided, ...]]:
    """Every variant that both support, paired; and what one alone supports, or neither, with the reasons.

    A variant is selected where it fits under either side's backend.
    """
    pairings: list[Pairing] = []
    one_sided: list[OneSided] = []
    for model in baseline.rig.models:
        for mode in Mode:
            for precision in Precision:
                for name in workloads:
                    pairing = Pairing(
                        baseline=baseline.variant(model, mode, precision, name),
                        candidate=candidate.variant(model, mode, precision, name),
                    )
                    if not (fits(pairing.baseline) or fits(pairing.candidate)):
                        continue
                    support = baseline.rig.support(pairing.baseline), candidate.rig.support(pairing.candidate)
                    if all(one.supported for one in support):
                        pairings.append(pairing)
                    else:
                        lacks = [one.reason for one in support]
                        one_sided.append(OneSided(name=pairing.id, baseline_lacks=lacks[0], candidate_lacks=lacks[1]))
    return tuple(pairings), tuple(one_sided)
