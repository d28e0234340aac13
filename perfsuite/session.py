"""One timing run, stage by stage: measure, check, judge, confirm, explain. What pytest's items then only report."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from perfsuite.backends.registry import slug_of
from perfsuite.confirm.drift import drift
from perfsuite.confirm.night import Aim
from perfsuite.confirm.run import Suspect, confirm
from perfsuite.errors import StackError, UsageError
from perfsuite.explain.causes import explain
from perfsuite.explain.changes import evidence_changes
from perfsuite.gates.expectations import expectation
from perfsuite.judge.confirmation import unsuspected
from perfsuite.judge.outcome import with_confirmation, with_speed
from perfsuite.judge.session import judge_results
from perfsuite.judge.stored import suspects
from perfsuite.machine.preload import LD_PRELOAD, listed, unloadable
from perfsuite.measure import campaign
from perfsuite.measure.clock import Clock, Say
from perfsuite.measure.code import code_at
from perfsuite.measure.head import session_head
from perfsuite.measure.ledger import Ledger
from perfsuite.measure.plan import CHECK_S, estimate_s, plan
from perfsuite.measure.rig import Rig
from perfsuite.records.baseline import Baseline, Difference
from perfsuite.records.measurement import Measurement
from perfsuite.records.outcome import Outcome
from perfsuite.records.pair import Pair
from perfsuite.records.session import Unsupported
from perfsuite.records.speed import Speed, Verdict
from perfsuite.report.confirmation import plan_line
from perfsuite.report.live import NightScreen, Size, confirming_table, night_rows
from perfsuite.report.own_expectations import own_expectation_lines
from perfsuite.report.progress import stepwise, within_budget
from perfsuite.report.text import wrapped
from perfsuite.report.within import within_lines
from perfsuite.stacks.rebuild import baseline_environ, baseline_stack

if TYPE_CHECKING:
    from rich.console import RenderableType

    from perfsuite.options import Run
    from perfsuite.spec import Variant


_JOURNALS = ".perfsuite"


def night(run: Run, rig: Rig, variants: Sequence[Variant]) -> None:
    """The whole run; its results, outcomes and explanations are there afterwards. Its caller holds the machine.

    Raises PerfsuiteError if there is nothing to resume.
    """
    start_s = time.perf_counter()
    held = run.baselines.newest(rig.machine, rig.stack, stack_slug=run.baseline_stack)
    run.known = _kept(run, rig, [variant for variant in variants if variant not in held]) | held
    run.plan = plan(
        variants,
        run.known,
        held=held,
        replicates=run.settings.replicates,
        confirm=run.settings.confirm,
        budget_s=run.settings.budget_s,
    )
    print("\n".join(wrapped([plan_line(run.plan, run.settings.confirm)])), file=sys.__stderr__, flush=True)
    measure(run, rig, variants)
    judge(run, rig)
    confirm_suspects(run, rig)
    explain_changes(run)
    run.campaign_s = time.perf_counter() - start_s


def _kept(run: Run, rig: Rig, variants: Collection[Variant]) -> dict[Variant, Measurement]:
    """What the history knows of them: a run needs its durations alone, and does without."""
    from perfsuite.history.address import history_url
    from perfsuite.history.last import last_measured

    try:
        url = history_url(run.root, run.settings.history, os.environ)
    except UsageError:  # the run's end tells it, and where the session is
        return {}
    return last_measured(url, variants, machine_slug=rig.machine.slug, stack_slug=slug_of(rig.stack))


def measure(run: Run, rig: Rig, variants: Sequence[Variant]) -> None:
    """Measure and check the variants, pass by pass."""
    how = campaign.Journal.resume if run.resume else campaign.Journal.create
    run.journal = journal = how(run.root / _JOURNALS, replace(session_head(rig, run.root), shard=run.shard))
    run.resumed = Counter(entry.variant for entry in journal.entries)
    run.resumed_pairs = len(journal.of(Pair))
    known = {one.variant for one in journal.of(Unsupported)}
    for one in run.session.unsupported:
        if one.variant not in known:
            journal.append(one)
    left = campaign.steps(variants, run.settings.replicates, [entry.variant for entry in journal.entries])
    unchecked = campaign.unchecked(variants, journal, observing=run.observing)
    assert run.plan is not None
    spent_s = sum(entry.replicate.stages.total_s for entry in journal.entries)
    clock = Clock(run.plan.measure_s + run.plan.extra_s, spent_s=spent_s) if run.plan.extra_s else None
    screen = _screen(run, rig, variants, clock)
    with _keeping(journal), stepwise(len(left) + len(unchecked), screen) as on_step:
        run.results = campaign.run(rig, variants, journal, on_step, observing=run.observing, clock=clock)
    run.unmeasured = campaign.unmeasured(variants, run.settings.replicates, journal, observing=run.observing)


def _screen(run: Run, rig: Rig, variants: Sequence[Variant], clock: Clock | None) -> NightScreen:
    assert run.plan is not None
    assert run.journal is not None
    return NightScreen(
        variants=variants,
        journal=run.journal,
        replicates=run.settings.replicates,
        plan=run.plan,
        each_s={variant: estimate_s(variant, run.known.get(variant), 1) - CHECK_S for variant in variants},
        clock=clock,
    )


def judge(run: Run, rig: Rig) -> None:
    """Hold what was measured against its baselines' sessions."""
    run.outcomes |= judge_results(
        run.results,
        lambda measurement: run.baselines.find(measurement, stack_slug=run.baseline_stack),
        expected=rig.expectation,
        gate=rig.objections,
        limits=run.settings.limits,
        regression_ratio=run.settings.regression_ratio,
    )
    for variant, before, after in _held(run):
        if before.evidence and after.evidence:
            run.evidence_changes[variant] = evidence_changes(before.evidence, after.evidence)


def confirm_suspects(run: Run, rig: Rig) -> None:
    """Step whoever may be slower beside the baseline's own stack: only what is confirmed there is a regression."""
    assert run.journal is not None
    assert run.plan is not None
    if run.settings.confirm == "none":
        return
    held = {variant: outcome.speed for variant, outcome in run.outcomes.items() if outcome.speed and _is_held(outcome)}
    asked = _suspects(run, held)
    for variant in held.keys() - asked.keys():
        speed = unsuspected(held[variant], matters=run.settings.limits(variant).matters)
        run.outcomes[variant] = with_speed(run.outcomes[variant], speed)
    clock = Clock(run.plan.confirm_s, spent_s=sum(pair.total_s for pair in run.journal.of(Pair)))
    head = run.journal.header
    aim = Aim(
        matters=run.settings.matters,
        false_alarm=run.settings.false_alarm,
        missed=run.settings.missed,
        improvements=run.settings.confirm == "all" or any(one.faster for one in asked.values()),
    )
    decided = {variant: outcome for variant, outcome in run.outcomes.items() if variant not in asked}
    journal, variants, replicates = run.journal, list(run.results), run.settings.replicates

    def draw(text: str, size: Size) -> RenderableType:
        return confirming_table(night_rows(variants, journal, replicates, decided), text, clock, size)

    with _keeping(run.journal), within_budget(clock, draw) as say:
        run.confirmed = confirm(
            list(asked.values()),
            rig,
            lambda baseline: _baseline_rig(run, rig.ledger, baseline, say),
            run.journal,
            aim,
            drift=lambda baseline, pairs: (
                *drift(baseline, head.state, pairs, cpus=len(rig.placement.cpus)),
                *_other_code(run, baseline),
            ),
            clock=clock,
            say=say,
        )
    run.confirm_s = clock.spent_s
    for variant, found in run.confirmed.items():
        outcome = run.outcomes[variant]
        crashed = replace(outcome, failure=outcome.failure or found.trial.crash)
        run.outcomes[variant] = with_confirmation(crashed, found.judgement)


def explain_changes(run: Run) -> None:
    """Why each variant is slower or faster than its baseline: by the pairs that told, or else by what is stored."""
    for variant, before, after in _held(run):
        found = run.confirmed.get(variant)
        if found and (pairs := found.trial.told):
            evidence = found.evidence or before.evidence
            before = replace(before, replicates=tuple(pair.baseline for pair in pairs), evidence=evidence)
            after = replace(after, replicates=tuple(pair.candidate for pair in pairs))
        run.explanations[variant] = explain(before, after)


def _held(run: Run) -> Iterator[tuple[Variant, Measurement, Measurement]]:
    """Each variant that has a baseline, its newest session and this one."""
    for variant, outcome in run.outcomes.items():
        result = run.results.get(variant)
        speed = outcome.confirmation.stored if outcome.confirmation else outcome.speed
        if speed and isinstance(speed.baseline, Baseline) and isinstance(result, Measurement):
            yield variant, speed.baseline.measurement, result


def _is_held(outcome: Outcome) -> bool:
    """Whether its speed was held against stored sessions, and nobody said to let pass whatever comes of it."""
    speed = outcome.speed
    return speed is not None and isinstance(speed.baseline, Baseline) and not outcome.ignored


def _suspects(run: Run, held: Mapping[Variant, Speed]) -> dict[Variant, Suspect]:
    """Whom to step beside its baseline, the most suspicious first."""
    limits = {variant: run.settings.limits(variant) for variant in held}
    measured = {variant: one for variant, one in run.results.items() if isinstance(one, Measurement)}
    found = suspects(
        {variant: measured[variant] for variant in held}, held, matters=lambda variant: limits[variant].matters
    )
    # The slowest quarter of the iterations, costs or kernels may be worse though the latency is not.
    worse = [
        variant
        for variant in held
        if run.outcomes[variant].verdict in (Verdict.REGRESSED, Verdict.LOST) or run.evidence_changes.get(variant)
    ]
    others = held if run.settings.confirm == "all" else ()
    return {
        variant: Suspect(stored=held[variant], limits=limits[variant], faster=variant in found.faster)
        for variant in dict.fromkeys((*found.slower, *worse, *found.faster, *others))
    }


def closing_lines(run: Run, rig: Rig) -> list[str]:
    """What the end of a run says beside its outcomes: simpler variants that are faster, and the user's expectations."""
    measured = {variant: one for variant, one in run.results.items() if isinstance(one, Measurement)}
    # Simulated, partial or emulated: nobody takes those for fast.
    known = [one for one in measured if rig.support(one).limit or not rig.expectation(one).dtype]
    return [*within_lines(measured, run.settings.limits, known=known), *expectation_lines(run, rig, measured)]


def expectation_lines(run: Run, rig: Rig, variants: Iterable[Variant]) -> list[str]:
    """Where the user's own expectations of kernels hold."""
    return own_expectation_lines(
        variants,
        lambda variant: run.settings.limits(variant).kernels,
        lambda variant: expectation(variant, rig.models[variant.model].reads),
    )


@contextmanager
def _baseline_rig(run: Run, ledger: Ledger, baseline: Baseline, say: Say) -> Iterator[Rig]:
    """Runs variants as the baseline's newest session was run: its packages, its variables."""
    newest = baseline.accepted[0]
    stack, digests = newest.measurement.stack, newest.session.contents
    ready = baseline_stack(stack, run.at_hand, digests=digests, root=run.root, say=say)
    assert run.rig is not None
    # Of what is preloaded a record holds no folder; the run knows it, be it by the setting or by the variable.
    there = {name: value for name, value in run.rig.worker_environment.items() if name == LD_PRELOAD}
    environ = baseline_environ({**os.environ, **there}, newest.measurement.environment)
    if reason := unloadable(environ, listed(environ), ready.python):
        raise StackError(f"the baseline ran with {LD_PRELOAD}={environ[LD_PRELOAD]}: {reason}")
    assert run.journal is not None
    commit = newest.session.commit
    # Of a project without models of its own all code is the stack's.
    other = commit is not None and not commit.dirty and commit != run.journal.header.commit
    code = code_at(commit.id, run.root) if commit and run.settings.models and other else None
    # What it preloaded is one of these variables.
    settings = replace(run.settings, preload=())
    with Rig(settings, ready=replace(ready, environment={}, code=code), environ=environ, ledger=ledger) as rig:
        yield rig


def _other_code(run: Run, baseline: Baseline) -> Iterator[Difference]:
    """Whether the project's own models ran beside the suspect as they are now, for want of those of the baseline."""
    commit = baseline.accepted[0].session.commit
    if run.settings.models and (commit is None or commit.dirty):
        yield Difference(name="the project's code", before="not committed", now="as it is now, on both sides")


@contextmanager
def _keeping(journal: campaign.Journal) -> Iterator[None]:
    """An interrupted run says what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"kept {len(journal.entries)} replicates in {journal.path.name}; --resume goes on from there"
        ) from None
