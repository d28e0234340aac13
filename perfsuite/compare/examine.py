"""Both sides' outputs and evidence, each from a worker that is not timed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfsuite.machine.cpu import read_cpu
from perfsuite.records.comparison import Examination, Inspection
from perfsuite.records.pair import Pairing

if TYPE_CHECKING:
    from perfsuite.check.outputs import Outputs
    from perfsuite.measure.rig import Rig
    from perfsuite.records.accuracy import Accuracy
    from perfsuite.records.violation import Violation
    from perfsuite.spec import Variant


def examine(pairing: Pairing, baseline: Rig, candidate: Rig) -> Examination:
    """Hold outputs against FP32's and the candidate's against the baseline's; WorkerError if one side fails."""
    from perfsuite.check.outputs import hold_against_baseline, hold_references

    (before, examined_before), (after, examined_after) = (
        _examined(variant, rig) for variant, rig in ((pairing.baseline, baseline), (pairing.candidate, candidate))
    )
    agreement: Accuracy | None = None
    wrong: tuple[Violation, ...] = ()
    if before.digests == after.digests:
        variant = pairing.candidate
        figures = candidate.models[variant.model].figures
        kind = candidate.weights_kind(variant.model)
        of_both = baseline.reference(pairing.baseline), candidate.reference(variant)
        references = hold_references(*of_both, figures=figures)
        held = hold_against_baseline(variant, before, after, weights_kind=kind, flags=read_cpu().flags)
        agreement = held.accuracy
        # What differs from wrong outputs may be right.
        wrong = references.violations + (() if examined_before.wrong else held.violations)
    return Examination(
        pairing=pairing, baseline=examined_before, candidate=examined_after, agreement=agreement, wrong=wrong
    )


def _examined(variant: Variant, rig: Rig) -> tuple[Outputs, Inspection]:
    outputs = rig.outputs(variant)
    correctness = rig.judged(variant, outputs)
    evidence = rig.evidence(variant)
    return outputs, Inspection(
        accuracy=correctness.accuracy,
        wrong=correctness.violations,
        lost=rig.objections(variant, evidence),
        evidence=evidence,
        digests=outputs.digests,
    )
