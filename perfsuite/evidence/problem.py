"""oneDNN's problem description -> the multiply-accumulates of one execution.

Counted nominally: padding counts as data, zeros and sparse weights as any number. A depthwise convolution fused into
another as a post-op is not counted, since the problem does not describe it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache

# What oneDNN has besides the kinds counted below (dnnl_primitive_kind_t, and the _v2 names of 2.x): moves,
# element-wise work, sums and statistics.
_WITHOUT_MACS = frozenset(
    {
        "batch_normalization",
        "batch_normalization_v2",
        "binary",
        "concat",
        "eltwise",
        "eltwise_v2",
        "group_normalization",
        "layer_normalization",
        "layer_normalization_v2",
        "logsoftmax",
        "lrn",
        "pooling",
        "pooling_v2",
        "prelu",
        "reduction",
        "reorder",
        "resampling",
        "resampling_v2",
        "shuffle",
        "softmax",
        "softmax_v2",
        "sum",
        "transform",
        "zero_pad",
    }
)

# Matrix products in one step of a cell, in units of its hidden size (benchdnn, rnn.hpp).
_GATES = {
    "vanilla_rnn": 1,
    "vanilla_lstm": 4,
    "vanilla_gru": 3,
    "lbr_gru": 3,
    "vanilla_augru": 3,
    "lbr_augru": 3,
}

# 18 digits hold every size oneDNN can have (int64); more is garbage, and slow to multiply.
_NAMED_SIZE = re.compile(r"([a-z]+)(-?\d{1,18})_?", re.ASCII)
_NAMED_SIZES = re.compile(rf"(?:{_NAMED_SIZE.pattern})+", re.ASCII)
_SHAPES = re.compile(r"\d{1,18}(?:x\d{1,18})+(?::\d{1,18}(?:x\d{1,18})+)*", re.ASCII)

_Shape = tuple[int, ...]


@lru_cache(maxsize=16384)
def macs(kind: str, problem: str, auxiliary: str = "") -> int | None:
    """Multiply-accumulates; 0 for a kind that does none, None where the description does not tell."""
    if kind in _WITHOUT_MACS:
        return 0
    count = _COUNTS.get(kind)
    return count(problem, auxiliary) if count else None


def _convolution(problem: str, auxiliary: str) -> int | None:
    return _sliding(problem, "o")


def _deconvolution(problem: str, auxiliary: str) -> int | None:
    # Each input element is multiplied by the whole kernel, where a convolution's output element is.
    return _sliding(problem, "i")


def _sliding(problem: str, side: str) -> int | None:
    """Groups x channels in and out of a group x kernel x positions of one side, in one to three dimensions."""
    sizes = _named_sizes(problem)
    groups = sizes.get("g", 1)
    axes = [axis for axis in "dhw" if f"i{axis}" in sizes]
    names = ["mb", "ic", "oc", *(f"{side}{axis}" for axis in axes), *(f"k{axis}" for axis in axes)]
    if not axes or groups < 1 or not _given(sizes, names) or sizes["ic"] % groups or sizes["oc"] % groups:
        return None
    return math.prod(sizes[name] for name in names) // groups


def _inner_product(problem: str, auxiliary: str) -> int | None:
    sizes = _named_sizes(problem)
    names = ["mb", "ic", "oc", *(name for name in ("id", "ih", "iw") if name in sizes)]
    return math.prod(sizes[name] for name in names) if _given(sizes, names) else None


def _rnn(problem: str, auxiliary: str) -> int | None:
    sizes = _named_sizes(problem)
    words = dict(word.partition(":")[::2] for word in auxiliary.split())
    gates = _GATES.get(words.get("alg", ""))
    if gates is None or "direction" not in words or not _given(sizes, ["l", "t", "mb", "sic", "slc", "dhc", "dic"]):
        return None
    cells = sizes["l"] * sizes["t"] * (2 if words["direction"].startswith("bidirectional") else 1)
    hidden = sizes["dhc"]
    cell = gates * hidden * (sizes["slc"] + sizes["sic"])
    if words["alg"] == "vanilla_lstm" and sizes["dic"] != hidden:  # a projection follows
        cell += hidden * sizes["dic"]
    return cells * sizes["mb"] * cell


def _matmul(problem: str, auxiliary: str) -> int | None:
    """``4x8x16:4x16x24``; batches broadcast; up to 3.0 the destination's shape follows."""
    shapes = _shapes(problem)
    if len(shapes) not in (2, 3):
        return None
    src, wei = shapes[:2]
    if len(src) != len(wei) or src[-1] != wei[-2]:
        return None
    batch = []
    for left, right in zip(src[:-2], wei[:-2], strict=True):
        if left != right and 1 not in (left, right):
            return None
        batch.append(right if left == 1 else left)
    dst = (*batch, src[-2], wei[-1])
    if shapes[2:] not in ([], [dst]):
        return None
    return math.prod(dst) * src[-1]


def _brgemm(problem: str, auxiliary: str) -> int | None:
    """A micro-kernel call: ``bs`` products, added up."""
    batch = re.match(r"bs:(\d{1,18}) ", auxiliary, re.ASCII)
    one = _matmul(problem, "")
    return int(batch[1]) * one if batch and one is not None else None


def _sdpa(problem: str, auxiliary: str) -> int | None:
    """Query : key : value, as ``1x2x384x128:1x2x128x384:1x2x384x128``; keys may serve several query heads."""
    shapes = _shapes(problem)
    if len(shapes) != 3:
        return None
    query, key, value = shapes
    if query[-1] != key[-2] or key[-1] != value[-2]:
        return None
    return math.prod(query[:-1]) * key[-1] * (query[-1] + value[-1])


_COUNTS: dict[str, Callable[[str, str], int | None]] = {
    "convolution": _convolution,
    "deconvolution": _deconvolution,
    "inner_product": _inner_product,
    "matmul": _matmul,
    "gemm": _matmul,
    "gemm_api": _matmul,
    "brgemm": _brgemm,
    "sdpa": _sdpa,
    "rnn": _rnn,
}


def _named_sizes(problem: str) -> dict[str, int]:
    """``mb2_ic3oc16`` -> sizes by name; empty if the text is of another form."""
    if not _NAMED_SIZES.fullmatch(problem):
        return {}
    return {name: int(size) for name, size in _NAMED_SIZE.findall(problem)}


def _given(sizes: dict[str, int], names: list[str]) -> bool:
    return all(sizes.get(name, -1) >= 0 for name in names)


def _shapes(problem: str) -> list[_Shape]:
    """``2x3:3x4`` -> shapes of two or more dimensions; empty if the text is of another form (``*``: known later)."""
    if not _SHAPES.fullmatch(problem):
        return []
    return [tuple(map(int, shape.split("x"))) for shape in problem.split(":")]
