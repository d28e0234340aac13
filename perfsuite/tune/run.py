"""Candidates -> trials, one after another, each in pairs with the current setting."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from perfsuite.compare.pairings import Party
from perfsuite.compare.request import Request
from perfsuite.compare.run import compare_stacks
from perfsuite.judge.paired import COVERAGE
from perfsuite.measure.clock import Clock
from perfsuite.records.tuning import Candidate, Trial, Tuning
from perfsuite.spec import Variant
from perfsuite.tune.candidates import combined

#: Of all intervals of a search, the combinations' that come last too: two at most.
_COMBINED = 2

#: Opens the rig of a candidate.
OpenParty = Callable[[Candidate], AbstractContextManager[Party]]


def tune(
    variant: Variant,
    current: Party,
    candidates: Sequence[Candidate],
    open_party: OpenParty,
    *,
    resolution: float,
    journals: Path,
    clock: Clock,
    say: Callable[[Candidate, str], None],
) -> Tuning:
    """Each candidate has an equal part of the time that is left, and so have the combinations of what gains."""
    request = Request(
        fits=lambda one: one == variant,
        selection=(variant.id,),
        workloads=(variant.workload,),
        resolution=resolution,
        examining=False,
        beside=len(candidates) + _COMBINED - 1,
    )

    def tried(candidate: Candidate, left: int) -> Trial:
        share = Clock(clock.left_s / left)
        if not clock.allows():
            return Trial(candidate=candidate, row=None)
        with open_party(candidate) as party:
            report = compare_stacks(
                current,
                party,
                request,
                journals=journals,
                resume=False,
                clock=share,
                say=functools.partial(say, candidate),
            )
        (row,) = report.rows
        return Trial(candidate=candidate, row=row)

    trials: list[Trial] = []
    for number, candidate in enumerate(candidates):
        trials.append(tried(candidate, len(candidates) + _COMBINED - number))
    where, preload = current.rig.placement, current.rig.settings.preload
    last = combined(trials, instances=where.instances, threads=where.threads, preload=preload)
    for number, candidate in enumerate(last):
        trials.append(tried(candidate, len(last) - number))
    return Tuning(
        variant=variant,
        machine_slug=current.rig.machine.slug,
        placement=where,
        preload=preload,
        trials=tuple(trials),
        resolution=resolution,
        coverage=COVERAGE,
        wall_s=clock.spent_s,
    )
