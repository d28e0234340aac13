"""Evidence -> everything that took time in one pass, each call once."""

from __future__ import annotations

from dataclasses import replace

from perfsuite.evidence.operators import hosts_library
from perfsuite.records.evidence import Evidence, Kernel, Operator, Source
from perfsuite.records.isa import Isa

#: A whole TorchScript method, a whole compiled graph, and the evidence's sum of small operators.
_SUMS = ("forward", "CompiledFxGraph", "(others)")


def pass_rows(evidence: Evidence) -> list[Kernel]:
    """The kernels, and the operators too small for a row among them, on the same scale of time.

    Left out is what only runs other code: operators whose own time contains a library's kernels,
    and PyTorch's own steps around a compiled region. What those take beyond the kernels is time
    outside the kernels.
    """
    rows = [kernel for kernel in evidence.kernels if not _is_glue(kernel.operation)]
    operations = {kernel.operation for kernel in evidence.kernels}
    listed = {(kernel.operation, kernel.problem, kernel.tensors) for kernel in rows}
    small = [
        operator
        for operator in evidence.operators
        if (operator.name, operator.shapes, operator.dtypes) not in listed
        and not _is_glue(operator.name)
        and not hosts_library(operator.name, operations)
    ]
    scale = _scale(rows, small, evidence.forward_s)
    return rows + [_row(operator, scale) for operator in small]


def paced_rows(evidence: Evidence, latency_s: float) -> list[Kernel]:
    """The same, of a pass that takes ``latency_s``.

    The worker that was observed need not have been the one that was timed, nor the machine as fast: what the kernels
    take of its pass they take of the other.
    """
    if not evidence.forward_s:
        return pass_rows(evidence)
    pace = latency_s / evidence.forward_s
    return [replace(row, time_s=row.time_s * pace) for row in pass_rows(evidence)]


def _is_glue(name: str) -> bool:
    # Operators and kernels have no spaces in their names; "Torch-Compiled Region: 0/0" has.
    return " " in name or name in _SUMS


def _scale(rows: list[Kernel], small: list[Operator], forward_s: float) -> float:
    """The profiler makes small operators look slow: together they fit into what the rows leave of a pass."""
    left_s = max(0.0, forward_s - sum(kernel.time_s for kernel in rows))
    self_time_s = sum(operator.self_time_s for operator in small)
    return min(1.0, left_s / self_time_s) if self_time_s else 1.0


def _row(operator: Operator, scale: float) -> Kernel:
    return Kernel(
        source=Source.OPERATOR,
        operation=operator.name,
        implementation="",
        isa=Isa.UNKNOWN,
        dtype="",
        tensors=operator.dtypes,
        problem=operator.shapes,
        count=operator.count,
        time_s=operator.self_time_s * scale,
        macs=0,
    )
