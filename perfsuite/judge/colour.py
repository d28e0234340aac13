"""Outcomes and what was expected of them -> red or not, and the exit status. Nobody else decides."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from perfsuite.records.outcome import Colour, Outcome, Policy
from perfsuite.records.speed import Verdict

_JUDGED = (Verdict.IMPROVED, Verdict.UNCHANGED)


class Status(IntEnum):
    """The exit status of the commands that judge."""

    FINE = 0
    WORSE = 1  # something is slower, wrong or lost
    USAGE = 2
    UNTOLD = 3  # nothing could be judged, or perfsuite itself failed


def colour(outcome: Outcome, policy: Policy) -> Colour:
    """Green is better, as good, or without a baseline yet; red is slower, costlier, wrong, lost or of other data."""
    return Colour.GREY if outcome.ignored else own_colour(outcome, policy)


def own_colour(outcome: Outcome, policy: Policy) -> Colour:
    """What its colour is if the user ignores nothing: what is red by itself is no baseline either."""
    if _is_worse(outcome, policy):
        return Colour.RED
    if outcome.unsupported:
        return Colour.GREY
    if outcome.speed is None or policy.accept_speed:
        return Colour.GREEN
    speed = outcome.speed.verdict
    if speed is Verdict.INCONCLUSIVE:
        return Colour.RED if policy.require_verdict else Colour.YELLOW
    if speed is Verdict.MISSING_BASELINE and policy.require_verdict:
        return Colour.RED
    return Colour.GREEN


def exit_status(outcomes: Iterable[Outcome], policy: Policy) -> Status:
    """Of a whole comparison; one in which nothing could be judged is no success."""
    outcomes = tuple(one for one in outcomes if not one.ignored)
    if any(_is_worse(outcome, policy) for outcome in outcomes):
        return Status.WORSE
    judged = [one for one in outcomes if one.speed and one.speed.verdict in _JUDGED]
    untold = any(colour(outcome, policy) is Colour.RED for outcome in outcomes)
    return Status.UNTOLD if untold or not judged else Status.FINE


def _is_worse(outcome: Outcome, policy: Policy) -> bool:
    """Whether it is slower, costlier, wrong, lost or of other data, and the user did not let that pass."""
    if outcome.failure or outcome.outputs or outcome.kernels:
        return True
    if outcome.lost and not policy.accept_lost:
        return True
    speed = outcome.speed.verdict if outcome.speed else None
    if speed is Verdict.ERROR:
        return True
    return bool(outcome.costs or speed in (Verdict.REGRESSED, Verdict.INCOMPARABLE)) and not policy.accept_speed
