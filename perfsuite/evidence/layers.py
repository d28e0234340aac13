"""OpenVINO's profile, layer by layer -> the kernels of one pass. Pure.

It names an implementation by the widest vectors it uses, by the tiles where it has them, and by the type that it
computes in: ``brgconv_avx512_amx_1x1_bf16``, ``jit_avx512_f32``, ``gemm_mlas_f32``, ``ref_any_f32``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from perfsuite.records.evidence import Kernel, Source
from perfsuite.records.isa import Isa, isa_of

#: Spelt in capitals where all of a layer's types are these.
_DTYPES = {"f32": "fp32", "f16": "fp16", "f64": "fp64", "bf16": "bf16", "i8": "int8", "u8": "int8"}
#: The kinds that multiply, as FullyConnectedCompressed and FullyConnectedQuantizedLegacy do too.
_CONVOLUTIONS = ("Convolution", "GroupConvolution", "BinaryConvolution")
_FULLY_CONNECTED = "FullyConnected"
_COMPRESSED = "FullyConnectedCompressed"
_MATMUL = "MatMul"
#: Groups of layers that one kernel runs, attention's products among them; which, it does not tell.
_GROUPS = ("Subgraph", "ScaledDotProductAttention")
#: What a vector that wide may multiply these with. The names of its kernels do not tell VNNI, BF16 and FP16 apart from
#: AVX-512, so that the best is believed; that they are not AMX they do tell.
_BEST_OF_AVX512 = {"int8": Isa.AVX512_VNNI, "bf16": Isa.AVX512_BF16, "fp16": Isa.AVX512_FP16}
_BEST_OF_AVX2 = {"int8": Isa.AVX_VNNI}


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One input or output of a layer, in OpenVINO's words: f32, bf16, i8, u8, ...; -1 is a size that is not told."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer that ran; ``quantisation_group`` is of the graph: 0 where activations are not quantised on the way."""

    kind: str
    implementation: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    members: int
    quantisation_group: int
    time_s: float


def read_layers(said: Iterable[Mapping[str, Any]]) -> list[Layer]:
    """A worker's answer as records; raises KeyError or TypeError if they are not whole."""
    return [Layer(**{**one, "inputs": _ports(one["inputs"]), "outputs": _ports(one["outputs"])}) for one in said]


def _ports(said: Iterable[Mapping[str, Any]]) -> tuple[Port, ...]:
    return tuple(Port(dtype=one["dtype"], shape=tuple(one["shape"])) for one in said)


def layer_kernels(layers: Iterable[Layer], *, duration_s: float, forward_s: float) -> list[Kernel]:
    """A row for each kind, implementation, types and shapes; times are those of a pass that takes ``forward_s``."""
    rows: dict[tuple[str, str, str, str], Kernel] = {}
    for layer in layers:
        kernel = _kernel(layer)
        key = kernel.operation, kernel.implementation, kernel.tensors, kernel.problem
        if before := rows.get(key):
            macs = None if before.macs is None or kernel.macs is None else before.macs + kernel.macs
            count, time_s = before.count + 1, before.time_s + kernel.time_s
            kernel = dataclasses.replace(before, count=count, time_s=time_s, macs=macs)
        rows[key] = kernel
    # No pass is shorter than its layers.
    whole_s = max(duration_s, sum(kernel.time_s for kernel in rows.values()))
    scale = forward_s / whole_s if whole_s > 0 else 1.0
    return [dataclasses.replace(kernel, time_s=kernel.time_s * scale) for kernel in rows.values()]


def _kernel(layer: Layer) -> Kernel:
    macs = _macs(layer)
    dtype = _dtype(layer) if macs is None or macs else ""
    return Kernel(
        source=Source.OPENVINO,
        operation=layer.kind,
        implementation=layer.implementation,
        isa=_isa(layer.implementation, dtype),
        dtype=dtype,
        tensors=" ".join(port.dtype for port in (*layer.inputs, *layer.outputs)),
        problem=":".join("x".join(map(str, port.shape)) for port in (*layer.inputs, *layer.outputs) if port.shape),
        count=1,
        time_s=layer.time_s,
        macs=macs,
        # Of moves and conversions ref is OpenVINO's usual code; only what multiplies has better.
        reference=bool(macs) and layer.implementation.startswith("ref"),
    )


def _dtype(layer: Layer) -> str:
    """What the multiply-accumulates read.

    A kernel over compressed weights is named by its FP32 activations; with a quantisation group they are INT8 as it
    multiplies (measured, OpenVINO 2026.4.1: of two such layers of BERT the group halves the time, and costs 4 dB).
    """
    told = _DTYPES.get(layer.implementation.rpartition("_")[2].lower(), "")
    return "int8" if layer.kind == _COMPRESSED and told == "fp32" and layer.quantisation_group else told


def _isa(implementation: str, dtype: str) -> Isa:
    isa = isa_of(implementation)
    if isa is Isa.AVX512:
        return _BEST_OF_AVX512.get(dtype, isa)
    if isa is Isa.AVX2:
        return _BEST_OF_AVX2.get(dtype, isa)
    return Isa.GENERIC if implementation.startswith("ref") else isa


def _macs(layer: Layer) -> int | None:
    """Multiply-accumulates of one call; 0 for what does none, None where shapes or kind do not tell."""
    if layer.kind in _GROUPS:
        return None if layer.members > 1 else 0
    multiplies = layer.kind in (*_CONVOLUTIONS, _MATMUL) or layer.kind.startswith(_FULLY_CONNECTED)
    if not multiplies:
        return 0
    if len(layer.inputs) < 2 or not layer.outputs:
        return None
    data, weights, out = layer.inputs[0].shape, layer.inputs[1].shape, layer.outputs[0].shape
    if not data or not weights or not out or min(*data, *weights, *out) < 1:
        return None
    if layer.kind in _CONVOLUTIONS:
        # Groups stand before the channels: (groups, out, in, height, width).
        grouped = len(weights) > len(data)
        return math.prod(out) * math.prod(weights[2 if grouped else 1 :])
    # Whichever side is transposed, and whatever the batches: each side without the output's share of it.
    inner = data[-1] if layer.kind.startswith(_FULLY_CONNECTED) else _inner(data, weights, out)
    return None if inner is None else math.prod(out) * inner


def _inner(left: tuple[int, ...], right: tuple[int, ...], out: tuple[int, ...]) -> int | None:
    """The length over which a product of matrices adds up: what both sides have and the output has not."""
    if min(len(left), len(right), len(out)) < 2:
        return None
    rows, columns = out[-2:]
    sizes = {size for size in left[-2:] if sorted((size, rows)) == sorted(left[-2:])}
    sizes &= {size for size in right[-2:] if sorted((size, columns)) == sorted(right[-2:])}
    return sizes.pop() if len(sizes) == 1 else None
