"""Violations of kernels in words: nothing that a record holds is left out."""

from __future__ import annotations

import msgspec
import pytest

from perfsuite.records.violation import Against, Kind, Part, Violation
from perfsuite.report.violations import violation_line

_WHERE = ("53 convolution jit:avx512_core (fp32)", "1 matmul gemm:jit (fp32)")
_HALVES = (Part(name="fp32", share=0.3), Part(name="", share=0.2))
_SETS = (Part(name="avx512", share=0.09), Part(name="unknown", share=0.01))


@pytest.mark.parametrize(
    ("violation", "line"),
    [
        (
            Violation(
                kind=Kind.PRECISION, subject="int8", expected=0.95, found=0.4, parts=_HALVES, where=_WHERE,
            ),
            "precision lost: int8 does 40.0% of the multiply-accumulates, expected at least 95.0%; fp32 does 30.0%, "
            "an unknown type does 20.0%, 10.0% is unattributed "
            "(53 convolution jit:avx512_core (fp32); 1 matmul gemm:jit (fp32))",
        ),
        (
            Violation(kind=Kind.PRECISION, subject="bf16", expected=0.95, found=0.0),
            "precision lost: bf16 does 0.0% of the multiply-accumulates, expected at least 95.0%; "
            "100.0% is unattributed",
        ),
        (
            Violation(
                kind=Kind.PRECISION, subject="bf16", expected=1.0, found=0.97, against=Against.BASELINE,
                parts=(Part(name="fp32", share=0.03),),
            ),
            "precision lost: bf16 does 97.0% of the multiply-accumulates, 100.0% in the baseline; fp32 does 3.0%",
        ),
        (
            Violation(
                kind=Kind.ISA, subject="bf16", expected=0.9, found=0.5, parts=_SETS[:1], where=_WHERE[:1],
                best="amx", why="capped: switched off by ONEDNN_MAX_CPU_ISA=AVX512_CORE", variable="ONEDNN_MAX_CPU_ISA",
            ),
            "instruction set lost: 50.0% of the bf16 work that tells its set is on amx or better, expected at least "
            "90.0%; avx512 does 9.0% (53 convolution jit:avx512_core (fp32)); amx on this machine: "
            "capped: switched off by ONEDNN_MAX_CPU_ISA=AVX512_CORE",
        ),
        (
            Violation(kind=Kind.ISA, subject="int8", expected=0.9, found=0.5, best="amx"),
            "instruction set lost: 50.0% of the int8 work that tells its set is on amx or better, expected at least "
            "90.0%; amx on this machine: nothing forbids it: unused",
        ),
        (
            Violation(
                kind=Kind.ISA, subject="bf16", expected=1.0, found=0.9, against=Against.BASELINE, parts=_SETS,
                best="amx",
            ),
            "instruction set lost: 90.0% of the bf16 work is on amx or better, 100.0% in the baseline; "
            "avx512 does 9.0%, what does not tell its set does 1.0%",
        ),
        (
            Violation(kind=Kind.REQUIRED_ISA, subject="amx", expected="amx", found="avx512-bf16", why="absent: gone"),
            "--require-isa amx: absent: gone",
        ),
        (
            Violation(
                kind=Kind.REFERENCE_KERNELS, expected=0.01, found=0.02,
                parts=(Part(name="work", share=0.02), Part(name="time", share=0.001)),
                where=("1 convolution ref:any (bf16)",),
            ),
            "reference kernels carry 2.0% of the work and 0.1% of the time, at most 1.0% accepted "
            "(1 convolution ref:any (bf16))",
        ),
        (
            Violation(
                kind=Kind.REFERENCE_KERNELS, expected=0.0, found=0.001, against=Against.BASELINE,
                parts=(Part(name="work", share=0.0), Part(name="time", share=0.001)),
            ),
            "reference kernels carry 0.0% of the work and 0.1% of the time, 0.0% in the baseline",
        ),
        (
            Violation(kind=Kind.GRAPH_BREAKS, expected=1, found=9, where=("a", "b", "c", "d", "e")),
            "9 graph breaks, at most 1 accepted (a; b; c; 2 more kinds)",
        ),
        (
            Violation(kind=Kind.GRAPH_BREAKS, expected=1, found=3, against=Against.BASELINE, where=("again",)),
            "3 graph breaks, 1 in the baseline (again)",
        ),
        (
            Violation(
                kind=Kind.COMPILED_GRAPHS, expected=1, found=0, why="switched off by TORCHDYNAMO_DISABLE=1",
                variable="TORCHDYNAMO_DISABLE",
            ),
            "0 compiled graphs, expected at least 1: switched off by TORCHDYNAMO_DISABLE=1",
        ),
        (
            Violation(kind=Kind.COMPILED_GRAPHS, expected=3, found=0, against=Against.BASELINE),
            "0 compiled graphs, 3 in the baseline",
        ),
        (
            Violation(
                kind=Kind.UNREAD, expected=0.0, found=0.81, against=Against.BASELINE, where=("onednn_verbose,v9",),
            ),
            "81.0% of the libraries' lines were not understood, 0.0% in the baseline (onednn_verbose,v9)",
        ),
    ],
)  # fmt: skip
def test_a_violation_in_words_and_so_when_it_was_stored(violation: Violation, line: str) -> None:
    assert violation_line(violation) == line
    stored = msgspec.json.decode(msgspec.json.encode(violation), type=Violation)
    assert (stored, violation_line(stored)) == (violation, line)
