"""Plant each fault in a real worker and see that the correctness checks find it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfsuite.errors import StaleArtefactError, WorkerError
from perfsuite.records.violation import Kind, Violation
from perfsuite.report.violations import violation_lines
from perfsuite.spec import Mode, Precision, Variant

if TYPE_CHECKING:
    from perfsuite.measure.rig import Rig


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A fault, the variant it is planted in, and the kinds of violation that it is found by."""

    fault: str
    variant: Variant
    kinds: frozenset[Kind]

    @property
    def id(self) -> str:
        return f"{self.fault}-in-{self.variant.id}"

    def found_by(self, violations: Iterable[Violation]) -> tuple[Violation, ...]:
        """Those that are of the fault; any other shows that something else is wrong."""
        return tuple(violation for violation in violations if violation.kind in self.kinds)


#: Other values than they should be; which of the three figures tells depends on the network.
_FAR = (Kind.SQNR_LOW, Kind.COSINE, Kind.AGREEMENT)


def _in(fault: str, model: str, mode: Mode, precision: Precision, *kinds: Kind, workload: str = "smoke") -> Plant:
    variant = Variant(model=model, backend="ipex", mode=mode, precision=precision, workload=workload)
    return Plant(fault=fault, variant=variant, kinds=frozenset(kinds))


#: Each fault where it is hardest to see among the precisions it can befall.
PLANTS = (
    _in("layer-scaled-5-percent", "resnet50", Mode.TORCHSCRIPT, Precision.FP32, *_FAR),
    _in("layer-scaled-5-percent", "resnet50", Mode.TORCHSCRIPT, Precision.BF16, *_FAR),
    _in("layer-scaled-5-percent", "resnet50", Mode.TORCHSCRIPT, Precision.INT8_STATIC, *_FAR),
    _in("layer-scaled-5-percent", "bert-base", Mode.TORCHSCRIPT, Precision.FP32, *_FAR),
    _in("layer-scaled-5-percent", "bert-base", Mode.TORCHSCRIPT, Precision.BF16, *_FAR),
    _in("layer-dropped", "bert-base", Mode.TORCHSCRIPT, Precision.BF16, *_FAR),
    _in("layer-dropped", "bert-base", Mode.TORCHSCRIPT, Precision.INT8_STATIC, *_FAR),
    _in("layer-dropped", "minilm", Mode.TORCHSCRIPT, Precision.INT8_DYNAMIC, *_FAR),
    _in("channels-swapped", "resnet50", Mode.TORCHSCRIPT, Precision.INT8_STATIC, *_FAR),
    _in("outputs-of-another-input", "resnet50", Mode.TORCHSCRIPT, Precision.INT8_STATIC, *_FAR),
    _in("outputs-of-another-input", "minilm", Mode.TORCHSCRIPT, Precision.INT8_DYNAMIC, *_FAR),
    _in("output-constant", "resnet50", Mode.TORCHSCRIPT, Precision.BF16, *_FAR),
    _in("output-constant", "minilm", Mode.TORCHSCRIPT, Precision.INT8_DYNAMIC, *_FAR),
    _in("output-nan", "bert-base", Mode.TORCHSCRIPT, Precision.BF16, Kind.NOT_FINITE),
    _in("calibration-8x-wide", "resnet50", Mode.TORCHSCRIPT, Precision.INT8_STATIC, *_FAR),
    _in("calibration-8x-narrow", "resnet50", Mode.TORCHSCRIPT, Precision.INT8_STATIC, *_FAR),
    _in("silently-fp32", "resnet50", Mode.TORCHSCRIPT, Precision.BF16, Kind.SQNR_HIGH),
    _in("silently-fp32", "resnet50", Mode.TORCHSCRIPT, Precision.FP16, Kind.SQNR_HIGH),
    _in("silently-fp32", "minilm", Mode.TORCHSCRIPT, Precision.INT8_STATIC, Kind.SQNR_HIGH),
    _in("silently-fp32", "bert-base", Mode.TORCHSCRIPT, Precision.INT8_DYNAMIC, Kind.SQNR_HIGH),
    _in("silently-bf16", "resnet50", Mode.TORCHSCRIPT, Precision.FP16, *_FAR),
    _in("silently-bf16", "minilm", Mode.TORCHSCRIPT, Precision.FP16, *_FAR),
    # The stamp is of the weights, and read before anything of the artefact is.
    _in("artefact-stale", "resnet50", Mode.DEPLOYED, Precision.FP32, Kind.STALE_ARTEFACT),
    _in("length-baked-in", "minilm", Mode.TORCHSCRIPT, Precision.BF16, *_FAR, workload="mixed"),
    _in("artefact-stale-forged-stamp", "resnet50", Mode.DEPLOYED, Precision.INT8_STATIC, *_FAR),
)


def violations(rig: Rig, plant: Plant) -> tuple[Violation, ...]:
    """What the checks object to with the fault planted; WorkerError if they had nothing to look at."""
    try:
        return rig.check(plant.variant, fault=plant.fault).violations
    except StaleArtefactError as error:
        stale = Violation(
            kind=Kind.STALE_ARTEFACT, expected=error.weights_sha256[:12], found=error.artefact_sha256[:12]
        )
        return (stale,)


def run(rig: Rig) -> int:
    """Print what was said of each fault; 1 if one went unseen or its worker failed, 3 if none could be planted."""
    planted = found = 0
    for plant in PLANTS:
        if (support := rig.support(plant.variant)).reason is not None:
            print(f"{plant.id}: not planted: unsupported: {support.reason}")
            continue
        said, seen = _tried(rig, plant)
        planted, found = planted + 1, found + seen
        print(f"{plant.id}: {'found' if seen else 'NOT FOUND'}: {said}", flush=True)
    print(f"{found} of {planted} planted faults found, {len(PLANTS) - planted} have no place in this stack")
    if not planted:
        return 3
    return 0 if found == planted else 1


def _tried(rig: Rig, plant: Plant) -> tuple[str, bool]:
    """What was said with the fault planted, and whether that is of the fault."""
    try:
        said = violations(rig, plant)
    except WorkerError as error:
        return f"the worker failed: {str(error).splitlines()[-1].strip()}", False
    if found := plant.found_by(said):
        return "; ".join(violation_lines(found)), True
    return "; ".join(violation_lines(said)) or "nothing is wrong", False
