"""Speed, outputs, kernels, costs, support and failure -> one outcome: the worst of them counts."""

from __future__ import annotations

from dataclasses import replace

from perfsuite.judge.confirmation import Judgement
from perfsuite.judge.costs import of_the_machine, without_noise
from perfsuite.records.confirmation import Confirmation, Finding
from perfsuite.records.outcome import Outcome
from perfsuite.records.speed import Speed, Verdict
from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.spec import Support, Variant

_WORST_LAST = tuple(Verdict)


def judge_variant(
    variant: Variant,
    *,
    speed: Speed | None = None,
    outputs: tuple[Violation, ...] = (),
    kernels: tuple[Violation, ...] = (),
    lost: tuple[Violation, ...] = (),
    costs: tuple[Violation, ...] = (),
    failure: str = "",
    ignored: str = "",
    confirmation: Confirmation | None = None,
) -> Outcome:
    """What came of a variant that was run; wrong outputs are an error, whatever is known of its speed.

    Without ``speed`` nothing was asked of it: then what is not wrong is unchanged. ``ignored`` hides nothing here:
    the verdict stays, and its colour is what changes.
    """
    return _judged(
        Outcome(
            variant=variant,
            verdict=Verdict.UNCHANGED,
            speed=speed,
            outputs=outputs,
            kernels=kernels,
            lost=lost,
            costs=costs,
            failure=failure,
            ignored=ignored,
            confirmation=confirmation,
        )
    )


def _judged(outcome: Outcome) -> Outcome:
    """The outcome with the worst verdict of what it holds."""
    verdicts = [Verdict.UNCHANGED if outcome.speed is None else outcome.speed.verdict]
    if outcome.costs:
        verdicts.append(Verdict.REGRESSED)
    if outcome.kernels or outcome.lost:
        verdicts.append(Verdict.LOST)
    if outcome.outputs or outcome.failure:
        verdicts.append(Verdict.ERROR)
    return replace(outcome, verdict=max(verdicts, key=_WORST_LAST.index))


def with_confirmation(outcome: Outcome, judgement: Judgement) -> Outcome:
    """The outcome once its suspicion was looked into: what pairs tell of speed and costs replaces what was stored.

    Without pairs, costs that a busy machine adds to are neither confirmed nor dropped.
    """
    found = judgement.confirmation
    if found.finding is Finding.NOT_RUN:
        doubtful = of_the_machine(outcome.costs)
        costs = tuple(cost for cost in outcome.costs if cost not in doubtful)
        found = replace(found, doubtful_costs=doubtful)
    else:
        costs = (*without_noise(outcome.costs), *found.costs)
    return with_speed(replace(outcome, costs=costs, confirmation=found), judgement.speed)


def with_speed(outcome: Outcome, speed: Speed) -> Outcome:
    """The outcome with another verdict on its speed."""
    return _judged(replace(outcome, speed=speed))


def judge_support(variant: Variant, support: Support, *, in_baseline: bool, ignored: str = "") -> Outcome:
    """What came of a variant that this side does not support: lost where the baseline runs it."""
    assert support.reason is not None
    if not in_baseline:
        return Outcome(variant=variant, verdict=Verdict.UNSUPPORTED, unsupported=support.reason, ignored=ignored)
    lost = Violation(
        kind=Kind.SUPPORT, expected="supported", found="unsupported", against=Against.BASELINE, why=support.reason
    )
    return Outcome(variant=variant, verdict=Verdict.LOST, lost=(lost,), unsupported=support.reason, ignored=ignored)
