"""The end of a timing run, in words: what was judged, what was not and why, and how to accept."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from perfsuite.records.baseline import Acceptance, Baseline, Incomparable, Missing
from perfsuite.records.chore import Chore
from perfsuite.records.measurement import Failure, Measurement
from perfsuite.records.outcome import Outcome
from perfsuite.records.pair import Pair
from perfsuite.records.speed import Verdict
from perfsuite.report.baselines import acceptance_lines, baseline_lines
from perfsuite.report.confirmation import suspicion_lines
from perfsuite.report.outcome import outcome_lines
from perfsuite.report.text import variant_names
from perfsuite.report.throughput import throughput_lines
from perfsuite.spec import Support, Variant

#: What stands in a line of its own: what moved, what is wrong and what could not be told.
_TOLD = (Verdict.IMPROVED, Verdict.INCONCLUSIVE, Verdict.REGRESSED, Verdict.LOST, Verdict.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a timing run came to. ``untimed`` was asked for and is unsupported; ``resumed`` counts older replicates.

    ``unmeasured`` are those whose workers failed: ``--resume`` measures them again.

    ``baselines`` is the folder's name, ``wall_s`` what measuring and checking took, ``chores`` what of it went where
    beside the timed workers, and ``pairs`` were stepped side by side.
    """

    outcomes: Mapping[Variant, Outcome]
    results: Mapping[Variant, Measurement | Failure]
    untimed: Mapping[Variant, Support]
    resumed: Mapping[Variant, int]
    unmeasured: frozenset[Variant]
    acceptance: Acceptance | None
    not_accepted: str | None
    baselines: str
    confirm: str
    pairs: Sequence[Pair]
    wall_s: float
    chores: Mapping[Chore, float]


def timing_lines(timing: Timing) -> list[str]:
    """The whole section."""
    outcomes = list(timing.outcomes.values())
    measured = [result for result in timing.results.values() if isinstance(result, Measurement)]
    return [
        *_verdict_lines([outcome for outcome in outcomes if not outcome.ignored]),
        *suspicion_lines(outcomes, timing.confirm),
        *ignored_lines(outcomes),
        *_nothing_timed_lines(timing),
        *baseline_lines(_found(outcomes), timing.baselines),
        *(acceptance_lines(timing.acceptance) if timing.acceptance else ()),
        *([timing.not_accepted] if timing.not_accepted else ()),
        *throughput_lines(measured),
        *unsteady_lines(measured),
        *_resumed_lines(timing),
        *_unmeasured_lines(timing),
        *([wall_time_line(timing)] if timing.results else ()),
    ]


def _verdict_lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    counts = Counter(outcome.verdict for outcome in outcomes)
    if counts:
        yield "verdicts: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    yield from (f"  {outcome_lines(outcome)[0]}" for outcome in outcomes if outcome.verdict in _TOLD)


def ignored_lines(outcomes: Sequence[Outcome]) -> list[str]:
    """What the user's settings let pass, reason by reason, and what came of each all the same."""
    by_reason: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.ignored:
            by_reason[outcome.ignored].append(outcome)
    lines = []
    for reason, hidden in by_reason.items():
        lines.append(f"ignored ({len(hidden)}): {reason}")
        for outcome in hidden:
            head, *faults = outcome_lines(dataclasses.replace(outcome, ignored=""))
            lines += [f"  {head}", *(f"  {fault}" for fault in faults)]
    return lines


def _nothing_timed_lines(timing: Timing) -> Iterator[str]:
    if timing.results or not timing.untimed:
        return
    yield f"nothing was timed: all {len(timing.untimed)} variants that were asked for are unsupported, so the run fails"
    reasons: dict[str, int] = defaultdict(int)
    for support in timing.untimed.values():
        reasons[support.reason or ""] += 1
    yield from (f"  {count} of them: {reason}" for reason, count in reasons.items())


def _found(outcomes: Sequence[Outcome]) -> list[Baseline | Missing | Incomparable]:
    baselines = (outcome.speed.baseline for outcome in outcomes if outcome.speed)
    return [baseline for baseline in baselines if baseline is not None]


def unsteady_lines(measurements: Sequence[Measurement]) -> list[str]:
    """The variants that were timed before they were warm, as far as anybody can tell."""
    found = [m.variant for m in measurements if not m.steady]
    return [f"never steady while warming up ({len(found)}): {variant_names(found)}"] if found else []


def _resumed_lines(timing: Timing) -> Iterator[str]:
    if resumed := sum(timing.resumed.values()):
        total = sum(len(one.replicates) for one in timing.results.values() if isinstance(one, Measurement))
        yield f"{resumed} of {total} replicates were measured by the run that was resumed"


def _unmeasured_lines(timing: Timing) -> Iterator[str]:
    if timing.unmeasured:
        names = variant_names(sorted(timing.unmeasured, key=lambda variant: variant.id))
        yield f"--resume keeps what was measured, and tries again what failed ({len(timing.unmeasured)}): {names}"


def wall_time_line(timing: Timing) -> str:
    """Where the run's wall time went; inside the models is timed, warm-up and first inference."""
    wall_s = max(timing.wall_s, 1e-9)
    stages = [
        replicate.stages
        for variant, one in timing.results.items()
        if isinstance(one, Measurement)
        for replicate in one.replicates[timing.resumed.get(variant, 0) :]
    ]
    stages += [side.stages for pair in timing.pairs for side in (pair.baseline, pair.candidate)]
    timed_s = sum(stage.timed_s for stage in stages)
    warm_up_s = sum(stage.warm_up_s for stage in stages)
    first_s = sum(stage.first_inference_s for stage in stages)
    outside = {
        "preparing": sum(stage.prepare_s for stage in stages),
        "loading": sum(stage.load_s for stage in stages),
        **{chore.value: spent_s for chore, spent_s in timing.chores.items()},
    }
    inside_s = timed_s + warm_up_s + first_s
    outside["other"] = max(0.0, wall_s - inside_s - sum(outside.values()))
    rest = ", ".join(f"{name} {share:.0%}" for name, seconds in outside.items() if (share := seconds / wall_s) >= 0.005)
    return (
        f"wall time {wall_s:.0f} s: inside the models {inside_s / wall_s:.0%} (timed {timed_s / wall_s:.0%}, "
        f"warm-up {warm_up_s / wall_s:.0%}, first inference with compilation {first_s / wall_s:.0%}), {rest}"
    )
