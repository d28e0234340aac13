"""Plant each fault in a real worker and see that the correctness checks find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfsuite.errors import WorkerError
from perfsuite.spec import Mode, Precision, Variant

if TYPE_CHECKING:
    from perfsuite.measure.rig import Rig


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A fault and the variant it is planted in."""

    fault: str
    variant: Variant

    @property
    def id(self) -> str:
        return f"{self.fault}-in-{self.variant.id}"


def _in(fault: str, model: str, mode: Mode, precision: Precision) -> Plant:
    variant = Variant(model=model, backend="ipex", mode=mode, precision=precision, workload="smoke")
    return Plant(fault=fault, variant=variant)


#: Each fault where it is hardest to see among the precisions it can befall.
PLANTS = (
    _in("layer-scaled-5-percent", "resnet50", Mode.TORCHSCRIPT, Precision.FP32),
    _in("layer-scaled-5-percent", "resnet50", Mode.TORCHSCRIPT, Precision.BF16),
    _in("layer-scaled-5-percent", "resnet50", Mode.TORCHSCRIPT, Precision.INT8_STATIC),
    _in("layer-scaled-5-percent", "bert-base", Mode.TORCHSCRIPT, Precision.FP32),
    _in("layer-scaled-5-percent", "bert-base", Mode.TORCHSCRIPT, Precision.BF16),
    _in("layer-dropped", "bert-base", Mode.TORCHSCRIPT, Precision.BF16),
    _in("layer-dropped", "bert-base", Mode.TORCHSCRIPT, Precision.INT8_STATIC),
    _in("layer-dropped", "minilm", Mode.TORCHSCRIPT, Precision.INT8_DYNAMIC),
    _in("channels-swapped", "resnet50", Mode.TORCHSCRIPT, Precision.INT8_STATIC),
    _in("outputs-of-another-input", "resnet50", Mode.TORCHSCRIPT, Precision.INT8_STATIC),
    _in("outputs-of-another-input", "minilm", Mode.TORCHSCRIPT, Precision.INT8_DYNAMIC),
    _in("output-constant", "resnet50", Mode.TORCHSCRIPT, Precision.BF16),
    _in("output-constant", "minilm", Mode.TORCHSCRIPT, Precision.INT8_DYNAMIC),
    _in("output-nan", "bert-base", Mode.TORCHSCRIPT, Precision.BF16),
    _in("calibration-8x-wide", "resnet50", Mode.TORCHSCRIPT, Precision.INT8_STATIC),
    _in("calibration-8x-narrow", "resnet50", Mode.TORCHSCRIPT, Precision.INT8_STATIC),
    _in("silently-fp32", "resnet50", Mode.TORCHSCRIPT, Precision.BF16),
    _in("silently-fp32", "minilm", Mode.TORCHSCRIPT, Precision.INT8_STATIC),
    _in("silently-fp32", "bert-base", Mode.TORCHSCRIPT, Precision.INT8_DYNAMIC),
    _in("artefact-stale", "resnet50", Mode.DEPLOYED, Precision.INT8_STATIC),
    _in("artefact-stale-forged-stamp", "resnet50", Mode.DEPLOYED, Precision.INT8_STATIC),
)


def evidence(rig: Rig, plant: Plant) -> str | None:
    """What the checks say of the planted fault; None if they say nothing."""
    try:
        finding = rig.check(plant.variant, fault=plant.fault)
    except WorkerError as error:
        return str(error).splitlines()[-1].strip()
    return "; ".join(finding.violations) or None


def run(rig: Rig) -> int:
    """Print the table; 1 if a fault went unseen."""
    from rich.console import Console
    from rich.table import Table

    table = Table("planted fault", "in", "found by", show_lines=True)
    missed = 0
    for plant in PLANTS:
        said = evidence(rig, plant)
        missed += said is None
        table.add_row(plant.fault, plant.variant.id, said or "[bold red]NOT FOUND")
    for column in table.columns[:2]:
        column.no_wrap = True
    Console().print(table)
    print(f"{len(PLANTS) - missed} of {len(PLANTS)} planted faults found")
    return 1 if missed else 0
