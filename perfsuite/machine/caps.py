"""Environment variables that limit which instruction sets the libraries use, and what each value leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# What each value of ONEDNN_MAX_CPU_ISA leaves. The values are only partially ordered: see "CPU Dispatcher
# Control" in oneDNN's guide and the masks of its cpu_isa_traits.hpp. Confirmed with torch 2.8 (oneDNN 3.7)
# on an AMX machine.
_AVX2 = frozenset({"avx2"})
_AVX2_VNNI = _AVX2 | {"avx-vnni"}
_AVX512 = _AVX2 | {"avx512"}
_AVX512_VNNI = _AVX512 | {"avx512-vnni"}
_AVX512_BF16 = _AVX512_VNNI | {"avx512-bf16"}
_AVX512_FP16 = _AVX512_BF16 | {"avx512-fp16", "avx-vnni"}
_AMX = _AVX512_FP16 | {"amx-bf16", "amx-int8"}
_ALL = _AMX | {"amx-fp16"}
_ONEDNN_VALUES: dict[str, frozenset[str]] = {
    "SSE41": frozenset(),
    "AVX": frozenset(),
    "AVX2": _AVX2,
    "AVX2_VNNI": _AVX2_VNNI,
    "AVX2_VNNI_2": _AVX2_VNNI,
    "AVX512_CORE": _AVX512,
    "AVX512_CORE_VNNI": _AVX512_VNNI,
    "AVX512_CORE_BF16": _AVX512_BF16,
    "AVX512_CORE_FP16": _AVX512_FP16,
    "AVX10_1_512": _AVX512_FP16,
    "AVX512_CORE_AMX": _AMX,
    "AVX10_1_512_AMX": _AMX,
    "AVX512_CORE_AMX_FP16": _ALL,
    "AVX10_1_512_AMX_FP16": _ALL,
    # Without AMX in every oneDNN that knows it; 3.7 (torch 2.8) does not, and ignores it.
    "AVX10_2": _AVX512_FP16,
    "AVX10_2_512": _AVX512_FP16,
    "AVX10_2_AMX_2": _ALL,
    "AVX10_2_512_AMX_2": _ALL,
    "DEFAULT": _ALL,
}

# ipex hands ATEN_CPU_CAPABILITY on to its own oneDNN (csrc/cpu/dyndisp/DispatchStub.cpp); stock PyTorch does
# not. The same words in upper case are the levels that ipex reports for its oneDNN.
_IPEX_LEVELS = {
    "avx2": _AVX2,
    "avx2_vnni": _AVX2_VNNI,
    "avx512": _AVX512,
    "avx512_vnni": _AVX512_VNNI,
    "avx512_bf16": _AVX512_BF16,
    "amx": _AMX,
}
# measured, ipex 2.8: these two leave its oneDNN as it is (`default` makes ATen's and ipex's kernels scalar)
_ATEN_VALUES = {**_IPEX_LEVELS, "avx512_fp16": _ALL, "default": _ALL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """A variable that limits oneDNN; `left`: the capabilities it leaves, None if its value is ignored."""

    variable: str
    value: str
    left: frozenset[str] | None


def onednn_cap(environ: Mapping[str, str]) -> Cap | None:
    """oneDNN's own cap, in any case; a non-empty ONEDNN_MAX_CPU_ISA hides DNNL_MAX_CPU_ISA."""
    for variable in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        if value := environ.get(variable, ""):
            return Cap(variable=variable, value=value, left=_ONEDNN_VALUES.get(value.upper()))
    return None


def aten_cap(environ: Mapping[str, str]) -> Cap | None:
    """The cap on ATen's and ipex's kernels, lower case alone; `left`: what ipex leaves its oneDNN by it."""
    variable = "ATEN_CPU_CAPABILITY"
    value = environ.get(variable)
    return None if value is None else Cap(variable=variable, value=value, left=_ATEN_VALUES.get(value))


def left_by_ipex_level(level: str | None) -> frozenset[str] | None:
    """The capabilities at a level that ipex reports for its oneDNN; None for a level not known here."""
    return _IPEX_LEVELS.get((level or "").lower())
