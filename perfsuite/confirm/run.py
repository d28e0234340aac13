"""Suspects x the stacks that their baselines ran in -> what became of each suspicion."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from perfsuite.confirm.night import Aim, Night, Trial
from perfsuite.errors import PerfsuiteError, WorkerError
from perfsuite.judge.confirmation import Judgement, incomparable, judge_confirmation, same_software, unconfirmed
from perfsuite.judge.costs import pair_cost_violations
from perfsuite.limits import Limits
from perfsuite.measure.clock import Clock, Say
from perfsuite.records.baseline import Baseline, Difference
from perfsuite.records.pair import Pair
from perfsuite.records.speed import Speed, Verdict
from perfsuite.spec import Variant

if TYPE_CHECKING:
    from perfsuite.measure.journal import Journal
    from perfsuite.measure.rig import Rig
    from perfsuite.records.evidence import Evidence

#: Opens the rig that runs variants as their baseline was run; PerfsuiteError if its stack is not to be had.
OpenRig = Callable[[Baseline], AbstractContextManager["Rig"]]
#: What of the machine is another than in a baseline's sessions, while these pairs were measured.
Drift = Callable[[Baseline, Sequence[Pair]], tuple[Difference, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A variant that may be slower, or costs more, than its baseline, which ``stored`` holds; or seems ``faster``."""

    stored: Speed
    limits: Limits
    faster: bool = False

    @property
    def variant(self) -> Variant:
        return self.stored.variant

    @property
    def baseline(self) -> Baseline:
        assert isinstance(self.stored.baseline, Baseline)
        return self.stored.baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """A judgement, the pairs that it comes from, and the baseline's evidence where it had to be observed anew."""

    judgement: Judgement
    trial: Trial = field(default_factory=Trial)
    evidence: Evidence | None = None


def confirm(
    suspects: Sequence[Suspect],
    candidate: Rig,
    open_rig: OpenRig,
    journal: Journal[Any],
    aim: Aim,
    *,
    drift: Drift,
    clock: Clock,
    say: Say,
) -> dict[Variant, Confirmed]:
    """``aim.matters`` is what matters where a suspect's own limits do not say otherwise.

    Those for whom another ratio matters are a night of their own, with their share of the time and of the error.
    """
    found: dict[Variant, Confirmed] = {}
    with contextlib.ExitStack() as opened:
        rigs = _Rigs(open_rig, opened)
        groups: dict[float, list[Suspect]] = defaultdict(list)
        for suspect in suspects:
            try:
                rigs.open(suspect)
            except PerfsuiteError as error:
                judgement = unconfirmed(suspect.stored, str(error), matters=suspect.limits.matters)
                found[suspect.variant] = Confirmed(judgement=judgement)
                continue
            if rigs.of[suspect.variant].runs_alike(candidate, suspect.variant):
                # Both sides would be one process twice, and their ratio says nothing but how noisy it is.
                judgement = same_software(
                    suspect.stored, matters=suspect.limits.matters, differences=drift(suspect.baseline, ())
                )
                found[suspect.variant] = Confirmed(judgement=judgement)
            else:
                groups[suspect.limits.matters].append(suspect)
        total = left = sum(map(len, groups.values()))
        for matters, group in groups.items():
            group_clock = Clock(clock.left_s * len(group) / left)
            group_aim = replace(aim, matters=matters, false_alarm=aim.false_alarm * len(group) / total)
            variants = [suspect.variant for suspect in group]
            night = Night(variants, candidate, rigs.of, journal, group_aim, clock=group_clock, say=say)
            trials = night.run()
            left -= len(group)
            for suspect in group:
                judgement = _judgement(suspect, trials[suspect.variant], group_aim, len(group), drift)
                found[suspect.variant] = _with_evidence(suspect, judgement, trials[suspect.variant], rigs)
    return found


class _Rigs:
    """One rig for each stack and environment that baselines ran in."""

    def __init__(self, open_rig: OpenRig, opened: contextlib.ExitStack) -> None:
        self._open_rig = open_rig
        self._opened = opened
        self._rigs: dict[tuple[str, tuple[tuple[str, str], ...]], Rig] = {}
        self.of: dict[Variant, Rig] = {}

    def open(self, suspect: Suspect) -> None:
        """Have the suspect's rig in ``of``; PerfsuiteError if it cannot be."""
        key = (suspect.baseline.stack_slug, tuple(sorted(suspect.baseline.measurement.environment.items())))
        if key not in self._rigs:
            self._rigs[key] = self._opened.enter_context(self._open_rig(suspect.baseline))
        self.of[suspect.variant] = self._rigs[key]


def _judgement(suspect: Suspect, trial: Trial, aim: Aim, count: int, drift: Drift) -> Judgement:
    matters = suspect.limits.matters
    if trial.failure:
        return unconfirmed(suspect.stored, trial.failure, matters=matters)
    if trial.conclusion is None:
        return unconfirmed(suspect.stored, "there was no time for it (--budget)", matters=matters)
    if len({side.digests for pair in trial.pairs for side in (pair.baseline, pair.candidate)}) > 1:
        return incomparable(suspect.stored, matters=matters)
    return judge_confirmation(
        suspect.stored,
        trial.told,
        trial.conclusion,
        matters=matters,
        slow_error=aim.false_alarm / count,
        differences=drift(suspect.baseline, trial.told),
        costs=pair_cost_violations(trial.pairs, suspect.limits.costs),
    )


def _with_evidence(suspect: Suspect, judgement: Judgement, trial: Trial, rigs: _Rigs) -> Confirmed:
    """A regression's cause is told by two evidences: what the baseline lacks is observed now."""
    evidence = None
    if judgement.speed.verdict is Verdict.REGRESSED and suspect.baseline.measurement.evidence is None:
        with contextlib.suppress(WorkerError):  # then the explanation says that there is none
            evidence = rigs.of[suspect.variant].evidence(suspect.variant)
    return Confirmed(judgement=judgement, trial=trial, evidence=evidence)
