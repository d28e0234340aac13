"""OpenVINO's profile, as 2026.4.1 told it of real models on two cores with AMX, read into kernels."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import ANSWERS
from evidence_builders import evidence
from test_machine_isa import AMX

from perfsuite.evidence.coverage import coverage
from perfsuite.evidence.layers import Layer, Port, layer_kernels, read_layers
from perfsuite.gates.expectations import expectation
from perfsuite.gates.gate import losses, violations
from perfsuite.models.base import Reads
from perfsuite.records.evidence import Evidence, Kernel, Source
from perfsuite.records.isa import Isa
from perfsuite.records.violation import Kind, Violation
from perfsuite.spec import Mode, Precision, Variant

#: Layers that differ in nothing but their time stand there once, with their ``count`` and their mean.
_CAPTURED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("openvino_profile.json").read_text())
_SHORT = {name: name.removesuffix("-smoke").replace("-openvino-deployed", "") for name in _CAPTURED}


def _layers(name: str) -> list[Layer]:
    told = _CAPTURED[name]["layers"]
    fields = [{key: value for key, value in one.items() if key != "count"} for one in told]
    counts = [one["count"] for one in told]
    return [layer for layer, count in zip(read_layers(fields), counts, strict=True) for _ in range(count)]


def _kernels(name: str, **changes: float) -> list[Kernel]:
    whole = {key: _CAPTURED[name][key] for key in ("duration_s", "forward_s")}
    return layer_kernels(_layers(name), **{**whole, **changes})


def _evidence(name: str) -> Evidence:
    said = _CAPTURED[name]
    return evidence(_kernels(name), forward_s=said["forward_s"], model_macs=said["model_macs"], stack_answers=ANSWERS)


def _variant(name: str) -> Variant:
    (precision,) = (one for one in Precision if name.endswith(f"-{one}-smoke"))
    return Variant(
        model=name.partition("-")[0], backend="openvino", mode=Mode.DEPLOYED, precision=precision, workload="smoke"
    )


def _violations(name: str, found: Evidence) -> tuple[Violation, ...]:
    reads = Reads.IMAGES if name.startswith("resnet50") else Reads.TEXT
    expected = expectation(_variant(name), reads)
    return violations(found, expected, cpu=AMX, environ={}, require_amx=False)


@pytest.mark.parametrize(
    ("name", "dtype", "isas"),
    [
        ("minilm-openvino-deployed-fp32-smoke", "fp32", {Isa.UNKNOWN, Isa.AVX512}),
        ("minilm-openvino-deployed-bf16-smoke", "bf16", {Isa.AMX}),
        ("minilm-openvino-deployed-int8-static-smoke", "int8", {Isa.AMX}),
        ("minilm-openvino-deployed-int8-dynamic-smoke", "int8", {Isa.AVX512_VNNI}),
        ("resnet50-openvino-deployed-int8-static-smoke", "int8", {Isa.AMX}),
    ],
    ids=_SHORT.values(),
)
def test_a_real_profile_accounts_for_the_model_in_its_type(name: str, dtype: str, isas: set[Isa]) -> None:
    found = _evidence(name)
    seen = coverage(found)
    # Attention's products are in groups that do not tell; of a convolutional network nothing is.
    assert seen.of_dtype(dtype) > (0.999 if name.startswith("resnet50") else 0.98)
    assert seen.total_macs == _CAPTURED[name]["model_macs"]
    assert set(seen.by_isa(dtype)) == isas
    assert sum(kernel.count for kernel in found.kernels) == sum(one["count"] for one in _CAPTURED[name]["layers"])
    assert {kernel.source for kernel in found.kernels} == {Source.OPENVINO}
    assert not any(kernel.reference for kernel in found.kernels)
    assert _violations(name, found) == ()


def test_what_lost_its_tiles_or_its_type_is_named() -> None:
    name = "minilm-openvino-deployed-bf16-smoke"
    for old, new, kinds in (
        ("avx512_amx_bf16", "avx512_bf16", {Kind.ISA}),
        ("avx512_amx_bf16", "avx512_f32", {Kind.PRECISION}),
        ("brgemm_avx512_amx_bf16", "ref_bf16", {Kind.ISA, Kind.REFERENCE_KERNELS}),
    ):
        layers = [
            Layer(**{**_fields(one), "implementation": one.implementation.replace(old, new)}) for one in _layers(name)
        ]
        said = _CAPTURED[name]
        kernels = layer_kernels(layers, duration_s=said["duration_s"], forward_s=said["forward_s"])
        worse = evidence(kernels, forward_s=said["forward_s"], model_macs=said["model_macs"], stack_answers=ANSWERS)
        assert {violation.kind for violation in _violations(name, worse)} == kinds, new
        assert losses(_evidence(name), worse, expectation(_variant(name), Reads.TEXT))


def _fields(layer: Layer) -> dict[str, Any]:
    return {name: getattr(layer, name) for name in Layer.__slots__}


def test_times_are_those_of_a_pass_without_counters() -> None:
    name = "resnet50-openvino-deployed-int8-static-smoke"
    whole_s = sum(layer.time_s for layer in _layers(name))
    for duration_s, forward_s, expected_s in (
        (2 * whole_s, 2 * whole_s, whole_s),
        (2 * whole_s, whole_s, whole_s / 2),
        (0.0, whole_s / 4, whole_s / 4),  # no pass is shorter than its layers
    ):
        kernels = _kernels(name, duration_s=duration_s, forward_s=forward_s)
        assert sum(kernel.time_s for kernel in kernels) == pytest.approx(expected_s)


def _layer(kind: str, implementation: str, *shapes: tuple[int, ...], group: int = 0, members: int = 1) -> Layer:
    *inputs, out = (Port(dtype="f32", shape=shape) for shape in shapes)
    return Layer(
        kind=kind,
        implementation=implementation,
        inputs=tuple(inputs),
        outputs=(out,),
        members=members,
        quantisation_group=group,
        time_s=0.001,
    )


@pytest.mark.parametrize(
    ("layer", "macs"),
    [
        (_layer("Convolution", "brgconv_avx512_f32", (2, 3, 8, 8), (16, 3, 3, 3), (2, 16, 6, 6)), 2 * 16 * 36 * 27),
        # Depthwise: groups, out, in, height, width.
        (_layer("Convolution", "jit_avx512_f32", (1, 32, 8, 8), (32, 1, 1, 3, 3), (1, 32, 6, 6)), 32 * 36 * 9),
        (_layer("Convolution", "jit_avx512_f32", (1, 8, 16), (4, 8, 3), (1, 4, 14)), 4 * 14 * 24),
        (_layer("FullyConnected", "brgemm_avx512_f32", (2, 5, 8), (16, 8), (2, 5, 16)), 2 * 5 * 16 * 8),
        (_layer("FullyConnectedCompressed", "brgemm_avx512_f32", (4, 8), (16, 8), (4, 16)), 4 * 16 * 8),
        (_layer("MatMul", "brgemm_avx512_f32", (2, 3, 4, 5), (2, 3, 5, 6), (2, 3, 4, 6)), 2 * 3 * 4 * 6 * 5),
        # Either side transposed, a batch of one broadcast.
        (_layer("MatMul", "brgemm_avx512_f32", (2, 4, 5), (1, 6, 5), (2, 4, 6)), 2 * 4 * 6 * 5),
        (_layer("MatMul", "brgemm_avx512_f32", (2, 5, 4), (2, 5, 6), (2, 4, 6)), 2 * 4 * 6 * 5),
        (_layer("MatMul", "brgemm_avx512_f32", (4, 4), (4, 4), (4, 4)), 64),
        (_layer("MatMul", "brgemm_avx512_f32", (5,), (5, 6), (6,)), None),
        (_layer("Convolution", "jit_avx512_f32", (-1, 3, 8, 8), (16, 3, 3, 3), (-1, 16, 6, 6)), None),
        (_layer("Convolution", "jit_avx512_f32", (1, 3, 8, 8)), None),
        (_layer("Subgraph", "jit_avx512_f32", (1, 4), (1, 4), members=7), None),
        (_layer("Subgraph", "jit_avx512_f32", (1, 4), (1, 4)), 0),
        (_layer("MaxPool", "jit_avx512_f32", (1, 4, 8, 8), (1, 4, 4, 4)), 0),
    ],
)
def test_multiply_accumulates_follow_from_shapes(layer: Layer, macs: int | None) -> None:
    (kernel,) = layer_kernels([layer], duration_s=0.001, forward_s=0.001)
    assert kernel.macs == macs
    assert [twice.macs for twice in layer_kernels([layer, layer], duration_s=0.001, forward_s=0.001)] == [
        None if macs is None else 2 * macs
    ]


@pytest.mark.parametrize(
    ("implementation", "group", "dtype", "isa", "reference"),
    [
        ("brgemm_avx512_amx_bf16", 0, "bf16", Isa.AMX, False),
        ("brgemm_avx512_amx_I8", 0, "int8", Isa.AMX, False),
        ("brgemm_avx512_amx_f16", 0, "fp16", Isa.AMX, False),
        # Names do not tell these from AVX-512.
        ("brgemm_avx512_I8", 0, "int8", Isa.AVX512_VNNI, False),
        ("jit_gemm_avx512_bf16", 0, "bf16", Isa.AVX512_BF16, False),
        ("brgemm_avx512_f32", 0, "fp32", Isa.AVX512, False),
        ("brgemm_avx512_f32", 32, "int8", Isa.AVX512_VNNI, False),
        ("brgemm_avx512_amx_bf16", 32, "bf16", Isa.AMX, False),
        ("brgemm_avx2_u8", 0, "int8", Isa.AVX_VNNI, False),
        ("jit_avx2_f32", 0, "fp32", Isa.AVX2, False),
        ("jit_sse42_f32", 0, "fp32", Isa.SSE41, False),
        ("gemm_mlas_f32", 0, "fp32", Isa.UNKNOWN, False),
        ("ref_any_f32", 0, "fp32", Isa.GENERIC, True),
        ("undef", 0, "", Isa.UNKNOWN, False),
    ],
)
def test_an_implementation_tells_type_and_instruction_set(
    implementation: str, group: int, dtype: str, isa: Isa, reference: bool
) -> None:
    layer = _layer("FullyConnectedCompressed", implementation, (4, 8), (16, 8), (4, 16), group=group)
    (kernel,) = layer_kernels([layer], duration_s=0.001, forward_s=0.001)
    assert (kernel.dtype, kernel.isa, kernel.reference) == (dtype, isa, reference)


def test_a_group_means_nothing_to_weights_that_are_not_compressed() -> None:
    layer = _layer("FullyConnected", "brgemm_avx512_f32", (4, 8), (16, 8), (4, 16), group=32)
    (kernel,) = layer_kernels([layer], duration_s=0.001, forward_s=0.001)
    assert kernel.dtype == "fp32"


@pytest.mark.parametrize("missing", ["kind", "implementation", "inputs", "time_s", "quantisation_group"])
def test_an_answer_that_is_not_whole_is_none(missing: str) -> None:
    (said, *_) = _CAPTURED["minilm-openvino-deployed-bf16-smoke"]["layers"]
    with pytest.raises((KeyError, TypeError)):
        read_layers([{key: value for key, value in said.items() if key not in ("count", missing)}])
