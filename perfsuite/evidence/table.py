"""Lines of libraries and operators of the profiler -> the kernel table of one pass."""

from __future__ import annotations

import dataclasses
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from perfsuite.evidence import lines, mkl
from perfsuite.evidence.operators import (
    hosts_graph,
    hosts_library,
    is_attention,
    multiplies_silently,
    operator_dtype,
    operator_macs,
)
from perfsuite.records.evidence import Kernel, Operator, Source
from perfsuite.records.isa import Isa

#: An operator outside the libraries with less of a pass than this has no row of its own
#: (judgement: 200 such rows would be a fifth of the pass, and no pass has so many).
_LEAST_SHARE = 0.001
_DTYPES = {"f32": "fp32", "f16": "fp16", "f64": "fp64"}

_Key = tuple[str, str, str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What the libraries said in one forward pass, and how long it took but for saying it."""

    primitives: lines.Log
    calls: mkl.Log
    duration_s: float


def library_kernels(passes: Sequence[Pass], threads: int, *, forward_s: float) -> list[Kernel]:
    """The rows of the last pass, with the median over passes of their times.

    Each pass's times are those of a pass that takes ``forward_s``: from one second to the next a
    shared machine is up to half as fast, and what kernels then seem to cost is the neighbour's.
    """
    if not passes:
        return []
    tables = [_paced(_of_pass(one.primitives, one.calls, threads), one.duration_s, forward_s) for one in passes]
    rows = []
    for key, kernel in tables[-1].items():
        times_s = [table[key].time_s for table in tables if key in table]
        rows.append(dataclasses.replace(kernel, time_s=statistics.median(times_s)))
    return rows


def _paced(table: dict[_Key, Kernel], duration_s: float, forward_s: float) -> dict[_Key, Kernel]:
    # No pass is shorter than its kernels, whatever its lines cost.
    whole_s = max(duration_s, sum(kernel.time_s for kernel in table.values()))
    scale = forward_s / whole_s if whole_s > 0 else 1.0
    return {key: dataclasses.replace(kernel, time_s=kernel.time_s * scale) for key, kernel in table.items()}


def _of_pass(log: lines.Log, mkl_log: mkl.Log, threads: int) -> dict[_Key, Kernel]:
    rows: dict[_Key, Kernel] = {}
    for primitive in log.primitives:
        # Threads call micro-kernels side by side: their times add up to more than passed.
        side_by_side = threads if primitive.kind == "brgemm" else 1
        kernel = Kernel(
            source=Source.ONEDNN,
            operation=primitive.kind,
            implementation=primitive.implementation,
            isa=primitive.isa,
            dtype=_DTYPES.get(dtype := primitive.work_dtype or "", dtype),
            tensors=" ".join(f"{t.role}:{t.dtype}:{t.layout}" for t in primitive.tensors),
            problem=primitive.problem,
            count=1,
            time_s=primitive.time_s / side_by_side,
            macs=primitive.macs,
            reference=primitive.is_reference,
        )
        _add(rows, kernel)
    for calls in _beside_one_another(mkl_log.calls):
        first = calls[0]
        by_thread: dict[int, float] = defaultdict(float)
        for call in calls:
            by_thread[call.thread] += call.time_s
        kernel = Kernel(
            source=Source.MKL,
            operation=first.routine,
            implementation="",
            isa=Isa.UNKNOWN,
            dtype=first.dtype,
            tensors="",
            problem=first.problem,
            count=len(calls),
            time_s=max(by_thread.values()),
            macs=None if first.macs is None else first.macs * len(calls),
        )
        _add(rows, kernel)
    return rows


def _beside_one_another(calls: Iterable[mkl.Call]) -> Iterable[list[mkl.Call]]:
    groups: dict[tuple[str, str], list[mkl.Call]] = defaultdict(list)
    for call in calls:
        groups[call.routine, call.problem].append(call)
    return groups.values()


def _add(rows: dict[_Key, Kernel], kernel: Kernel) -> None:
    key = (
        kernel.source.value,
        kernel.operation,
        kernel.implementation,
        kernel.dtype,
        kernel.tensors,
        kernel.problem,
    )
    if key in rows:
        before = rows[key]
        macs = None if before.macs is None or kernel.macs is None else before.macs + kernel.macs
        count, time_s = before.count + kernel.count, before.time_s + kernel.time_s
        kernel = dataclasses.replace(before, count=count, time_s=time_s, macs=macs)
    rows[key] = kernel


def with_operators(
    kernels: Sequence[Kernel], operators: Sequence[Operator], *, model_macs: int, forward_s: float
) -> tuple[Kernel, ...]:
    """The table with what the libraries leave open filled in from the operators.

    Multiply-accumulates that no library line accounts for belong to operators of known shapes none
    of whose calls equals a library call; what is left then belongs to operators that hide their
    shapes. Library rows that do not tell theirs (micro-kernels, batches) are what those operators
    called. Operators that call no library get rows of their own.
    """
    rows = list(kernels)
    silent = _silent(rows, operators, missing=model_macs - sum(kernel.macs or 0 for kernel in rows))
    untold = [
        index for index, kernel in enumerate(rows) if kernel.macs is None and kernel.source is not Source.OPERATOR
    ]
    if silent and untold:
        _tell(rows, untold, silent)
        silent = []
    macs_of = dict(silent)
    families = frozenset(kernel.operation for kernel in rows)
    tells_layers = any(kernel.source is Source.OPENVINO for kernel in rows)
    outside = [
        one
        for one in operators
        if one in macs_of or not (hosts_library(one.name, families) or (tells_layers and hosts_graph(one.name)))
    ]
    scale = _scale(rows, outside, forward_s)
    for operator in outside:
        time_s = operator.self_time_s * scale
        if operator in macs_of or time_s >= _LEAST_SHARE * forward_s:
            rows.append(_row(operator, time_s, macs_of.get(operator, 0)))
    return tuple(sorted(rows, key=lambda kernel: -kernel.time_s))


def _silent(rows: Sequence[Kernel], operators: Sequence[Operator], *, missing: int) -> list[tuple[Operator, int]]:
    """Operators whose multiply-accumulates no library line accounts for, with how many they do."""
    calls = {kernel.macs // kernel.count for kernel in rows if kernel.macs}
    in_mkl = {kernel.dtype for kernel in rows if kernel.source is Source.MKL}
    silent: list[tuple[Operator, int]] = []
    candidates = [(operator, macs) for operator in operators if (macs := operator_macs(operator))]
    for operator, macs in sorted(candidates, key=lambda pair: -pair[1]):
        spoke = operator_dtype(operator) in in_mkl if is_attention(operator) else macs // operator.count in calls
        # A thousandth: shapes round, as padded channels do.
        if macs <= missing * 1.001 and not spoke:
            silent.append((operator, macs))
            missing -= macs
    hidden = [operator for operator in operators if multiplies_silently(operator)]
    hidden_s = sum(operator.self_time_s for operator in hidden)
    if missing > 0 and hidden_s:
        silent += [(operator, round(missing * operator.self_time_s / hidden_s)) for operator in hidden]
    return silent


def _tell(rows: list[Kernel], untold: list[int], silent: list[tuple[Operator, int]]) -> None:
    """Give the rows that do not tell their multiply-accumulates those of the operators, by their times."""
    macs = sum(pair[1] for pair in silent)
    time_s = sum(rows[index].time_s for index in untold)
    for index in untold:
        row = rows[index]
        share = row.time_s / time_s if time_s else 1 / len(untold)
        rows[index] = dataclasses.replace(
            row, macs=round(macs * share), dtype=row.dtype or operator_dtype(silent[0][0])
        )


def _scale(rows: Sequence[Kernel], outside: Sequence[Operator], forward_s: float) -> float:
    """The profiler's cost makes small operators look slow: they share what libraries leave of a pass."""
    outside_s = sum(operator.self_time_s for operator in outside)
    left_s = max(0.0, forward_s - sum(kernel.time_s for kernel in rows))
    return min(1.0, left_s / outside_s) if outside_s else 1.0


def _row(operator: Operator, time_s: float, macs: int) -> Kernel:
    return Kernel(
        source=Source.OPERATOR,
        operation=operator.name,
        implementation="",
        isa=Isa.UNKNOWN,
        dtype=operator_dtype(operator) if macs else "",
        tensors=operator.dtypes,
        problem=operator.shapes,
        count=operator.count,
        time_s=time_s,
        macs=macs,
    )
