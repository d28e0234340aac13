"""The best mode of each stack for each model and precision: what leaving one for the other comes to.

The choice is made from a few passes of one worker each, the one whose outputs and evidence are kept;
the pairs that are then measured know nothing of them, so that having been chosen flatters neither side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product

from perfsuite.compare.pairings import Party
from perfsuite.compare.schedule import Journal
from perfsuite.errors import WorkerError
from perfsuite.measure.clock import Clock, Say
from perfsuite.records.comparison import OneSided, Screening
from perfsuite.records.pair import Pairing
from perfsuite.report.violations import violation_lines
from perfsuite.spec import Mode, Precision, Variant


def pair_best(
    baseline: Party,
    candidate: Party,
    workloads: Iterable[str],
    fits: Callable[[Variant], bool],
    journal: Journal,
    clock: Clock,
    say: Say,
) -> tuple[tuple[Pairing, ...], tuple[OneSided, ...]]:
    """Each side's fastest mode whose outputs are right, paired; and where one side has none."""
    pairings: list[Pairing] = []
    one_sided: list[OneSided] = []
    for model, precision, workload in product(baseline.rig.models, Precision, workloads):
        choices: list[Variant | str] = []
        for party in (baseline, candidate):
            variants = [party.variant(model, mode, precision, workload) for mode in Mode]
            if variants := list(filter(fits, variants)):
                choices.append(_choice(party, variants, journal, clock, say))
        match choices:
            case [Variant() as one, Variant() as other]:
                pairings.append(Pairing(baseline=one, candidate=other))
            case [one, other]:
                lacks = [choice if isinstance(choice, str) else None for choice in (one, other)]
                name = f"{model}-{precision}-{workload}"
                one_sided.append(OneSided(name=name, baseline_lacks=lacks[0], candidate_lacks=lacks[1]))
    return tuple(pairings), tuple(one_sided)


def _choice(party: Party, variants: Iterable[Variant], journal: Journal, clock: Clock, say: Say) -> Variant | str:
    """The fastest, or why there is none."""
    known = {record.variant: record for record in journal.of(Screening) if record.stack == party.name}
    runs: list[tuple[float, Variant]] = []
    reasons: list[str] = []
    for variant in variants:
        support = party.rig.support(variant)
        if support.reason is not None:
            reasons.append(support.reason)
            continue
        if variant not in known:
            if not clock.allows():
                reasons.append("the budget ended before it was tried")
                continue
            say(f"trying {variant.id} in {party.name}")
            known[variant] = _screened(party, variant)
            journal.append(known[variant])
        found = known[variant]
        if found.latency_s is None or found.wrong:
            reasons.append(f"{variant.mode}: {found.failure or '; '.join(violation_lines(found.wrong))}")
        else:
            runs.append((found.latency_s, variant))
    return min(runs, key=lambda run: run[0])[1] if runs else "; ".join(dict.fromkeys(reasons))


def _screened(party: Party, variant: Variant) -> Screening:
    try:
        wrong = party.rig.check(variant).violations
        latency_s = party.rig.evidence(variant).forward_s
    except WorkerError as error:
        return Screening(stack=party.name, variant=variant, latency_s=None, failure=str(error).partition("\n")[0])
    return Screening(stack=party.name, variant=variant, latency_s=latency_s, wrong=wrong)
