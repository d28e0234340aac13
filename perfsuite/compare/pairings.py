"""Which variants of two stacks are held against one another, and what only one of them has."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from perfsuite.backends.registry import NAMES
from perfsuite.compare.request import Request
from perfsuite.errors import UsageError
from perfsuite.judge.outcome import judge_support, judge_variant
from perfsuite.records.comparison import Gap, OneSided
from perfsuite.records.pair import Pairing
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.spec import Mode, Precision, Support, Variant

if TYPE_CHECKING:
    from perfsuite.measure.rig import Rig

#: Between a stack and the backend that is to be used in it.
_SEPARATOR = ":"


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
    if backend and backend not in NAMES:
        raise UsageError(f"{argument}: no backend {backend}; there are {', '.join(NAMES)}")
    return name, backend or None


def pair_up(baseline: Party, candidate: Party, request: Request) -> tuple[tuple[Pairing, ...], tuple[OneSided, ...]]:
    """Every variant that both support, paired; and what one alone supports, or neither, with the reasons.

    A variant is selected where it fits under either side's backend.
    """
    pairings: list[Pairing] = []
    one_sided: list[OneSided] = []
    for model, mode, precision, name in product(baseline.rig.models, Mode, Precision, request.workloads):
        pairing = Pairing(
            baseline=baseline.variant(model, mode, precision, name),
            candidate=candidate.variant(model, mode, precision, name),
        )
        if not (request.fits(pairing.baseline) or request.fits(pairing.candidate)):
            continue
        lacks = [
            None if support.reason is None else Gap(unsupported=(support.reason,))
            for support in (baseline.rig.support(pairing.baseline), candidate.rig.support(pairing.candidate))
        ]
        if lacks == [None, None]:
            pairings.append(pairing)
        else:
            one_sided.append(unpaired(pairing.id, pairing.candidate, *lacks, matters=1 + request.resolution))
    return tuple(pairings), tuple(one_sided)


def unpaired(name: str, variant: Variant, baseline: Gap | None, candidate: Gap | None, *, matters: float) -> OneSided:
    """What comes of a variant that one side alone has, or neither."""
    if any(lack and lack.untried for lack in (baseline, candidate)):
        speed = Speed(variant=variant, verdict=Verdict.INCONCLUSIVE, reason=Reason.TIME, matters=matters)
        outcome = judge_variant(variant, speed=speed)
    elif candidate is not None:
        reasons = (*candidate.unsupported, *(one.variant.id for one in candidate.unusable))
        outcome = judge_support(variant, Support(reason="; ".join(reasons)), in_baseline=baseline is None)
    else:
        speed = Speed(variant=variant, verdict=Verdict.MISSING_BASELINE, reason=Reason.NO_BASELINE, matters=matters)
        outcome = judge_variant(variant, speed=speed)
    return OneSided(name=name, outcome=outcome, baseline=baseline, candidate=candidate)
