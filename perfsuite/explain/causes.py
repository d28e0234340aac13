"""Two measurements -> the causes of their difference, told apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from perfsuite.explain.matching import match, moves_data, types
from perfsuite.explain.notes import instances_changed, notes, threads_changed
from perfsuite.explain.rows import paced_rows, pass_rows
from perfsuite.records.evidence import Evidence, Kernel, Source
from perfsuite.records.explanation import (
    Cause,
    Contribution,
    Explanation,
    GraphChange,
    KernelChange,
    Lack,
    Latencies,
    Outside,
    Setting,
)
from perfsuite.records.measurement import Measurement

#: A cause of less than this share of the difference is named without one (judgement: kernels are
#: timed in a few passes, whose spread inside one worker is 1.4 to 5 %).
LEAST_SHARE = 0.05
#: From this part of a pass on it counts that the same kernels, or what is outside them, took
#: another time (judgement: less is the error of the few observed passes).
_LEAST_DRIFT = 0.01
#: From this part of a pass on an operator or a reorder is worth a word: what an operator needs for
#: a row of its own in the evidence.
_LEAST_CALLS = 0.001


def explain(before: Measurement, after: Measurement) -> Explanation:
    """Why ``after`` is slower or faster than ``before``."""
    instances = instances_changed(before, after)
    # Kernels are seen in one instance: of as many on both sides a pass takes so much longer than the time for each.
    passes = 1 if instances else after.machine.instances
    latencies = Latencies(before_s=before.latency_s * passes, after_s=after.latency_s * passes)
    threads = threads_changed(before, after)
    if instances:
        found = [Contribution(cause=Cause.INSTANCES, share=None, delta_s=latencies.delta_s, instances=instances)]
    elif before.evidence is None or after.evidence is None:
        found = list(_without_evidence(before, after, latencies, threads))
    else:
        found = list(_contributions(before.evidence, after.evidence, latencies, threads))
    return Explanation(
        before=before.variant,
        after=after.variant,
        latencies=latencies,
        contributions=tuple(sorted(found, key=_rank)),
        notes=notes(before, after),
    )


def _rank(one: Contribution) -> tuple[bool, bool, bool, float]:
    """Threads first: they slow everything else. Then what explains the difference, what works against it, the rest."""
    share = one.share
    return one.cause is not Cause.THREADS, share is None, share is not None and share < 0, -abs(one.delta_s)


def _without_evidence(
    before: Measurement, after: Measurement, latencies: Latencies, threads: Setting | None
) -> Iterator[Contribution]:
    lack = Lack(before=before.evidence is None, after=after.evidence is None)
    if threads:
        yield Contribution(cause=Cause.THREADS, share=None, delta_s=latencies.delta_s, threads=threads, lack=lack)
    yield Contribution(cause=Cause.NO_EVIDENCE, share=None, delta_s=latencies.delta_s, lack=lack)


def _contributions(
    before: Evidence, after: Evidence, latencies: Latencies, threads: Setting | None
) -> Iterator[Contribution]:
    changes = match(paced_rows(before, latencies.before_s), paced_rows(after, latencies.after_s))
    by_cause: dict[Cause, list[KernelChange]] = defaultdict(list)
    for change in changes:
        by_cause[_cause(change)].append(change)
    outside_s = latencies.delta_s - _sum_s(changes)
    same = by_cause[Cause.SAME_KERNELS]
    graphs = _graph_change(before, after)
    unobserved = not threads and not graphs and _is_unobserved(before, after, _sum_s(same) + outside_s)
    if threads:
        yield replace(_contribution(Cause.THREADS, same, latencies), threads=threads)
    elif not unobserved and _is_drift(_sum_s(same), latencies):
        yield _contribution(Cause.SAME_KERNELS, same, latencies)
    for cause in (Cause.PRECISION, Cause.IMPLEMENTATION):
        moved = by_cause[cause]
        if any(map(_is_kernel, moved)) or _are_worth_a_word(moved, latencies):
            yield _contribution(cause, moved, latencies)
    reorders = by_cause[Cause.REORDERS]
    if _are_worth_a_word(reorders, latencies):
        yield _contribution(Cause.REORDERS, reorders, latencies)
    operators = by_cause[Cause.OPERATORS]
    if graphs:
        # A break costs what it lets run between the graphs: Python, and operators that were fused.
        yield replace(_contribution(Cause.GRAPH, operators, latencies, besides_s=outside_s), graphs=graphs)
        return
    if _are_worth_a_word(operators, latencies):
        yield _contribution(Cause.OPERATORS, operators, latencies)
    rest_s = outside_s + (_sum_s(same) if unobserved else 0.0)
    if _is_drift(rest_s, latencies):
        outside = Outside(observed=not unobserved, compiled=after.graphs is not None)
        yield replace(_contribution(Cause.OUTSIDE, (), latencies, besides_s=rest_s), outside=outside)


def _contribution(
    cause: Cause,
    changes: Sequence[KernelChange],
    latencies: Latencies,
    *,
    besides_s: float = 0.0,
) -> Contribution:
    delta_s = _sum_s(changes) + besides_s
    share = delta_s / latencies.delta_s if latencies.differ else None
    if share is not None and abs(share) < LEAST_SHARE:
        share = None
    return Contribution(cause=cause, share=share, delta_s=delta_s, changes=tuple(changes))


def _cause(change: KernelChange) -> Cause:
    before, after = change.before, change.after
    if before is None or after is None:
        return Cause.REORDERS if moves_data(change.any_side) else Cause.OPERATORS
    if types(before) != types(after):
        return Cause.PRECISION
    if _how(before) != _how(after):
        return Cause.IMPLEMENTATION
    return Cause.SAME_KERNELS


def _how(kernel: Kernel) -> tuple[str, ...]:
    return kernel.operation, kernel.implementation, kernel.isa, kernel.tensors


def _sum_s(changes: Sequence[KernelChange]) -> float:
    return sum(change.delta_s for change in changes)


def _is_drift(delta_s: float, latencies: Latencies) -> bool:
    least_s = max(LEAST_SHARE * abs(latencies.delta_s), _LEAST_DRIFT * latencies.before_s)
    return latencies.differ and abs(delta_s) >= least_s


def _are_worth_a_word(changes: Sequence[KernelChange], latencies: Latencies) -> bool:
    return abs(_sum_s(changes)) >= _LEAST_CALLS * latencies.before_s


def _is_kernel(change: KernelChange) -> bool:
    """A library's kernel, or an operator that multiplies: which of them runs does not vary by itself."""
    return change.any_side.source is not Source.OPERATOR or bool(change.any_side.macs)


def _graph_change(before: Evidence, after: Evidence) -> GraphChange | None:
    """None where TorchDynamo compiled the same, or compiled only one side."""
    if before.graphs is None or after.graphs is None:
        return None
    breaks = before.break_reasons, after.break_reasons
    recompiles = Counter(before.graphs.recompiles), Counter(after.graphs.recompiles)
    compiled = before.graphs.compiled, after.graphs.compiled
    if all(was == now for was, now in (breaks, recompiles, compiled)):
        return None
    return GraphChange(
        more_breaks=tuple((breaks[1] - breaks[0]).elements()),
        fewer_breaks=tuple((breaks[0] - breaks[1]).elements()),
        more_recompiles=tuple((recompiles[1] - recompiles[0]).elements()),
        fewer_recompiles=tuple((recompiles[0] - recompiles[1]).elements()),
        compiled_before=compiled[0],
        compiled_after=compiled[1],
    )


def _is_unobserved(before: Evidence, after: Evidence, rest_s: float) -> bool:
    """Whether the observed workers, which had no harness, lack the ``rest_s`` that no other kernels explain."""
    changes = match(pass_rows(before), pass_rows(after))
    others_s = _sum_s([change for change in changes if _cause(change) is not Cause.SAME_KERNELS])
    observed_s = after.forward_s - before.forward_s - others_s
    # Half: nearer to having had it than to not.
    return abs(observed_s - rest_s) > abs(rest_s) / 2
