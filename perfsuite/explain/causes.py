"""Two measurements -> the causes of their difference, told apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from perfsuite.explain import sentences
from perfsuite.explain.matching import match, moves_data, types
from perfsuite.explain.notes import notes, threads_changed
from perfsuite.explain.rows import pass_rows
from perfsuite.records.evidence import Evidence, Kernel, Source
from perfsuite.records.explanation import Cause, Explanation, Finding, KernelChange, Latencies
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
    latencies = Latencies(before_s=before.latency_s, after_s=after.latency_s)
    threads = threads_changed(before, after)
    if before.evidence is None or after.evidence is None:
        findings = list(_without_evidence(before, after, latencies, threads))
    else:
        findings = list(_findings(before.evidence, after.evidence, latencies, threads))
    return Explanation(
        before=before.variant,
        after=after.variant,
        latencies=latencies,
        findings=tuple(sorted(findings, key=_rank)),
        notes=notes(before, after),
    )


def _rank(finding: Finding) -> tuple[bool, bool, bool, float]:
    """Threads first: they slow everything else. Then what explains the difference, what works against it, the rest."""
    share = finding.share
    return finding.cause is not Cause.THREADS, share is None, share is not None and share < 0, -abs(finding.delta_s)


def _without_evidence(before: Measurement, after: Measurement, latencies: Latencies, threads: str) -> Iterator[Finding]:
    if threads:
        yield Finding(cause=Cause.THREADS, share=None, delta_s=latencies.delta_s, sentence=threads)
    both = before.evidence is None and after.evidence is None
    side = "either side" if both else "the first" if before.evidence is None else "the second"
    yield Finding(
        cause=Cause.NO_EVIDENCE,
        share=None,
        delta_s=latencies.delta_s,
        sentence=f"nothing is stored of the kernels that ran in {side}: "
        "`pytest --benchmark-only` stores them with what it measures",
    )


def _findings(before: Evidence, after: Evidence, latencies: Latencies, threads: str) -> Iterator[Finding]:
    changes = match(pass_rows(before), pass_rows(after))
    by_cause: dict[Cause, list[KernelChange]] = defaultdict(list)
    for change in changes:
        by_cause[_cause(change)].append(change)
    outside_s = latencies.delta_s - _sum_s(changes)
    same = by_cause[Cause.SAME_KERNELS]
    if threads:
        text = f"{threads}: {sentences.same_kernels(same)}" if same else threads
        yield _finding(Cause.THREADS, same, latencies, text)
    elif _is_drift(_sum_s(same), latencies):
        yield _finding(Cause.SAME_KERNELS, same, latencies, sentences.same_kernels(same))
    for cause in (Cause.PRECISION, Cause.IMPLEMENTATION):
        moved = by_cause[cause]
        if any(map(_is_kernel, moved)) or _are_worth_a_word(moved, latencies):
            yield _finding(cause, moved, latencies, sentences.moved(moved))
    reorders = by_cause[Cause.REORDERS]
    if _are_worth_a_word(reorders, latencies):
        yield _finding(Cause.REORDERS, reorders, latencies, sentences.only_one_side(reorders, "reorders"))
    operators = by_cause[Cause.OPERATORS]
    graphs = sentences.graph_changes(before.graphs, after.graphs)
    if graphs:
        # A break costs what it lets run between the graphs: Python, and operators that were fused.
        text = f"{graphs}, and with it what runs outside the kernels"
        if operators:
            text += f" and {sentences.only_one_side(operators, 'calls')}"
        yield _finding(Cause.GRAPH, operators, latencies, text, besides_s=outside_s)
        return
    if _are_worth_a_word(operators, latencies):
        yield _finding(Cause.OPERATORS, operators, latencies, sentences.only_one_side(operators, "calls"))
    if _is_drift(outside_s, latencies):
        yield _finding(Cause.OUTSIDE, (), latencies, _outside(before, after, outside_s), besides_s=outside_s)


def _finding(
    cause: Cause, changes: Sequence[KernelChange], latencies: Latencies, text: str, *, besides_s: float = 0.0
) -> Finding:
    delta_s = _sum_s(changes) + besides_s
    share = delta_s / latencies.delta_s if latencies.differ else None
    if share is not None and abs(share) < LEAST_SHARE:
        share = None
    return Finding(
        cause=cause,
        share=share,
        delta_s=delta_s,
        sentence=sentences.account(share, delta_s, latencies, text),
        changes=tuple(changes),
    )


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


def _outside(before: Evidence, after: Evidence, outside_s: float) -> str:
    """Whether the observing worker, which times passes without the harness, saw it as well."""
    seen_s = [evidence.forward_s - sum(row.time_s for row in pass_rows(evidence)) for evidence in (before, after)]
    # Half: nearer to having seen it than to not.
    if abs(seen_s[1] - seen_s[0] - outside_s) > abs(outside_s) / 2:
        return (
            "in no kernel, and not in the worker that observed them: the harness, or the machine while it was timed; "
            "measure again"
        )
    unsaid = "" if after.graphs is None else ", or code that TorchDynamo's backend compiled and no library reports"
    return f"in no kernel: Python and PyTorch's own steps between them{unsaid}"
