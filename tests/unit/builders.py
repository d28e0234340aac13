"""Records to test with: each builder fills in what its test does not care about."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from perfsuite.backends.registry import slug_of
from perfsuite.check.outputs import Answer, Outputs
from perfsuite.models.base import Yields
from perfsuite.records.baseline import Accepted, Baseline
from perfsuite.records.machine import MachineClass, Permission, StackAnswers, Versions
from perfsuite.records.measurement import Block, Digests, Measurement, Replicate, Stack, Stages, Warmup
from perfsuite.records.placement import Choice, Placement, Seat
from perfsuite.records.session import Commit, MachineState, Session
from perfsuite.spec import Mode, Precision, Variant
from perfsuite.store.documents import KEY, head_fields, measurement_fields

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VARIANT = Variant(model="resnet50", backend="ipex", mode=Mode.TORCHSCRIPT, precision=Precision.BF16, workload="latency")
OTHER_VARIANT = dataclasses.replace(VARIANT, model="bert-base")
ONCE_VARIANT = dataclasses.replace(VARIANT, workload="example")

MACHINE = MachineClass(cpu_model="Some Xeon", physical_cores=8, isa=("amx_tile", "avx2"), threads=4)
PLACEMENT = Placement(seats=(Seat(cpus=(0, 1, 2, 3), nodes=(0,)),), choice=Choice.ONLY_NODE)
STACK = Stack(python="3.11.7", packages={"intel-extension-for-pytorch": "2.8.0", "torch": "2.8.0"})
OLD_STACK = Stack(python="3.11.7", packages={"intel-extension-for-pytorch": "2.7.0", "torch": "2.7.0"})
DIGESTS = Digests(weights_sha256="a" * 64, inputs_sha256="b" * 64)
#: A stack with nothing to complain about.
ANSWERS = StackAnswers(
    versions=Versions(python="3.12.0", torch="2.8.0", ipex="2.8.0", numpy="2.1.0"),
    torch_import_error="",
    ipex_import_error="",
    amx_tile=True,
    amx_fp16=False,
    aten_capability="AVX512",
    ipex_isa="AMX",
    ipex_onednn_isa="AMX",
    threads=2,
    openmp_runtimes=("/x/libgomp.so.1",),
    allocator="jemalloc",
    amx_permission=Permission(granted=True, reason=""),
)


def replicate(*latencies_ns: int, steady: bool = True, stages: Stages | None = None) -> Replicate:
    """One worker that timed these iterations, or one of a nanosecond."""
    return Replicate(
        digests=DIGESTS,
        weights_origin="seeded",
        blocks=(Block(latencies_ns=latencies_ns or (1,)),),
        warmup=Warmup(steady=steady, iterations=12, duration_ns=400_000_000),
        stages=stages
        or Stages(start_s=0.1, load_s=0.2, prepare_s=0.3, first_inference_s=0.4, warm_up_s=0.5, timed_s=0.6),
        peak_rss_bytes=1 << 28,
    )


def measurement(*medians_ns: int, **changes: Any) -> Measurement:
    """One replicate for each median, at least one, and ``changes`` to any field."""
    whole = Measurement(
        variant=VARIANT,
        stack=STACK,
        machine=MACHINE,
        digests=DIGESTS,
        weights_origin="seeded",
        environment={"OMP_NUM_THREADS": "4"},
        replicates=tuple(replicate(median_ns) for median_ns in medians_ns or (1,)),
    )
    return dataclasses.replace(whole, **changes)


def session(*measurements: Measurement, begun_at: str = "2026-01-02T03:04:05.678+00:00", **changes: Any) -> Session:
    """A session of these measurements, of the first one's stack, machine class and environment."""
    first = measurements[0] if measurements else measurement(1)
    whole = Session(
        id="",
        begun_at=begun_at,
        perfsuite="1.0",
        commit=Commit(id="aaa"),
        stack=first.stack,
        contents={"torch": "0123456789abcdef"},
        machine=first.machine,
        state=MachineState(node="alder", kernel="6.1.0", load_1min=0.1),
        environment=first.environment,
        settings={"measure_s": 2.0},
        measurements=measurements,
    )
    return dataclasses.replace(whole, **{"id": f"{whole.begun_compact}-1a2b", **changes})


def baseline(
    *measurements: Measurement, stack_slug: str = slug_of(STACK), accepted_at: str | None = "2026-11-01T00:00:00+00:00"
) -> Baseline:
    """A session for each measurement, the newest first; all began when they were accepted."""
    begun_at = accepted_at or "2026-11-01T00:00:00+00:00"
    accepted = tuple(
        Accepted(measurement=one, accepted_at=accepted_at, session=session(one, begun_at=begun_at).head)
        for one in measurements
    )
    return Baseline(accepted=accepted, stack_slug=stack_slug)


def document(*measurements: Measurement, begun_at: str = "2026-01-02T03:04:05.678+00:00", **top: Any) -> dict[str, Any]:
    """A pytest-benchmark document with the keys that its own readers look for, and ``top`` at its top."""
    return {
        "machine_info": {"node": "here", "python_version": "3.11.7", "release": "6.1"},
        "commit_info": {"id": "unversioned", "dirty": False},
        "benchmarks": [
            {
                "group": "resnet50 latency",
                "name": f"test_latency[{one.variant.id}]",
                "fullname": f"perfsuite/suite/test_speed.py::test_latency[{one.variant.id}]",
                "params": {"variant": one.variant.id},
                "param": one.variant.id,
                "extra_info": {KEY: measurement_fields(one)},
                "options": {"timer": "perf_counter_ns in the worker"},
                "stats": {"median": one.latency_s, "rounds": len(one.replicates)},
            }
            for one in measurements
        ],
        "datetime": begun_at,
        "version": "5.3.1",
        KEY: head_fields(session(*measurements, begun_at=begun_at)),
        **top,
    }


def outputs_of(
    values: NDArray[np.float32],
    *,
    yields: Yields = Yields.LOGITS,
    digests: Digests = DIGESTS,
    **answer: Any,
) -> Outputs:
    """The outputs of a model that returns one tensor, at one shape."""
    return Outputs(answers=(Answer(yields=yields, values=values, **answer),), digests=digests)
