"""MKL's verbose output: routines, sizes, times, threads; and no line of it is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.evidence.mkl import Call, Log, parse
from perfsuite.records.evidence import Library

HEADER = (
    "MKL_VERBOSE oneMKL 2024.0 Update 2 Product build 20240605 for Intel(R) 64 architecture Intel(R) Advanced Vector "
    "Extensions 512 (Intel(R) AVX-512) with support for INT8, BF16, FP16 (limited) instructions, and Intel(R) Advanced "
    "Matrix Extensions (Intel(R) AMX) with INT8 and BF16, Lnx 2.10GHz lp64 gnu_thread"
)
LIBRARY = Library(
    name="oneMKL",
    version="2024.0 Update 2",
    isa="Intel(R) Advanced Vector Extensions 512 (Intel(R) AVX-512) with support for INT8, BF16, FP16 (limited) "
    "instructions, and Intel(R) Advanced Matrix Extensions (Intel(R) AMX) with INT8 and BF16",
)
_END = "CNR:OFF Dyn:1 FastMM:1"
SGEMM = f"MKL_VERBOSE SGEMM(T,N,48,16,32,0x7f01,0x5502,96,0x5503,96,0x7f04,0x5505,48) 60.5us {_END} TID:3  NThr:1"
COMPUTE = f"MKL_VERBOSE SGEMM_COMPUTE(P,N,96,16,48,0x7f01,96,0x5502,96,0x7f03,0x5504,96) 1.25ms {_END} TID:0  NThr:4"
BATCH = f"MKL_VERBOSE SGEMM_BATCH(N,N,0x7f01,0x7f02,0x7f03,0x7f04,0x7f05,0x7f06) 17.5us {_END} TID:0  NThr:4"
PACK = f"MKL_VERBOSE SGEMM_PACK(A,T,96,16,48,0x7f01,0x5502,48,0x7f03) 1.85ms {_END} TID:0  NThr:1"
DOT = f"MKL_VERBOSE SDOT(64,0x5501,1,0x5502,1) 8.75us {_END} TID:0  NThr:1"
CALLS = (SGEMM, COMPUTE, BATCH, PACK, DOT)


def one(line: str) -> Call:
    log = parse([line])
    assert log.unread == ()
    (call,) = log.calls
    return call


def marks(line: str) -> int:
    return len(re.findall(r"MKL_VERBOSE(?!\S)", line))


def read(log: Log) -> int:
    return len(log.calls) + len(log.libraries) + len(log.unread)


def test_a_product_with_its_sizes_time_and_thread() -> None:
    assert one(SGEMM) == Call(
        routine="SGEMM", problem="48x16x32", dtype="fp32", macs=48 * 16 * 32, time_s=60.5 * 1e-6, thread=3
    )
    assert one(COMPUTE) == Call(
        routine="SGEMM_COMPUTE", problem="96x16x48", dtype="fp32", macs=96 * 16 * 48, time_s=1.25e-3, thread=0
    )


@pytest.mark.parametrize(
    ("time", "seconds"), [("512.00ns", 5.12e-7), ("72.64us", 7.264e-5), ("3.5ms", 3.5e-3), ("2s", 2.0)]
)
def test_units_of_time(time: str, seconds: float) -> None:
    assert one(SGEMM.replace("60.5us", time)).time_s == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("routine", "dtype"),
    [
        ("SGEMM", "fp32"),
        ("DGEMM", "fp64"),
        ("GEMM_BF16BF16F32", "bf16"),
        ("GEMM_BF16BF16F32_COMPUTE", "bf16"),
        ("GEMM_F16F16F32", "fp16"),
        ("GEMM_S8U8S32", "int8"),
        ("GEMM_S16S16S32", "int16"),
    ],
)
def test_type_by_routine(routine: str, dtype: str) -> None:
    call = one(SGEMM.replace("SGEMM", routine))
    assert (call.dtype, call.macs) == (dtype, 48 * 16 * 32)


def test_a_batch_does_not_tell_its_sizes() -> None:
    batch = one(BATCH)
    assert (batch.routine, batch.dtype, batch.problem, batch.macs) == ("SGEMM_BATCH", "fp32", "", None)


@pytest.mark.parametrize(
    "line", [PACK, DOT, PACK.replace("PACK(A,T,96,16,48,", "PACK_GET_SIZE(B,96,16,48,"), DOT.replace("SDOT", "VSEXP")]
)
def test_what_multiplies_no_matrices(line: str) -> None:
    call = one(line)
    assert (call.dtype, call.problem, call.macs) == ("", "", 0)


def test_the_library_is_named_once_with_its_instruction_sets() -> None:
    log = parse([HEADER, SGEMM, HEADER, HEADER.replace("2024.0 Update 2", "2025 Update 3")])
    assert [library.version for library in log.libraries] == ["2024.0 Update 2", "2025 Update 3"]
    assert log.libraries[0] == LIBRARY
    assert (len(log.calls), log.unread) == (1, ())


def test_other_lines_are_passed_over() -> None:
    others = ["", "loss 0.25", "onednn_verbose,v1,info,oneDNN v3.7.1 (commit 8d26)", "MKL_VERBOSE=1 is set", "SGEMM(T)"]
    assert parse(others) == Log(libraries=(), calls=(), unread=())


def test_behind_other_output_and_before_a_line_end() -> None:
    assert one(f"step 3: {SGEMM}\n") == one(SGEMM)


def test_two_calls_that_share_a_line_are_two() -> None:
    assert parse([f"{SGEMM} {COMPUTE}"]).calls == (one(SGEMM), one(COMPUTE))
    cut = SGEMM[:40]
    log = parse([cut + COMPUTE])
    assert (log.calls, log.unread) == ((one(COMPUTE),), (cut,))


@pytest.mark.parametrize("line", [SGEMM, COMPUTE, BATCH])
def test_a_call_cut_before_its_unit_is_unread(line: str) -> None:
    unit = line.index("s CNR")
    for end in range(len("MKL_VERBOSE"), unit + 1):
        log = parse([line[:end]])
        assert (log.calls, len(log.unread)) == ((), 1), line[:end]
    assert one(line[: unit + 1]).time_s == one(line).time_s


@pytest.mark.parametrize("end", [30, 60, len(HEADER) - 40])
def test_a_cut_header_is_unread(end: int) -> None:
    assert parse([HEADER[:end]]) == Log(libraries=(), calls=(), unread=(HEADER[:end].rstrip(),))


@pytest.mark.parametrize("time", ["60..5us", "9" * 400 + "us", "nanus", "-1us", "٣us", "60.5"])
def test_a_time_that_is_none_is_unread(time: str) -> None:
    log = parse([SGEMM.replace("60.5us", time)])
    assert (log.calls, len(log.unread)) == ((), 1)


@pytest.mark.parametrize("size", ["9" * 5000, "-4", "", "٣", "4.0"])
def test_sizes_that_are_none_tell_nothing(size: str) -> None:
    call = one(SGEMM.replace(",48,16", f",{size},16"))
    assert (call.problem, call.macs) == ("", None)


@st.composite
def damaged_calls(draw: st.DrawFn) -> str:
    """A valid line after up to three cuts, insertions, doublings or swaps."""
    line: str = draw(st.sampled_from(CALLS))
    for _ in range(draw(st.integers(1, 3))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(line))] * 2)))
        other = draw(st.sampled_from(["", line[start:end] * 2, line[start:end][::-1]]) | st.text(max_size=5))
        line = line[:start] + other + line[end:]
    return line


@given(damaged_calls())
def test_no_damaged_line_is_lost(line: str) -> None:
    log = parse([line])
    assert read(log) == marks(line)
    for call in log.calls:
        assert call.time_s >= 0
        assert call.macs is None or call.macs >= 0


@given(st.text(), st.sampled_from(["", "MKL_VERBOSE ", "MKL_VERBOSE SGEMM(", SGEMM[:60], HEADER[:70]]), st.text())
def test_no_text_raises_or_is_lost(before: str, middle: str, after: str) -> None:
    line = before + middle + after
    assert read(parse([line])) == marks(line)
