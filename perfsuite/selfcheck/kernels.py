"""Plant what makes a stack stop using the silicon, and see that gate and explanation name it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perfsuite.explain.causes import explain
from perfsuite.machine.cpu import read_cpu
from perfsuite.machine.isa import capabilities, missing
from perfsuite.measure.rig import Rig
from perfsuite.records.explanation import Cause, Explanation
from perfsuite.records.measurement import Block, Digests, Measurement, Replicate, Stages, Warmup
from perfsuite.records.violation import Kind, Violation
from perfsuite.spec import Mode, Precision, Variant

if TYPE_CHECKING:
    from perfsuite.records.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """One thing planted, where, what the gate must find of it and what the explanation must name.

    ``gate`` is None where the gate has nothing to object to, ``cause`` where a pass takes no longer. ``takes`` is the
    capability that the plant takes away: a machine without it has nothing to lose.
    """

    name: str
    variant: Variant
    gate: Kind | None
    cause: Cause | None
    fault: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    halve_threads: bool = False
    takes: str | None = None

    @property
    def id(self) -> str:
        return f"{self.name}-in-{self.variant.id}"

    def is_found_by(self, violation: Violation) -> bool:
        """Whether the violation is this plant's: of its kind, and where a variable does it, by that variable."""
        return violation.kind is self.gate and (not self.environment or violation.variable in self.environment)


def _variant(backend: str, model: str, mode: Mode, precision: Precision, workload: str = "smoke") -> Variant:
    return Variant(model=model, backend=backend, mode=mode, precision=precision, workload=workload)


def _capped(isa: str, takes: str, model: str, precision: Precision) -> Plant:
    return Plant(
        name=isa,
        variant=_variant("ipex", model, Mode.TORCHSCRIPT, precision),
        gate=Kind.ISA,
        cause=Cause.IMPLEMENTATION,
        environment={"ONEDNN_MAX_CPU_ISA": isa},
        takes=takes,
    )


_RESNET50 = _variant("ipex", "resnet50", Mode.TORCHSCRIPT, Precision.FP32)
_STOCK_INT8 = _variant("stock", "minilm", Mode.DYNAMO, Precision.INT8_STATIC)
#: Of a small model 16 primitives are enough for one shape, and not for eight.
_MIXED = _variant("ipex", "minilm", Mode.TORCHSCRIPT, Precision.BF16, "mixed")

PLANTS = (
    _capped("AVX512_CORE", "avx512-bf16", "resnet50", Precision.BF16),
    _capped("AVX512_CORE", "avx512-vnni", "resnet50", Precision.INT8_STATIC),
    _capped("AVX512_CORE", "avx512-bf16", "bert-base", Precision.BF16),
    _capped("AVX512_CORE", "avx512-vnni", "bert-base", Precision.INT8_STATIC),
    _capped("AVX512_CORE_VNNI", "avx512-bf16", "resnet50", Precision.BF16),
    _capped("AVX512_CORE_VNNI", "avx512-bf16", "bert-base", Precision.BF16),
    _capped("SSE41", "avx2", "resnet50", Precision.FP32),
    _capped("SSE41", "avx2", "resnet50", Precision.INT8_STATIC),
    Plant(
        name="quantiser-applied-to-nothing",
        variant=_STOCK_INT8,
        gate=Kind.PRECISION,
        cause=Cause.PRECISION,
        fault="quantiser-applied-to-nothing",
    ),
    Plant(
        name="weights-left-float",
        variant=_variant("stock", "minilm", Mode.DYNAMO, Precision.INT8_WEIGHT_ONLY),
        gate=Kind.PRECISION,
        cause=Cause.PRECISION,
        fault="weights-left-float",
    ),
    Plant(
        name="int8-fusions-not-registered",
        variant=_STOCK_INT8,
        gate=Kind.PRECISION,
        cause=Cause.PRECISION,
        fault="int8-fusions-not-registered",
    ),
    Plant(
        name="graph-break",
        variant=_variant("ipex", "resnet50", Mode.DYNAMO, Precision.FP32),
        gate=Kind.GRAPH_BREAKS,
        cause=Cause.GRAPH,
        fault="graph-break",
    ),
    Plant(
        name="channels-last-reorder",
        variant=_RESNET50,
        gate=None,
        cause=Cause.REORDERS,
        fault="channels-last-reorder",
    ),
    Plant(
        name="primitive-cache-of-16",
        variant=_MIXED,
        gate=Kind.CREATIONS,
        cause=None,
        environment={"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16"},
    ),
    Plant(name="memory-leak", variant=_MIXED, gate=Kind.MEMORY_GROWTH, cause=None, fault="memory-leak"),
    Plant(name="halved-threads", variant=_RESNET50, gate=None, cause=Cause.THREADS, halve_threads=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What gate and explanation made of a plant."""

    violations: tuple[Violation, ...]
    explanation: Explanation

    def found(self, plant: Plant) -> bool:
        gate = plant.gate is None or any(map(plant.is_found_by, self.violations))
        named = plant.cause is None or any(one.cause is plant.cause for one in self.explanation.contributions)
        return gate and named


def obstacle(rig: Rig, plant: Plant) -> str | None:
    """Why the plant has no place in this stack on this machine; None if it has."""
    if (support := rig.support(plant.variant)).reason is not None:
        return f"unsupported: {support.reason}"
    if plant.takes and (lacking := missing(plant.takes, capabilities(read_cpu(), {}, None))):
        return f"this machine has no {plant.takes} to take away: {lacking[0].reason}"
    return None


@contextmanager
def planted(rig: Rig, plant: Plant) -> Iterator[Rig]:
    """The rig that the plant runs in: another one where the environment or the threads differ."""
    if not plant.environment and not plant.halve_threads:
        yield rig
        return
    settings = rig.settings
    if plant.halve_threads:
        settings = dataclasses.replace(settings, threads=max(1, rig.placement.threads // 2))
    with Rig(settings, environ={**rig.environ, **plant.environment}) as other:
        yield other


def check(rig: Rig, other: Rig, plant: Plant) -> Outcome:
    """Observe the variant as it is and with the plant in it."""
    before = rig.evidence(plant.variant)
    after = other.evidence(plant.variant, fault=plant.fault)
    return Outcome(
        violations=other.objections(plant.variant, after),
        explanation=explain(_measurement(rig, plant.variant, before), _measurement(other, plant.variant, after)),
    )


def _measurement(rig: Rig, variant: Variant, evidence: Evidence) -> Measurement:
    """The observing worker's own pass in the place of a timed replicate."""
    foot = evidence.footprint
    digests, origin = Digests(weights_sha256="", inputs_sha256=""), rig.weights_origin(variant.model)
    replicate = Replicate(
        digests=digests,
        weights_origin=origin,
        blocks=(Block(latencies_ns=(round(evidence.forward_s * 1e9),)),),
        warmup=Warmup(steady=False, iterations=0, duration_ns=0),
        stages=Stages(
            start_s=0.0,
            load_s=0.0,
            prepare_s=foot.prepare_s,
            first_inference_s=foot.first_inference_s,
            warm_up_s=0.0,
            timed_s=evidence.forward_s,
        ),
        peak_rss_bytes=foot.peak_rss_bytes,
    )
    return Measurement(
        variant=variant,
        stack=rig.stack,
        machine=rig.machine,
        digests=digests,
        weights_origin=origin,
        environment=rig.environment,
        replicates=(replicate,),
        evidence=evidence,
    )


def run(rig: Rig) -> int:
    """Print what was said of each plant; 1 if one went unnamed, 3 if none has a place here."""
    from perfsuite.report.explain import explanation_lines
    from perfsuite.report.violations import violation_lines

    named = missed = 0
    for plant in PLANTS:
        if why := obstacle(rig, plant):
            print(f"{plant.id}: not planted: {why}")
            continue
        with planted(rig, plant) as other:
            outcome = check(rig, other, plant)
        found = outcome.found(plant)
        named, missed = named + found, missed + (not found)
        print(f"{plant.id}: {'named' if found else 'NOT NAMED'}, ratio {outcome.explanation.latencies.ratio:.2f}")
        for line in (*violation_lines(outcome.violations), *explanation_lines(outcome.explanation)):
            print(f"  {line}")
    print(f"{named} of {named + missed} plants named, {len(PLANTS) - named - missed} have no place here")
    if missed:
        return 1
    return 0 if named else 3
