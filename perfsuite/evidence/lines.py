"""What a process executed, as its libraries told it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from perfsuite.evidence.problem import macs
from perfsuite.records.isa import Isa, is_reference, isa_of

#: Stands in a published log for fields that its author left out.
ELIDED = "..."

_INTEGERS = frozenset({"s8", "u8", "s4", "u4"})
_INPUT_ROLES = ("src", "data", "src_layer", "src_a", "query")
_WEIGHT_ROLES = ("wei", "wei_layer", "src_b", "key")
_FPMATH = re.compile(r"attr-fpmath(?:_mode)?:(\w+)", re.ASCII)  # with _mode in 2.x


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A memory descriptor; ``layout`` is the format tag (``acdb``), or the kind of format if it has no tag.

    Flags, strides and compensation are left out: each version spells them differently.
    """

    role: str
    dtype: str
    layout: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What one copy of oneDNN said of itself; a process with torch and ipex has two. Empty: not said."""

    version: str = ""
    commit: str = ""
    isa: str = ""
    runtime: str = ""
    threads: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Primitive:
    """One executed primitive or micro-kernel call.

    Micro-kernels (``brgemm``) are called by many threads at once, so that their times add up to more than passed.
    A line whose middle was elided has no tensors, and ELIDED as prop_kind, attributes and auxiliary.
    """

    engine: str
    kind: str
    implementation: str
    prop_kind: str
    tensors: tuple[Tensor, ...]
    attributes: str
    auxiliary: str
    problem: str
    time_s: float

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates; 0 for a kind that does none, None where the line does not tell."""
        return macs(self.kind, self.problem, self.auxiliary)

    @property
    def isa(self) -> Isa:
        return isa_of(self.implementation)

    @property
    def is_reference(self) -> bool:
        return is_reference(self.implementation)

    @property
    def work_dtype(self) -> str | None:
        """The type that is multiplied, ``int8`` for 4 and 8 bits; None if the line names no input.

        It is the weights' type, or else the first input's. Integer weights of a float input are only stored so, and
        are expanded to the input's type. ``attr-fpmath`` allows a narrower type for f32; it counts as used in an AMX
        kernel alone, for AMX has no f32, and other kernels compute f32 in spite of it (oneDNN asks for AMX wherever
        it sets is_bf32: brgemm_matmul_utils.cpp, jit_brgemm_conv_utils.cpp).
        """
        return _work_dtype(self.tensors, self.attributes, self.isa)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One executed partition of oneDNN's graph library, as ipex INT8 uses it.

    The primitives in it print their own lines, just before: its time contains theirs.
    """

    engine: str
    partition_id: int
    kind: str
    ops: tuple[str, ...]
    backend: str
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """Why an implementation was passed over; a short line names neither it nor the problem, only what refused."""

    primitive: str
    implementation: str
    problem: str
    reason: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Everything that was read; each line is in exactly one of the fields (headers share remark_count).

    ``creation_count`` are primitives made, ``cache_hit_count`` those found ready. ``remark_count`` are oneDNN's other
    lines: headers, templates, checks, errors, graph matching, creations inside another. ``unread`` are the first
    of the lines that bear oneDNN's mark and cannot be read. A line with two marks counts as two.
    """

    headers: tuple[Header, ...]
    primitives: tuple[Primitive, ...]
    partitions: tuple[Partition, ...]
    dispatches: tuple[Dispatch, ...]
    creation_count: int
    cache_hit_count: int
    remark_count: int
    unread_count: int
    unread: tuple[str, ...]
    other_count: int


@lru_cache(maxsize=4096)
def _work_dtype(tensors: tuple[Tensor, ...], attributes: str, isa: Isa) -> str | None:
    inputs = _dtype_of(tensors, _INPUT_ROLES)
    dtype = _dtype_of(tensors, _WEIGHT_ROLES) or inputs
    if dtype in _INTEGERS and inputs is not None:
        dtype = inputs
    if dtype in _INTEGERS:
        return "int8"
    fpmath = _FPMATH.search(attributes)
    if dtype == "f32" and isa is Isa.AMX and fpmath:
        return "bf16" if fpmath[1] == "any" else fpmath[1]
    return dtype


def _dtype_of(tensors: tuple[Tensor, ...], roles: tuple[str, ...]) -> str | None:
    return next((tensor.dtype for tensor in tensors if tensor.role in roles and tensor.dtype != "undef"), None)
