"""Causes, changes and notes of explanations in words that a person can act on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from perfsuite.explain.matching import types
from perfsuite.machine.fingerprint import differences
from perfsuite.records.evidence import Kernel
from perfsuite.records.explanation import (
    Cause,
    Contribution,
    GraphChange,
    KernelChange,
    Lack,
    Latencies,
    Notes,
    Outside,
    Setting,
)
from perfsuite.report.text import milliseconds

#: How many kinds a sentence names (judgement: it is to be read at a glance; the table has them all).
_NAMED = 2
_COUNTABLE = ("convolution", "deconvolution", "matmul", "inner_product", "reorder")
#: Bits of what is multiplied, to tell which of two types is the wider.
_BITS = {"int8": 8, "bf16": 16, "fp16": 16, "fp32": 32, "fp64": 64}
_REASON_CHARS = 80  # judgement: a graph break's reason may hold a whole stack trace
_MOST = 0.75  # judgement: of the time, for "each slower" to be a fair word


def milliseconds_change(seconds: float) -> str:
    """With a sign, three figures from 0.1 ms on, and no exponent."""
    value = float(f"{seconds * 1e3:.3g}")
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:+z.{digits}f} ms"


def contribution_sentence(one: Contribution, latencies: Latencies) -> str:
    """What part of the difference is which cause, and the facts that show it."""
    text = _facts(one)
    if one.lack:
        return text
    if one.share is None:
        return f"{text} ({milliseconds_change(one.delta_s)})"
    word = "slowdown" if latencies.delta_s > 0 else "speed-up"
    figures = f"({milliseconds_change(one.delta_s)} of {milliseconds_change(latencies.delta_s)})"
    if one.share < 0:
        return f"against the {word} {figures}: {text}"
    percent = round(one.share * 100)
    part = f"{percent} % of the {word}" if percent <= 100 else f"more than all of the {word}"
    return f"{part} {figures} is {text}"


def note_lines(notes: Notes) -> list[str]:
    """One for each of: variables, packages, machine, weights and inputs, unread lines of a side."""
    packages = [_setting(setting) for setting in notes.packages]
    if others := notes.other_packages:
        packages.append(f"{others} more" if packages else f"{others}, none of them decisive")
    named = {"variables": [_setting(setting) for setting in notes.variables], "packages": packages}
    lines = [f"{topic}: {', '.join(settings)}" for topic, settings in named.items() if settings]
    if notes.machines:
        lines.append(f"machine: {'; '.join(differences(*notes.machines))}")
    if notes.other_digests:
        lines.append("weights or inputs: their digests differ, so that the work itself may")
    if notes.observed_s:
        first, second = map(milliseconds, notes.observed_s)
        lines.append(
            f"kernels: observed while a pass took {first} in the first and {second} in the second; their times are "
            "scaled to the passes as timed"
        )
    for side, count in (("first", notes.unread_before), ("second", notes.unread_after)):
        if count:
            lines.append(f"evidence: {count} lines of the {side} were not understood, so that kernels may be missing")
    return lines


def moved(changes: Sequence[KernelChange]) -> str:
    """For calls that now run other kernels: how many of what, from which to which."""
    groups: dict[str, list[tuple[Kernel, Kernel]]] = defaultdict(list)
    times_s: dict[str, float] = defaultdict(float)
    for change in changes:
        if change.before and change.after:
            groups[change.before.operation].append((change.before, change.after))
            times_s[change.before.operation] += change.delta_s
    ordered = sorted(groups, key=lambda operation: -abs(times_s[operation]))
    parts = [_moved_group(operation, groups[operation]) for operation in ordered[:_NAMED]]
    if rest := sum(before.count for operation in ordered[_NAMED:] for before, _ in groups[operation]):
        parts.append(f"{rest} other calls")
    return "; ".join(parts)


def only_one_side(changes: Sequence[KernelChange], noun: str) -> str:
    """For calls that only one side made: what was added, and what is gone."""
    ordered = sorted(changes, key=lambda change: -abs(change.delta_s))
    added = _counts(c.after for c in ordered if c.after)
    gone = _counts(c.before for c in ordered if c.before)
    if added and gone:
        return f"other {noun}: {added}, where before {gone}"
    return f"{noun} that did not run before: {added}" if added else f"{noun} that no longer run: {gone}"


def calls(operation: str, count: int) -> str:
    """``53 convolutions``, ``12 calls of aten::add``."""
    if operation in _COUNTABLE:
        return _plural(count, operation.replace("_", " "))
    return f"{_plural(count, 'call')} of {operation}"


def label(kernel: Kernel) -> str:
    return kernel.implementation or kernel.operation


def labels(before: Kernel, after: Kernel) -> tuple[str, str]:
    """What tells the two apart: operation, implementation, types, and else instruction set or layout."""
    names = [label(before), label(after)]
    if before.operation != after.operation:
        names = [" ".join(filter(None, (k.operation, k.implementation))) for k in (before, after)]
    if types(before) != types(after):
        names = [f"{name} ({types(k) or 'untold type'})" for name, k in zip(names, (before, after), strict=True)]
    elif names[0] == names[1]:
        details: tuple[str, str] = (before.isa, after.isa)
        if before.isa == after.isa:
            words = before.tensors.split(), after.tensors.split()
            details = _without(words[0], words[1]), _without(words[1], words[0])
        if details[0] != details[1]:
            names = [f"{name} ({detail or 'without'})" for name, detail in zip(names, details, strict=True)]
    return names[0], names[1]


def _facts(one: Contribution) -> str:
    if one.instances:
        return f"{one.instances.name}: {one.instances.after} in place of {one.instances.before}"
    if one.threads:
        return f"{_threads(one.threads)}: {_same_kernels(one.changes)}" if one.changes else _threads(one.threads)
    if one.graphs:
        operators = f" and {only_one_side(one.changes, 'calls')}" if one.changes else ""
        return f"{_graphs(one.graphs)}, and with it what runs outside the kernels{operators}"
    if one.outside:
        return _outside(one.outside)
    if one.lack:
        return _lack(one.lack)
    match one.cause:
        case Cause.SAME_KERNELS:
            return _same_kernels(one.changes)
        case Cause.PRECISION | Cause.IMPLEMENTATION:
            return moved(one.changes)
        case Cause.REORDERS:
            return only_one_side(one.changes, "reorders")
        case _:
            return only_one_side(one.changes, "calls")


def _threads(setting: Setting) -> str:
    return f"{setting.after} thread{'' if setting.after == '1' else 's'} in place of {setting.before}"


def _setting(setting: Setting) -> str:
    before, after = ("unset" if value is None else value for value in (setting.before, setting.after))
    return f"{setting.name} {after} (was {before})"


def _outside(outside: Outside) -> str:
    if not outside.observed:
        return (
            "not in the workers whose kernels were observed: the harness, or the machine while it was timed; "
            "measure again"
        )
    unsaid = ", or code that TorchDynamo's backend compiled and no library reports" if outside.compiled else ""
    return f"in no kernel: Python and PyTorch's own steps between them{unsaid}"


def _lack(lack: Lack) -> str:
    side = "either side" if lack.before and lack.after else "the first" if lack.before else "the second"
    return (
        f"nothing is stored of the kernels that ran in {side}: "
        "`pytest --benchmark-only` stores them with what it measures"
    )


def _graphs(change: GraphChange) -> str:
    parts = [
        f"{_plural(len(reasons), noun)} ({_shortened(reasons[0])})"
        for noun, reasons in (
            ("more graph break", change.more_breaks),
            ("fewer graph break", change.fewer_breaks),
            ("more recompilation", change.more_recompiles),
            ("fewer recompilation", change.fewer_recompiles),
        )
        if reasons
    ]
    if not parts:
        parts = [f"{_plural(change.compiled_after, 'compiled graph')} in place of {change.compiled_before}"]
    return "; ".join(parts)


def _shortened(reason: str) -> str:
    text = " ".join(reason.split())
    return text if len(text) <= _REASON_CHARS else f"{text[: _REASON_CHARS - 3]}..."


def _same_kernels(changes: Sequence[KernelChange]) -> str:
    """For the same calls of the same kernels: how much longer or shorter they took."""
    before_s = sum(change.before.time_s for change in changes if change.before)
    delta_s = sum(change.delta_s for change in changes)
    along = [change for change in changes if change.delta_s * delta_s > 0]
    along_s = sum(change.before.time_s for change in along if change.before)
    count, some = (sum(change.any_side.count for change in part) for part in (changes, along))
    word = "slower" if delta_s > 0 else "faster"
    if not along:
        return f"the same {count} calls of the same kernels, as fast as before"
    if along_s >= _MOST * before_s:
        times = f", {1 + delta_s / before_s:.2f} times as long" if before_s else ""
        return f"the same {count} calls of the same kernels, each {word}{times}"
    first = max(along, key=lambda change: abs(change.delta_s)).any_side
    return f"{some} of {count} calls of the same kernels, {word}; first of all {label(first)} on {first.problem}"


def _moved_group(operation: str, pairs: Sequence[tuple[Kernel, Kernel]]) -> str:
    sources: Counter[str] = Counter()
    targets: Counter[str] = Counter()
    for before, after in pairs:
        source, target = labels(before, after)
        sources[source] += before.count
        targets[target] += after.count
    text = f"{calls(operation, sources.total())} that moved from {_names(sources)} to {_names(targets)}"
    lost = {b.dtype for b, a in pairs if 0 < _BITS.get(b.dtype, 0) < _BITS.get(a.dtype, 0)}
    if lost:
        text += f": {' and '.join(sorted(lost))} lost"
    if any(after.reference and not before.reference for before, after in pairs):
        text += ", a slow reference implementation"
    return text


def _names(counts: Counter[str]) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    named = [f"{name} ({count})" for name, count in counts.most_common(_NAMED)]
    return " and ".join(named) + (f" and {len(counts) - _NAMED} more" if len(counts) > _NAMED else "")


def _counts(kernels: Iterable[Kernel]) -> str:
    counts: Counter[str] = Counter()
    for kernel in kernels:
        counts[kernel.operation] += kernel.count
    named = [calls(operation, count) for operation, count in list(counts.items())[:_NAMED]]
    rest = sum(list(counts.values())[_NAMED:])
    return ", ".join(named) + (f" and {_plural(rest, 'other call')}" if rest else "")


def _without(words: list[str], others: list[str]) -> str:
    return " ".join(word for word in words if word not in others)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
