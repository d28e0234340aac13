"""How long a timing run will take, from what its variants took before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from perfsuite.records.measurement import Measurement, Replicate
from perfsuite.spec import Variant, workload

#: Of a replicate that nobody has measured yet, and of looking at outputs and kernels: ResNet50 and BERT take 4 to 9 s
#: on two cores with their kernels compiled, and some 4 s more for instruments.
_REPLICATE_S, CHECK_S = 7.0, 4.0
#: What confirming may take for each variant of the run: a pair takes 8 to 10 s on two cores. Two to screen a suspect,
#: of which there are some two in three, and as many fresh ones; six of each where all are stepped.
SUSPECT_S, _ALL_S = 30.0, 55.0
#: The least that is worth starting for: the first look at one suspect, after six pairs.
_LEAST_CONFIRM_S = 180.0
#: The part of a budget that measuring may take for more replicates; the rest confirms.
_MEASURE_SHARE = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is to take: ``measure_s`` is an estimate, ``confirm_s`` a bound.

    ``extra_s`` is time for more replicates than are planned, which a budget leaves.
    """

    variants: int
    replicates: int
    measure_s: float
    extra_s: float
    confirm_s: float

    @property
    def total_s(self) -> float:
        return self.measure_s + self.extra_s + self.confirm_s


def plan(
    variants: Sequence[Variant],
    known: Mapping[Variant, Measurement],
    *,
    held: Collection[Variant],
    replicates: int,
    confirm: str,
    budget_s: float | None,
) -> Plan:
    """``known`` are measurements from before, and those that are ``held`` have a baseline; of other variants too.

    Without a budget all that is needed is planned.
    """
    measure_s = sum(estimate_s(variant, known.get(variant), replicates) for variant in variants)
    count = sum(variant in held for variant in variants)
    confirm_s = 0.0 if confirm == "none" or not count else confirming_s(count, confirm)
    extra_s = 0.0
    if budget_s is not None:
        extra_s = max(0.0, budget_s * (_MEASURE_SHARE if confirm_s else 1.0) - measure_s)
        confirm_s = max(0.0, budget_s - measure_s - extra_s) if confirm_s else 0.0
    return Plan(
        variants=len(variants), replicates=replicates, measure_s=measure_s, extra_s=extra_s, confirm_s=confirm_s
    )


def confirming_s(variants: int, confirm: str) -> float:
    """What confirming may take where so many variants have a baseline."""
    return max(_LEAST_CONFIRM_S, variants * (_ALL_S if confirm == "all" else SUSPECT_S))


def estimate_s(variant: Variant, stored: Measurement | None, replicates: int) -> float:
    """To measure and to check it, from what is stored of it."""
    count = 1 if workload(variant.workload).once else replicates
    if stored is None:
        return count * _REPLICATE_S + CHECK_S
    return count * _mean_s(stored.replicates) + CHECK_S


def _mean_s(replicates: Iterable[Replicate]) -> float:
    """The quickest worker: others may have compiled what it found compiled."""
    return min(one.stages.total_s for one in replicates)
