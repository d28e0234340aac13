"""oneDNN's name for an implementation -> the instruction set it was built for."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache


class Isa(StrEnum):
    """What an implementation's name says of its instructions; spelt as the machine's capabilities are.

    The name tells what the kernel may use, not that it did: oneDNN calls an element-wise kernel ``avx10_1_512_amx``
    as well, though only a kernel that multiplies matrices has work for the tiles.
    """

    AMX = "amx"
    AVX10_2 = "avx10.2"
    AVX512_FP16 = "avx512-fp16"
    AVX512_BF16 = "avx512-bf16"
    AVX512_VNNI = "avx512-vnni"
    AVX512 = "avx512"
    AVX_VNNI = "avx-vnni"
    AVX2 = "avx2"
    AVX = "avx"
    SSE41 = "sse41"
    GENERIC = "generic"  # compiled C++, the same on every CPU
    UNKNOWN = "unknown"  # chosen at run time and not told; may be AMX


# The spellings of JIT_IMPL_NAME_HELPER (oneDNN, cpu_isa_traits.hpp, 2.7 to 3.12), strongest first. There
# avx10_1_512 is another name for avx512_core_fp16, since 3.5.
_SPELLINGS = (
    ("amx", Isa.AMX),
    ("avx10_2", Isa.AVX10_2),
    ("avx10_1", Isa.AVX512_FP16),
    ("avx512_core_fp16", Isa.AVX512_FP16),
    ("avx512_core_bf16", Isa.AVX512_BF16),
    ("avx512_core_vnni", Isa.AVX512_VNNI),
    ("avx512", Isa.AVX512),
    ("avx2_vnni", Isa.AVX_VNNI),
    ("avx2", Isa.AVX2),
    ("avx", Isa.AVX),
    ("sse4", Isa.SSE41),  # sse42 in OpenVINO's names
)


@lru_cache(maxsize=1024)
def isa_of(implementation: str) -> Isa:
    """The strongest instruction set that the name, or one of its parts joined by ``+``, contains."""
    for spelling, isa in _SPELLINGS:
        if spelling in implementation:
            return isa
    parts = implementation.split("+")
    generic = all(part.endswith(":any") or _is_reference_part(part) for part in parts)
    return Isa.GENERIC if generic else Isa.UNKNOWN


@lru_cache(maxsize=1024)
def is_reference(implementation: str) -> bool:
    """Plain loops, many times slower than a kernel: what oneDNN falls back to when nothing else fits.

    A ``simple:any`` reorder is none of them, and ``ref_fused_convolution:any`` only calls two other kernels.
    """
    return any(_is_reference_part(part) for part in implementation.split("+"))


def _is_reference_part(part: str) -> bool:
    return part in ("ref", "ref:any", "ref_int8:any", "simple_nchw:any") or part.endswith(":ref")
