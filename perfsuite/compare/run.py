"""Two stacks, what is to be held against what, and a time to do it in -> a report. No words, no terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from perfsuite.compare.best import pair_best, wrong_modes
from perfsuite.compare.pairings import Party, pair_up
from perfsuite.compare.request import Request
from perfsuite.compare.rows import rows
from perfsuite.compare.schedule import Header, Journal, Schedule
from perfsuite.errors import UsageError
from perfsuite.judge.paired import COVERAGE, LOOKS
from perfsuite.measure.clock import Clock, Say
from perfsuite.records.comparison import Report, StackSide
from perfsuite.stats.sequential import Looks


def compare_stacks(
    baseline: Party,
    candidate: Party,
    request: Request,
    *,
    journals: Path,
    resume: bool,
    clock: Clock,
    say: Say,
) -> Report:
    """Measure until each pairing is decided or the time is over; ``resume`` goes on with the newest journal.

    Raises UsageError if nothing is selected, or if there is nothing to resume.
    """
    header = _header(baseline, candidate, request)
    how: Callable[..., Journal] = Journal.resume if resume else Journal.create
    journal = how(journals, header)
    try:
        if request.best:
            pairings, one_sided = pair_best(baseline, candidate, request, journal, clock, say)
        else:
            pairings, one_sided = pair_up(baseline, candidate, request)
        if not pairings and not one_sided:
            raise UsageError(f"{' '.join(request.selection)} selects no variant; see `perfsuite matrix`")
        schedule = Schedule(
            baseline,
            candidate,
            pairings,
            journal,
            looks=Looks(counts=LOOKS, coverage=COVERAGE, comparisons=max(1, len(pairings)) + request.beside),
            resolution=request.resolution,
            clock=clock,
            say=say,
        )
        if request.examining:
            schedule.examine()
        schedule.measure()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"kept what was measured in {journal.path}; --resume goes on from there") from None
    return Report(
        baseline=_side(baseline),
        candidate=_side(candidate),
        resolution=request.resolution,
        coverage=COVERAGE,
        rows=rows(baseline, candidate, schedule.decided, journal, resolution=request.resolution),
        one_sided=one_sided,
        wrong_modes=wrong_modes(baseline, candidate, journal) if request.best else (),
        wall_s=clock.spent_s,
    )


def _header(baseline: Party, candidate: Party, request: Request) -> Header:
    return Header(
        baseline=baseline.rig.stack,
        candidate=candidate.rig.stack,
        commits=(baseline.rig.commit, candidate.rig.commit),
        backends=(baseline.backend, candidate.backend),
        machine_slugs=(baseline.rig.machine.slug, candidate.rig.machine.slug),
        environments=(baseline.rig.environment, candidate.rig.environment),
        resolution=request.resolution,
        best=request.best,
        selection=(*request.selection, *request.workloads),
    )


def _side(party: Party) -> StackSide:
    rig = party.rig
    return StackSide(
        name=party.name,
        backend=party.backend,
        stack=rig.stack,
        machine_slug=rig.machine.slug,
        placement=rig.placement,
    )
