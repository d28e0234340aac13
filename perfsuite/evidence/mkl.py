"""The lines that MKL prints when it is verbose: which matrix products it ran, on what, for how long."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from perfsuite.records.evidence import Library

_MARK = re.compile(r"MKL_VERBOSE(?!\S)")
_CALL = re.compile(
    r"MKL_VERBOSE (\w+)\((.*)\) (\d{1,15}(?:\.\d{1,9})?)(ns|us|ms|s)\b(?:.*\bTID:(\d{1,9})\b)?", re.ASCII
)
_HEADER = re.compile(r"MKL_VERBOSE (\S+) (\d.*?) Product .*? architecture (.*?), Lnx")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
# 18 digits hold every size MKL can have (int64); more is garbage, and slow to multiply.
_SIZE = re.compile(r"\d{1,18}", re.ASCII)
#: What a routine multiplies, by the beginning of its name (oneMKL reference, BLAS-like extensions).
_DTYPES = {
    "SGEMM": "fp32",
    "DGEMM": "fp64",
    "GEMM_BF16": "bf16",
    "GEMM_F16": "fp16",
    "GEMM_S8": "int8",
    "GEMM_S16": "int16",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call; MKL does not say which instructions it chose.

    ``problem`` is MxNxK. ``macs`` is 0 for a routine that multiplies no matrices (``dtype`` is then
    empty) and None for a batch, whose line has addresses in place of sizes. Calls of different
    ``thread`` may have run beside one another.
    """

    routine: str
    problem: str
    dtype: str
    macs: int | None
    time_s: float
    thread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What a process's copies of MKL printed; ``unread`` are lines of theirs in no known form."""

    libraries: tuple[Library, ...]
    calls: tuple[Call, ...]
    unread: tuple[str, ...]


def parse(lines: Iterable[str]) -> Log:
    """Read the lines that are MKL's and pass over all others; a line with two marks counts as two."""
    libraries: dict[Library, None] = {}
    calls: list[Call] = []
    unread: list[str] = []
    for line in lines:
        starts = [mark.start() for mark in _MARK.finditer(line)]
        for start, end in zip(starts, [*starts[1:], len(line)], strict=False):
            text = line[start:end].rstrip()
            if header := _HEADER.match(text):
                libraries[Library(name=header[1], version=header[2], isa=header[3])] = None
            elif found := _CALL.match(text):
                calls.append(_call(found))
            else:
                unread.append(text)
    return Log(libraries=tuple(libraries), calls=tuple(calls), unread=tuple(unread))


def _call(found: re.Match[str]) -> Call:
    routine, arguments, time, unit, thread = found.groups()
    # SGEMM_PACK and SGEMM_PACK_GET_SIZE have the product's sizes and multiply nothing yet.
    packs = "_PACK" in routine
    dtype = "" if packs else next((dtype for name, dtype in _DTYPES.items() if routine.startswith(name)), "")
    # After the two operands' forms (N, T, or P for packed) come m, n and k; then addresses and strides.
    sizes = arguments.split(",")[2:5]
    known = bool(dtype) and len(sizes) == 3 and all(_SIZE.fullmatch(size) for size in sizes)
    macs = int(sizes[0]) * int(sizes[1]) * int(sizes[2]) if known else None
    return Call(
        routine=routine,
        problem="x".join(sizes) if known else "",
        dtype=dtype,
        macs=macs if dtype else 0,
        time_s=float(time) * _SECONDS[unit],
        thread=int(thread or 0),
    )
