"""What an operator of PyTorch says of its work: its multiply-accumulates, and who does them."""

from __future__ import annotations

import math
import re
from collections.abc import Set

import msgspec

from perfsuite.records.evidence import Operator

#: kineto's names for the types of an operator's inputs.
_DTYPES = {"float": "fp32", "double": "fp64", "c10::BFloat16": "bf16", "c10::Half": "fp16"}
_INT8 = ("signed char", "unsigned char", "c10::qint8", "c10::quint8")

_ATTENTION = re.compile(r"scaled_dot_product.*attention")
#: BF16 by INT8 weights, which are (outputs, inputs).
_WEIGHT_ONLY = "aten::_weight_int8pack_mm"
_PRODUCTS = {"aten::mm": 0, "aten::bmm": 0, "aten::addmm": 1, "aten::baddbmm": 1, "aten::_int_mm": 0}

#: Which operators call a library, by the operations of the library's that ran: an operator's own
#: time then contains theirs. From profiles of every variant under ipex 2.8 and torch 2.8 and 2.14.
_HOSTS = (
    (("convolution", "deconvolution"), re.compile(r"conv")),
    (
        ("matmul", "inner_product", "SGEMM", "SGEMM_COMPUTE", "SGEMM_BATCH", "GEMM_BF16BF16F32", "brgemm", "gemm_api"),
        re.compile(r"(?<!quantized::)linear|mm\b|matmul|gemm|attention|mm_"),
    ),
    (("layer_normalization",), re.compile(r"layer_?norm")),
    (("batch_normalization",), re.compile(r"batch_?norm")),
    (("pooling",), re.compile(r"pool")),
    (("softmax",), re.compile(r"softmax")),
    (("eltwise",), re.compile(r"gelu|relu|tanh|sigmoid|silu")),
    (("binary", "sum"), re.compile(r"::(add|mul|sub|div)_?$")),
)
#: ipex names a fused INT8 group by its members.
_FUSED = re.compile(r"\w\+\w")


def hosts_graph(name: str) -> bool:
    """Whether the operator is a graph that TorchDynamo compiled: its own time is its layers', where those are told."""
    return name.startswith("Torch-Compiled Region")


def hosts_library(name: str, operations: Set[str]) -> bool:
    """Whether the operator's own time contains library kernels of these operations."""
    if _FUSED.search(name):
        return True
    return any(operations & set(theirs) and pattern.search(name) for theirs, pattern in _HOSTS)


def operator_macs(operator: Operator) -> int:
    """Multiply-accumulates of all its calls; 0 where name or shapes do not tell."""
    try:
        shapes = msgspec.json.decode(operator.shapes, type=list[list[int]]) if operator.shapes else []
        return operator.count * _call_macs(operator.name, shapes)
    except (IndexError, ValueError):  # shapes of another form than this version's
        return 0


def _call_macs(name: str, shapes: list[list[int]]) -> int:
    if _ATTENTION.search(name):
        query, key, value = shapes[:3]
        return math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1])
    if name == _WEIGHT_ONLY:
        left, right = shapes[:2]
        return math.prod(left) * right[0]
    if (first := _PRODUCTS.get(name)) is not None:
        left, right = shapes[first : first + 2]
        return math.prod(left) * right[-1]
    return 0


def is_attention(operator: Operator) -> bool:
    """Whether it is a fused attention, which calls a library once for each block of each head."""
    return _ATTENTION.search(operator.name) is not None


def multiplies_silently(operator: Operator) -> bool:
    """Whether it multiplies in a library that prints nothing, and hides its weights' shape: FBGEMM's."""
    return operator.name.startswith("quantized::linear")


def operator_dtype(operator: Operator) -> str:
    """The type that it multiplies, in our words: its first input's, save where it quantises that, or its weights'."""
    if multiplies_silently(operator) or operator.name == _WEIGHT_ONLY:
        return "int8"
    first = next((name for name in _INT8 if operator.dtypes.startswith(name)), "")
    return "int8" if first else _DTYPES.get(operator.dtypes.partition(" ")[0], "")
