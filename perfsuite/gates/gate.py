"""Evidence x expectation x machine -> what is not as expected. These checks know no noise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from perfsuite.evidence.coverage import Coverage, coverage
from perfsuite.gates.expectations import Expectation
from perfsuite.gates.facts import LEAST_SHARE, kernel_name, names, other_types, parts, reference_calls, reference_parts
from perfsuite.gates.offer import Offer, amx, at_least, offer
from perfsuite.gates.shapes import shape_violations
from perfsuite.machine.cpu import Cpu
from perfsuite.records.evidence import Evidence
from perfsuite.records.isa import Isa
from perfsuite.records.violation import Against, Kind, Violation

#: Variables that switch TorchDynamo off if they are 1 (torch/_dynamo/config.py and eval_frame.py, 2.8).
_DYNAMO_SWITCHES = ("TORCHDYNAMO_DISABLE", "TORCH_COMPILE_DISABLE")
#: As much of a pass as the gates let be of no known type (``least_share``): two header lines of a new
#: form beside ResNet50's 54 kernels stay below it, one kernel's line in each of three passes does not.
_UNREAD_SHARE = 0.05


def violations(
    evidence: Evidence,
    expected: Expectation,
    *,
    cpu: Cpu,
    environ: Mapping[str, str],
    require_amx: bool,
) -> tuple[Violation, ...]:
    """Each expectation that the kernels do not meet; ``environ`` is the worker's.

    A model that multiplies nothing has no type and no instruction set to lose.
    """
    found = coverage(evidence)
    asks = bool(expected.dtype and found.total_macs)
    offered = offer(expected.dtype, cpu, environ, evidence.stack_answers) if asks else None
    return (
        *(_precision(evidence, found, expected) if offered and offered.best is not Isa.GENERIC else ()),
        *(_isa(evidence, found, expected, offered) if offered and expected.least_best_isa_share else ()),
        *(_required_amx(evidence, expected, offered, cpu, environ) if offered and require_amx else ()),
        *_reference(evidence, found, expected),
        *_graph_breaks(evidence, expected),
        *_compiled_graphs(evidence, expected, environ),
        *shape_violations(evidence, expected, environ),
    )


def losses(before: Evidence, after: Evidence, expected: Expectation) -> tuple[Violation, ...]:
    """What the baseline's kernels did and these do not, though both may still be within bounds.

    Nothing here depends on times, which are judged elsewhere.
    """
    was, now = coverage(before), coverage(after)
    return (
        *(_lost_precision(after, was, now, expected.dtype) if expected.dtype else ()),
        *_lost_isas(after, was, now),
        *_more_reference(before, after, was, now),
        *_more_unread(after, was, now),
        *_more_breaks(before, after),
        *_lost_graphs(before, after),
    )


def new_violations(before: Iterable[Violation], after: Iterable[Violation]) -> tuple[Violation, ...]:
    """What ``after`` violates and ``before`` does not, by what each is about."""
    known = {violation.key for violation in before}
    return tuple(violation for violation in after if violation.key not in known)


def _precision(evidence: Evidence, found: Coverage, expected: Expectation) -> Iterator[Violation]:
    if found.of_dtype(expected.dtype) < expected.least_share:
        yield Violation(
            kind=Kind.PRECISION,
            expected=expected.least_share,
            found=found.of_dtype(expected.dtype),
            subject=expected.dtype,
            where=names(k for k in evidence.kernels if k.macs and k.dtype != expected.dtype),
            parts=other_types(found, expected.dtype),
        )


def _isa(evidence: Evidence, found: Coverage, expected: Expectation, offered: Offer) -> Iterator[Violation]:
    """Of the type's work only what tells its instruction set is asked.

    Where none does, nothing is, unless a variable has switched the best set off: what then runs tells nothing at all
    (BERT's BF16 in x64:gemm:jit, under ONEDNN_MAX_CPU_ISA).
    """
    told = {isa: share for isa, share in found.by_isa(expected.dtype).items() if isa is not Isa.UNKNOWN}
    # What may be of another type altogether does not speak for the rest.
    untold = sum(told.values()) <= 1 - expected.least_share
    switched_off = offered.obstacle is not None and offered.obstacle.variable
    if offered.best is Isa.GENERIC or (untold and not switched_off):
        return
    if untold:
        weak = {Isa.UNKNOWN: 1.0}
    else:
        weak = {isa: share / sum(told.values()) for isa, share in told.items() if not at_least(isa, offered.best)}
    if (best := 1 - sum(weak.values())) < expected.least_best_isa_share:
        yield Violation(
            kind=Kind.ISA,
            expected=expected.least_best_isa_share,
            found=best,
            subject=expected.dtype,
            where=names(k for k in evidence.kernels if k.macs and k.dtype == expected.dtype and k.isa in weak),
            parts=parts(weak.items()),
            best=offered.best,
            why=offered.obstacle.reason if offered.obstacle else "",
            variable=offered.obstacle.variable if offered.obstacle else "",
        )


def _required_amx(
    evidence: Evidence, expected: Expectation, offered: Offer, cpu: Cpu, environ: Mapping[str, str]
) -> Iterator[Violation]:
    """AMX is asked for: it must at least be there."""
    if expected.least_best_isa_share and expected.dtype in ("bf16", "int8") and offered.best is not Isa.AMX:
        capability = amx(expected.dtype, cpu, environ, evidence.stack_answers)
        yield Violation(
            kind=Kind.REQUIRED_ISA,
            expected=Isa.AMX,
            found=offered.best,
            subject=Isa.AMX,
            why=capability.reason,
            variable=capability.variable,
        )


def _reference(evidence: Evidence, found: Coverage, expected: Expectation) -> Iterator[Violation]:
    carried = reference_parts(found)
    share = max(part.share for part in carried)
    if share > expected.most_reference_share:
        yield Violation(
            kind=Kind.REFERENCE_KERNELS,
            expected=expected.most_reference_share,
            found=share,
            where=names(kernel for kernel in evidence.kernels if kernel.reference),
            parts=carried,
        )


def _graph_breaks(evidence: Evidence, expected: Expectation) -> Iterator[Violation]:
    # A frame that is compiled again breaks again.
    again = expected.recompilations if math.isfinite(expected.recompilations) else 0
    most = int(expected.graph_breaks * (1 + again))
    if (count := evidence.break_reasons.total()) > most:
        yield Violation(
            kind=Kind.GRAPH_BREAKS,
            expected=most,
            found=count,
            where=tuple(reason for reason, _ in evidence.break_reasons.most_common()),
        )


def _compiled_graphs(evidence: Evidence, expected: Expectation, environ: Mapping[str, str]) -> Iterator[Violation]:
    if evidence.compiled_graphs < expected.least_compiled_graphs:
        switch = next((name for name in _DYNAMO_SWITCHES if environ.get(name) == "1"), "")
        yield Violation(
            kind=Kind.COMPILED_GRAPHS,
            expected=expected.least_compiled_graphs,
            found=evidence.compiled_graphs,
            why=switch and f"switched off by {switch}=1",
            variable=switch,
        )


def _lost_precision(after: Evidence, was: Coverage, now: Coverage, dtype: str) -> Iterator[Violation]:
    if was.of_dtype(dtype) - now.of_dtype(dtype) > LEAST_SHARE:
        yield Violation(
            kind=Kind.PRECISION,
            expected=was.of_dtype(dtype),
            found=now.of_dtype(dtype),
            against=Against.BASELINE,
            subject=dtype,
            where=names(k for k in after.kernels if k.macs and k.dtype != dtype),
            parts=other_types(now, dtype),
        )


def _lost_isas(after: Evidence, was: Coverage, now: Coverage) -> Iterator[Violation]:
    """Of each type the strongest set whose work, with what stronger ones do, became less.

    Less of the type's own work, all of it, for what no longer tells its set may have lost it; and less of
    the whole, so that work that came from another type takes nothing away.
    """
    for dtype in was.by_dtype():
        sides = was.by_isa(dtype), now.by_isa(dtype)
        of_all = was.of_dtype(dtype), now.of_dtype(dtype)
        for isa in (isa for isa in Isa if isa in sides[0] and isa is not Isa.UNKNOWN):
            before, found = (sum(share for one, share in side.items() if at_least(one, isa)) for side in sides)
            if min((before - found) * of_all[1], before * of_all[0] - found * of_all[1]) > LEAST_SHARE:
                weak = {one: share for one, share in sides[1].items() if not at_least(one, isa)}
                yield Violation(
                    kind=Kind.ISA,
                    expected=before,
                    found=found,
                    against=Against.BASELINE,
                    subject=dtype,
                    where=names(k for k in after.kernels if k.macs and k.dtype == dtype and k.isa in weak),
                    parts=parts(weak.items()),
                    best=isa,
                )
                break


def _more_reference(before: Evidence, after: Evidence, was: Coverage, now: Coverage) -> Iterator[Violation]:
    """More calls of a kind, or more of the work in as many; of the time they take more when a neighbour does."""
    more = reference_calls(after.kernels) - reference_calls(before.kernels)
    if more or now.of_work(now.reference_macs) - was.of_work(was.reference_macs) > LEAST_SHARE:
        kernels = (kernel for kernel in after.kernels if kernel.reference and (not more or kernel_name(kernel) in more))
        yield Violation(
            kind=Kind.REFERENCE_KERNELS,
            expected=max(part.share for part in reference_parts(was)),
            found=max(part.share for part in reference_parts(now)),
            against=Against.BASELINE,
            where=names(kernels),
            parts=reference_parts(now),
        )


def _more_unread(after: Evidence, was: Coverage, now: Coverage) -> Iterator[Violation]:
    if now.unread - was.unread > _UNREAD_SHARE:
        yield Violation(
            kind=Kind.UNREAD,
            expected=was.unread,
            found=now.unread,
            against=Against.BASELINE,
            where=after.unread.samples,
        )


def _more_breaks(before: Evidence, after: Evidence) -> Iterator[Violation]:
    was, now = before.break_reasons, after.break_reasons
    if now.total() > was.total():
        yield Violation(
            kind=Kind.GRAPH_BREAKS,
            expected=was.total(),
            found=now.total(),
            against=Against.BASELINE,
            where=tuple(reason for reason, _ in (now - was).most_common()),
        )


def _lost_graphs(before: Evidence, after: Evidence) -> Iterator[Violation]:
    """None where there were some; how many there are is how a version cuts the same code, unless it breaks it."""
    if before.compiled_graphs and not after.compiled_graphs:
        yield Violation(kind=Kind.COMPILED_GRAPHS, expected=before.compiled_graphs, found=0, against=Against.BASELINE)
