"""Both sides' outputs and evidence, each from a worker that is not timed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfsuite.gates.expectations import expectation
from perfsuite.gates.gate import violations
from perfsuite.machine.cpu import read_cpu
from perfsuite.records.comparison import Examination, Inspection
from perfsuite.records.pair import Pairing

if TYPE_CHECKING:
    from perfsuite.check.outputs import Outputs
    from perfsuite.measure.rig import Rig
    from perfsuite.spec import Variant


def examine(pairing: Pairing, baseline: Rig, candidate: Rig) -> Examination:
    """Hold outputs against FP32's and the candidate's against the baseline's; WorkerError if one side fails."""
    import numpy as np

    from perfsuite.check.outputs import measure

    (before, examined_before), (after, examined_after) = (
        _examined(variant, rig) for variant, rig in ((pairing.baseline, baseline), (pairing.candidate, candidate))
    )
    agreement = measure(
        before.values.astype(np.float64),
        after.values.astype(np.float64),
        after.mask,
        candidate.models[pairing.candidate.model].yields,
    )
    return Examination(pairing=pairing, baseline=examined_before, candidate=examined_after, agreement=agreement)


def _examined(variant: Variant, rig: Rig) -> tuple[Outputs, Inspection]:
    outputs = rig.outputs(variant)
    finding = rig.judged(variant, outputs)
    evidence = rig.evidence(variant)
    lost = violations(
        evidence,
        expectation(variant, rig.models[variant.model].reads),
        cpu=read_cpu(),
        environ=rig.worker_environment,
        require_amx=rig.settings.require_isa == "amx",
    )
    return outputs, Inspection(accuracy=finding.accuracy, wrong=finding.violations, lost=lost, evidence=evidence)
