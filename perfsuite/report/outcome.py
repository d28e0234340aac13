"""Outcomes in words: a variant's speed and all that is wrong with it."""

from __future__ import annotations

from perfsuite.records.baseline import Baseline, Incomparable, Missing
from perfsuite.records.outcome import Outcome
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.report.baselines import baseline_words, lack_line
from perfsuite.report.confirmation import confirmation_lines
from perfsuite.report.text import milliseconds
from perfsuite.report.violations import violation_lines

_RATED = (Verdict.IMPROVED, Verdict.UNCHANGED, Verdict.INCONCLUSIVE, Verdict.REGRESSED)


def verdict_words(outcome: Outcome) -> str:
    """The verdict, and the one on speed that it hides: ``lost (regressed in speed)``."""
    words = str(outcome.verdict)
    speed = outcome.speed.verdict if outcome.speed else None
    if outcome.verdict is not speed and speed in _RATED:
        words += f" ({speed} in speed)"
    return words


def outcome_lines(outcome: Outcome) -> list[str]:
    """The variant and its verdict, its speed if that was judged, and a line for whatever else is worse."""
    head = f"{outcome.variant.id}: {verdict_words(outcome)}"
    if outcome.speed is not None:
        head += f", {speed_line(outcome.speed)}"
    confirmed = confirmation_lines(outcome.confirmation) if outcome.confirmation else []
    return [head, *(f"  {line}" for line in (*confirmed, *fault_lines(outcome)))]


def fault_lines(outcome: Outcome) -> list[str]:
    """One line for whatever is wrong, lost or costlier, and for why it is ignored."""
    return [
        *(f"failed: {line}" if number == 0 else line for number, line in enumerate(outcome.failure.splitlines())),
        *(f"wrong: {line}" for line in violation_lines(outcome.outputs)),
        *(f"kernels: {line}" for line in violation_lines(outcome.kernels)),
        *(f"lost: {line}" for line in violation_lines(outcome.lost)),
        *(f"costs: {line}" for line in violation_lines(outcome.costs)),
        *([f"unsupported: {outcome.unsupported}"] if outcome.unsupported and not outcome.lost else []),
        *([f"ignored: {outcome.ignored}"] if outcome.ignored else []),
    ]


def speed_line(speed: Speed) -> str:
    """Ratio, interval and both latencies where there are any, and the reason of the verdict."""
    parts = []
    if speed.ratio is not None and speed.candidate_s and speed.baseline_s:
        interval = speed.interval
        bounds = f" [{interval.low:.3f}, {interval.high:.3f}] at {interval.coverage:.0%}" if interval else ""
        parts.append(
            f"ratio {speed.ratio:.3f}{bounds}: {milliseconds(speed.candidate_s)} "
            f"against {milliseconds(speed.baseline_s)}{_of(speed)}"
        )
    parts.append(reason_words(speed))
    return ", ".join(parts)


def _of(speed: Speed) -> str:
    return f" of {baseline_words(speed.baseline)}" if isinstance(speed.baseline, Baseline) else ""


def reason_words(speed: Speed) -> str:
    """Why the verdict on speed is what it is."""
    if isinstance(speed.baseline, Missing | Incomparable):
        return lack_line(speed.baseline)
    matters = f"{speed.matters - 1:.1%}"
    faster = speed.ratio is not None and speed.ratio < 1
    match speed.reason:
        case Reason.BEYOND:
            return f"{'faster' if faster else 'slower'} by more than {matters}"
        case Reason.WITHIN:
            return f"within {matters}"
        case Reason.SLOW_PART:
            part = speed.slow_part
            times = f"{part.low:.2f} to {part.high:.2f} times" if part else "far"
            return f"the slowest quarter of its iterations takes {times} as long"
        case Reason.EDGE:
            return f"{'faster' if faster else 'slower'}, by more or less than {matters}: more measuring would tell"
        case Reason.SPREAD:
            return f"the interval reaches from 1 beyond {matters}: what was measured differs too much"
        case Reason.SINGLE:
            return "cannot be judged: one replicate a side does not show how much replicates differ"
        case Reason.FAR_BEYOND:
            word = "faster" if faster else "slower"
            return f"{word} by more than sessions of one stack ever differed, though by one replicate a side"
        case Reason.TIME:
            return f"the budget ended after {speed.observations} pairs of processes; give it more time (--budget)"
        case Reason.NO_SUSPECT:
            return f"its sessions leave no suspicion that it is slower by {matters} or more"
        case Reason.SAME_SOFTWARE:
            return "nothing of its software is another than in the accepted session"
        case Reason.UNCONFIRMED:
            return f"may be slower by {matters} or more"
        case Reason.OTHER_DATA:
            return "other weights or other inputs were run"
        case Reason.NO_BASELINE:
            return "there is nothing to hold it against"


def outcome_properties(outcome: Outcome) -> dict[str, str | float]:
    """What JUnit's reports have of it beside its test's result; figures are there where they were judged."""
    speed = outcome.speed
    interval = speed.interval if speed else None
    found: dict[str, str | float | None] = {
        "variant": outcome.variant.id,
        "verdict": str(outcome.verdict),
        "latency_s": speed.candidate_s if speed else None,
        "baseline_s": speed.baseline_s if speed else None,
        "ratio": speed.ratio if speed else None,
        "interval_low": interval.low if interval else None,
        "interval_high": interval.high if interval else None,
        "coverage": interval.coverage if interval else None,
        "finding": str(outcome.confirmation.finding) if outcome.confirmation else None,
        "ignored": outcome.ignored or None,
    }
    return {name: value for name, value in found.items() if value is not None}
