"""The best mode of each stack for each model and precision: what leaving one for the other comes to.

The choice is made from a few passes of one worker each, the one whose outputs and evidence are kept;
the pairs that are then measured know nothing of them, so that having been chosen flatters neither side.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from perfsuite.compare.pairings import Party, unpaired
from perfsuite.compare.request import Request
from perfsuite.compare.schedule import Journal
from perfsuite.errors import WorkerError
from perfsuite.judge.outcome import judge_variant
from perfsuite.measure.clock import Clock, Say
from perfsuite.records.comparison import Gap, OneSided, Screening
from perfsuite.records.outcome import Outcome
from perfsuite.records.pair import Pairing
from perfsuite.spec import Mode, Precision, Variant


def pair_best(
    baseline: Party, candidate: Party, request: Request, journal: Journal, clock: Clock, say: Say
) -> tuple[tuple[Pairing, ...], tuple[OneSided, ...]]:
    """Each side's fastest mode whose outputs are right, paired; and where one side has none."""
    pairings: list[Pairing] = []
    one_sided: list[OneSided] = []
    for model, precision, workload in product(baseline.rig.models, Precision, request.workloads):
        sides = [[party.variant(model, mode, precision, workload) for mode in Mode] for party in (baseline, candidate)]
        # As where modes are held against one another: what fits under either side's backend.
        fitting = [pair for pair in zip(*sides, strict=True) if any(map(request.fits, pair))]
        if not fitting:
            continue
        choices = [
            _choice(party, [pair[number] for pair in fitting], journal, clock, say)
            for number, party in enumerate((baseline, candidate))
        ]
        match choices:
            case [Variant() as one, Variant() as other]:
                pairings.append(Pairing(baseline=one, candidate=other))
            case _:
                lacks = [choice if isinstance(choice, Gap) else None for choice in choices]
                name = f"{model}-{precision}-{workload}"
                one_sided.append(unpaired(name, fitting[0][1], *lacks, matters=1 + request.resolution))
    return tuple(pairings), tuple(one_sided)


def wrong_modes(baseline: Party, candidate: Party, journal: Journal) -> tuple[Outcome, ...]:
    """The candidate's modes that are wrong or fail where the baseline's same mode, if it was tried, does not."""
    known = {_cell(one): one.usable for one in _screenings(baseline, journal).values()}
    return tuple(
        judge_variant(one.variant, outputs=one.outputs, failure=one.failure)
        for one in _screenings(candidate, journal).values()
        if not one.usable and known.get(_cell(one), True)
    )


def _screenings(party: Party, journal: Journal) -> dict[Variant, Screening]:
    """Of each variant the newest: a resumed run tries again what failed."""
    return {one.variant: one for one in journal.of(Screening) if one.stack == party.name}


def _cell(screening: Screening) -> tuple[str, Mode, Precision, str]:
    variant = screening.variant
    return variant.model, variant.mode, variant.precision, variant.workload


def _choice(party: Party, variants: Iterable[Variant], journal: Journal, clock: Clock, say: Say) -> Variant | Gap:
    """The fastest, or why there is none."""
    known = {variant: one for variant, one in _screenings(party, journal).items() if not one.failure}
    unsupported: list[str] = []
    untried: list[Variant] = []
    screenings: list[Screening] = []
    for variant in variants:
        support = party.rig.support(variant)
        if support.reason is not None:
            unsupported.append(support.reason)
        elif variant in known:
            screenings.append(known[variant])
        elif clock.allows():
            say(f"trying {variant.id} in {party.name}")
            screenings.append(_screening(party, variant))
            journal.append(screenings[-1])
        else:
            untried.append(variant)
    usable = {one.variant: one.latency_s for one in screenings if one.latency_s is not None and one.usable}
    if usable:
        return min(usable, key=lambda variant: usable[variant])
    return Gap(
        unsupported=tuple(dict.fromkeys(unsupported)),
        unusable=tuple(one for one in screenings if not one.usable),
        untried=tuple(untried),
    )


def _screening(party: Party, variant: Variant) -> Screening:
    try:
        outputs = party.rig.check(variant).violations
        latency_s = party.rig.evidence(variant).forward_s
    except WorkerError as error:
        return Screening(stack=party.name, variant=variant, latency_s=None, failure=str(error))
    return Screening(stack=party.name, variant=variant, latency_s=latency_s, outputs=outputs)
