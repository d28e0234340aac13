"""Violations in words: nobody else has any for them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from perfsuite.records.isa import Isa
from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.report.costs import cost_statement

#: How many of the things in ``where`` a sentence names before it counts the rest (judgement: one line).
_NAMED = 3
_LEAST_SHOWN = 0.005  # a share of less is rounding of shapes
_AGAINST = {
    Against.EXPECTATION: "expected",
    Against.REFERENCE: "in the FP32 reference",
    Against.BASELINE: "in the baseline",
    Against.BASELINE_REFERENCE: "in the baseline's FP32 reference",
}
#: Where there are several outputs, the subject says which.
_OF_ONE_OUTPUT = frozenset(
    {Kind.NOT_FINITE, Kind.SHAPE, Kind.SQNR_LOW, Kind.SQNR_HIGH, Kind.COSINE, Kind.AGREEMENT, Kind.ARTEFACT}
)
_BASELINE = "baseline"
_REFERENCES = (Against.REFERENCE, Against.BASELINE_REFERENCE)


def violation_lines(violations: Iterable[Violation]) -> list[str]:
    """A sentence each."""
    return [violation_line(violation) for violation in violations]


def violation_line(violation: Violation) -> str:
    """What was found in the place of what, where, and why if anybody knows."""
    of_one = violation.kind in _OF_ONE_OUTPUT and violation.subject not in ("", _BASELINE)
    text = (f"{violation.subject}: " if of_one else "") + _statement(violation) + _instead(violation)
    if violation.where:
        text += f" ({_named(violation.where)})"
    if violation.best and violation.against is Against.EXPECTATION:
        text += f"; {violation.best} on this machine: {violation.why or 'nothing forbids it: unused'}"
    elif violation.why:
        text += f": {violation.why}"
    return text


def _statement(violation: Violation) -> str:
    subject, expected, found = violation.subject, violation.expected, violation.found
    held_against = _AGAINST[violation.against]
    what = "FP32 reference: " if violation.against is Against.BASELINE_REFERENCE else ""
    match violation.kind:
        case Kind.NOT_FINITE if subject == _BASELINE:
            return "the baseline's FP32 reference is not finite: nothing can be held against it"
        case Kind.NOT_FINITE:
            whose = " of the FP32 reference" if violation.against in _REFERENCES else ""
            return f"NaN or infinity in {_figure(found)} value{'' if found == 1 else 's'}{whose}"
        case Kind.OUTPUTS:
            return f"{what}outputs are {found}, {expected} {held_against}"
        case Kind.FIGURE:
            assert isinstance(found, float | int)
            assert isinstance(expected, float | int)
            side = "below" if found < expected else "above" if found > expected else "no number, held against"
            return f"{what}{subject} {_figure(found)} is {side} {_figure(expected)}"
        case Kind.SHAPE:
            return f"{what}outputs have shape {found}, {expected} {held_against}"
        case Kind.SQNR_LOW if found == -math.inf:
            zero = _AGAINST[Against.REFERENCE] if violation.against is Against.EXPECTATION else held_against
            return f"{what}outputs are not zero, and all zero {zero}"
        case Kind.SQNR_LOW:
            return f"{what}SQNR {_db(found)}{_to(violation.against)} is below {_db(expected)}"
        case Kind.SQNR_HIGH:
            return f"SQNR {_db(found)} is above {_db(expected)}: too close to FP32, so the precision was not applied"
        case Kind.COSINE:
            return f"{what}centred cosine {_figure(found)}{_to(violation.against)} is below {_figure(expected)}"
        case Kind.AGREEMENT:
            return f"{what}agreement {_figure(found)}{_to(violation.against)} is below {_figure(expected)}"
        case Kind.DIGEST:
            return f"{subject} are others: digest {found}, {expected} {held_against}"
        case Kind.ARTEFACT:
            return f"the loaded artefact does not answer as the process that saved it did, by up to {_figure(found)}"
        case Kind.STALE_ARTEFACT:
            return f"stale artefact: it was saved from weights {found}, the model's are {expected}"
        case Kind.PRECISION:
            return f"precision lost: {subject} does {_share(found)} of the multiply-accumulates, {_least(violation)}"
        case Kind.ISA:
            told = " that tells its set" if violation.against is Against.EXPECTATION else ""
            where = f"{_share(found)} of the {subject or 'untyped'} work{told} is on {violation.best} or better"
            return f"instruction set lost: {where}, {_least(violation)}"
        case Kind.REQUIRED_ISA:
            return f"--require-isa {subject}"
        case Kind.REFERENCE_KERNELS:
            carried = " and ".join(f"{_share(part.share)} of the {part.name}" for part in violation.parts)
            return f"reference kernels carry {carried}, {_most(violation)}"
        case Kind.GRAPH_BREAKS:
            return f"{found} graph breaks, {_most(violation)}"
        case Kind.COMPILED_GRAPHS:
            return f"{found} compiled graphs, {_least(violation)}"
        case Kind.RECOMPILATIONS:
            return f"{found} recompilations as shapes change, at most {expected} accepted"
        case Kind.CREATIONS:
            return f"oneDNN makes {found} primitives anew in a pass over shapes that it has seen"
        case Kind.UNREAD:
            return f"{_share(found)} of the libraries' lines were not understood, {_most(violation)}"
        case Kind.SUPPORT:
            return "lost: it runs in the baseline and is unsupported here"
        case _:
            return cost_statement(violation)


def _instead(violation: Violation) -> str:
    """Who did the work in the place of a type or a set."""
    if violation.kind not in (Kind.PRECISION, Kind.ISA):
        return ""
    names = {"": "an unknown type", Isa.UNKNOWN: "what does not tell its set"}
    does = [f"{names.get(part.name, part.name)} does {_share(part.share)}" for part in violation.parts]
    if violation.kind is Kind.PRECISION and isinstance(violation.found, float | int):
        unattributed = 1 - violation.found - sum(part.share for part in violation.parts)
        does += [f"{_share(unattributed)} is unattributed"] if unattributed >= _LEAST_SHOWN else []
    return f"; {', '.join(does)}" if does else ""


def _least(violation: Violation) -> str:
    if violation.against is Against.EXPECTATION:
        return f"expected at least {_amount(violation)}"
    return f"{_amount(violation)} {_AGAINST[violation.against]}"


def _most(violation: Violation) -> str:
    if violation.against is Against.EXPECTATION:
        return f"at most {_amount(violation)} accepted"
    return f"{_amount(violation)} {_AGAINST[violation.against]}"


def _amount(violation: Violation) -> str:
    counted = violation.kind in (Kind.GRAPH_BREAKS, Kind.COMPILED_GRAPHS)
    return str(violation.expected) if counted else _share(violation.expected)


def _to(against: Against) -> str:
    return {Against.BASELINE: " to the baseline's outputs", Against.BASELINE_REFERENCE: " to the baseline's"}.get(
        against, ""
    )


def _share(value: float | str | None) -> str:
    return f"{value:.1%}" if isinstance(value, float | int) else str(value)


def _db(value: float | str | None) -> str:
    return f"{value:.1f} dB" if isinstance(value, float | int) else str(value)


def _figure(value: float | str | None) -> str:
    return f"{value:.6g}" if isinstance(value, float | int) else str(value)


def _named(where: tuple[str, ...]) -> str:
    rest = len(where) - _NAMED
    return "; ".join(where[:_NAMED]) + (f"; {rest} more kinds" if rest > 0 else "")
