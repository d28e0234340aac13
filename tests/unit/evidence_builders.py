"""Evidence to test with: each builder fills in what its test does not care about."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from builders import ANSWERS, measurement

from perfsuite.records.evidence import (
    AmxBusy,
    Evidence,
    Footprint,
    GraphBreak,
    Graphs,
    Kernel,
    Operator,
    Source,
    Unread,
)
from perfsuite.records.explanation import Contribution, Explanation
from perfsuite.records.isa import Isa
from perfsuite.records.measurement import Measurement
from perfsuite.report.sentences import contribution_sentence

#: What to change in ``kernel()`` for a convolution that lost its precision, another shape, or a reorder.
FP32: dict[str, Any] = {
    "dtype": "fp32",
    "implementation": "jit:avx512_core",
    "isa": Isa.AVX512,
    "tensors": "src:f32:acdb",
}
POINTWISE: dict[str, Any] = {"implementation": "brgconv_1x1:avx512_core_bf16", "problem": "mb1_ic64oc256_ih56oh56kh1"}
REORDER: dict[str, Any] = {"operation": "reorder", "implementation": "jit:uni", "problem": "1x64x56x56", "macs": 0}

_CONVOLUTION = Kernel(
    source=Source.ONEDNN,
    operation="convolution",
    implementation="brg_conv_fwd:avx512_core_bf16",
    isa=Isa.AVX512_BF16,
    dtype="bf16",
    tensors="src:bf16:acdb wei:bf16:Acdb16b dst:bf16:acdb",
    problem="mb1_ic64oc64_ih56oh56kh3sh1dh0ph1_iw56ow56kw3sw1dw0pw1",
    count=1,
    time_s=0.001,
    macs=115_605_504,
)
_OPERATOR = Operator(name="aten::add", shapes="[[1, 64], [1, 64]]", dtypes="float float", count=1, self_time_s=0.001)


def kernel(milliseconds: float = 1.0, **changes: Any) -> Kernel:
    """A bfloat16 convolution that took this long, and ``changes`` to any field; ``macs`` follow ``count``."""
    changes.setdefault("macs", 115_605_504 * changes.get("count", 1))
    return dataclasses.replace(_CONVOLUTION, time_s=milliseconds * 1e-3, **changes)


def operator(name: str = "aten::add", milliseconds: float = 1.0, **changes: Any) -> Operator:
    """An operator that took this long itself."""
    return dataclasses.replace(_OPERATOR, name=name, self_time_s=milliseconds * 1e-3, **changes)


def operator_kernel(name: str = "aten::add", milliseconds: float = 1.0, **changes: Any) -> Kernel:
    """A kernel row that only the profiler tells of: no implementation, no type but those of its inputs."""
    return Kernel(
        source=Source.OPERATOR,
        operation=name,
        implementation="",
        isa=Isa.UNKNOWN,
        dtype="",
        tensors=changes.pop("tensors", "float float"),
        problem=changes.pop("problem", "[[1, 64], [1, 64]]"),
        count=changes.pop("count", 1),
        time_s=milliseconds * 1e-3,
        macs=0,
        **changes,
    )


def graphs(*reasons: str, compiled: int = 1, recompiles: tuple[str, ...] = ()) -> Graphs:
    """One compiled graph, broken once for each reason."""
    return Graphs(
        compiled=compiled,
        breaks=tuple(GraphBreak(reason=reason, count=reasons.count(reason)) for reason in dict.fromkeys(reasons)),
        recompiles=recompiles,
        compile_s=1.0,
    )


def evidence(kernels: Sequence[Kernel] = (), operators: Sequence[Operator] = (), **changes: Any) -> Evidence:
    """What a pass ran; without more said it took as long as its kernels."""
    whole = Evidence(
        kernels=tuple(kernels),
        operators=tuple(operators),
        partitions=(),
        graphs=None,
        libraries=(),
        footprint=Footprint(
            resident_bytes=1 << 27,
            peak_rss_bytes=1 << 28,
            artefact_bytes=None,
            prepare_s=0.3,
            first_inference_s=0.4,
        ),
        unread=Unread(count=0, samples=()),
        amx_busy=AmxBusy(cycles=None, reason="no PMU"),
        stack_answers=ANSWERS,
        model_macs=115_605_504,
        forward_s=sum(kernel.time_s for kernel in kernels),
        threads=4,
    )
    return dataclasses.replace(whole, **changes)


def side(milliseconds: float, *kernels: Kernel, **changes: Any) -> Measurement:
    """A measurement of this latency, whose pass ran these kernels, and ``changes`` to its evidence."""
    changes.setdefault("forward_s", milliseconds * 1e-3)
    return measurement(round(milliseconds * 1e6), evidence=evidence(kernels, **changes))


def only(explanation: Explanation) -> Contribution:
    """The one contribution that there must be."""
    (contribution,) = explanation.contributions
    return contribution


def sentences(explanation: Explanation) -> list[str]:
    """Its contributions in words."""
    return [contribution_sentence(one, explanation.latencies) for one in explanation.contributions]


def said(explanation: Explanation) -> str:
    """The one sentence that there must be."""
    (sentence,) = sentences(explanation)
    return sentence
