"""Kernels against the baseline's: each loss alone is found, and nothing else is called one."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from evidence_builders import graphs, kernel
from test_gates import BF16, KNOWN, conv, ran

from perfsuite.gates.gate import losses, new_violations
from perfsuite.records.evidence import Evidence, Kernel, Source, Unread
from perfsuite.records.isa import Isa
from perfsuite.records.violation import Against, Kind, Part, Violation

_AMX, _AVX512 = conv(100, Isa.AMX), conv(100, Isa.AVX512)
_CALLS = conv(100, Isa.AMX, count=1152)


def _softmax(**changes: Any) -> Kernel:
    """A reference kernel that multiplies nothing and takes a millisecond."""
    return kernel(1, **{"operation": "softmax", "implementation": "ref:any", "macs": 0, "reference": True, **changes})


def _carried(work: float, time: float) -> tuple[Part, ...]:
    return Part(name="work", share=work), Part(name="time", share=time)


def _unread(count: int) -> Unread:
    return Unread(count=count, samples=("onednn_verbose,v9",) if count else ())


def _lost(kind: Kind, was: float, now: float, subject: str = "", *where: str, **more: Any) -> Violation:
    return Violation(kind=kind, expected=was, found=now, against=Against.BASELINE, subject=subject, where=where, **more)


_CASES: dict[str, tuple[Evidence, Evidence, Violation]] = {
    "a type's share": (
        ran(_AMX),
        ran(conv(97, Isa.AMX), conv(3, Isa.AVX512, "fp32")),
        _lost(
            Kind.PRECISION, 1.0, 0.97, "bf16", "1 convolution brgconv:avx512 (fp32)",
            parts=(Part(name="fp32", share=0.03),),
        ),
    ),
    "amx to 91 %": (
        ran(_AMX),
        ran(conv(91, Isa.AMX), conv(9, Isa.AVX512)),
        _lost(
            Kind.ISA, 1.0, 0.91, "bf16", "1 convolution brgconv:avx512 (bf16)",
            parts=(Part(name="avx512", share=0.09),), best="amx",
        ),
    ),
    "amx to what does not tell": (
        ran(_AMX),
        ran(conv(91, Isa.AMX), conv(9, Isa.UNKNOWN)),
        _lost(
            Kind.ISA, 1.0, 0.91, "bf16", "1 convolution brgconv:unknown (bf16)",
            parts=(Part(name="unknown", share=0.09),), best="amx",
        ),
    ),
    "a weaker set below one that stays": (
        ran(conv(60, Isa.AMX), conv(40, Isa.AVX512_BF16)),
        ran(conv(60, Isa.AMX), conv(40, Isa.AVX512)),
        _lost(
            Kind.ISA, 1.0, 0.6, "bf16", "1 convolution brgconv:avx512 (bf16)",
            parts=(Part(name="avx512", share=0.4),), best="avx512-bf16",
        ),
    ),
    "two sets at once": (
        ran(conv(50, Isa.AMX), conv(50, Isa.AVX512)),
        ran(conv(100, Isa.AVX2)),
        _lost(
            Kind.ISA, 0.5, 0.0, "bf16", "1 convolution brgconv:avx2 (bf16)",
            parts=(Part(name="avx2", share=1.0),), best="amx",
        ),
    ),
    "the set of a type that nothing is asked of": (
        ran(conv(100, Isa.AVX512, "fp32"), model_macs=100),
        ran(conv(100, Isa.AVX2, "fp32"), model_macs=100),
        _lost(
            Kind.ISA, 1.0, 0.0, "fp32", "1 convolution brgconv:avx2 (fp32)",
            parts=(Part(name="avx2", share=1.0),), best="avx512",
        ),
    ),
    "a new reference kernel": (
        ran(_AMX, forward_s=1.0),
        ran(_AMX, _softmax(), forward_s=1.0),
        _lost(Kind.REFERENCE_KERNELS, 0.0, 0.001, "", "1 softmax ref:any (bf16)", parts=_carried(0.0, 0.001)),
    ),
    "one more call of a reference kernel": (
        ran(_AMX, _softmax(), _softmax(implementation="gemm:ref"), forward_s=1.0),
        ran(_AMX, _softmax(count=2), _softmax(implementation="gemm:ref"), forward_s=1.0),
        _lost(Kind.REFERENCE_KERNELS, 0.002, 0.002, "", "2 softmax ref:any (bf16)", parts=_carried(0.0, 0.002)),
    ),
    "more work in a reference kernel": (
        ran(_AMX, _softmax(macs=2, dtype="fp32"), model_macs=200, forward_s=1.0),
        ran(_AMX, _softmax(macs=4, dtype="fp32"), model_macs=200, forward_s=1.0),
        _lost(Kind.REFERENCE_KERNELS, 0.01, 0.02, "", "1 softmax ref:any (fp32)", parts=_carried(0.02, 0.001)),
    ),
    "lines that are not understood": (
        ran(_CALLS),
        ran(_CALLS, unread=_unread(5000)),
        _lost(Kind.UNREAD, 0.0, 5000 / 6152, "", "onednn_verbose,v9"),
    ),
    "more graph breaks": (
        ran(_AMX, graphs=graphs("print")),
        ran(_AMX, graphs=graphs("print", "again", "again", compiled=3)),
        _lost(Kind.GRAPH_BREAKS, 1, 3, "", "again"),
    ),
    "the first graph break": (
        ran(_AMX),
        ran(_AMX, graphs=graphs("print")),
        _lost(Kind.GRAPH_BREAKS, 0, 1, "", "print"),
    ),
    "no graph at all": (
        ran(_AMX, graphs=graphs(compiled=3)),
        ran(_AMX),
        _lost(Kind.COMPILED_GRAPHS, 3, 0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", _CASES)
def test_each_loss_alone_is_found(case: str) -> None:
    before, after, lost = _CASES[case]
    expected = BF16 if before.kernels[0].dtype == "bf16" else KNOWN
    assert losses(before, after, expected) == (lost,)
    assert losses(before, before, expected) == losses(after, after, expected) == ()


@pytest.mark.parametrize("case", [case for case in _CASES if case not in ("no graph at all", "the first graph break")])
def test_what_is_won_back_is_no_loss(case: str) -> None:
    before, after, _ = _CASES[case]
    assert losses(after, before, BF16) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Less than half a percent of the work: shapes round.
        (ran(conv(1000, Isa.AMX), model_macs=1000), ran(conv(996, Isa.AMX), model_macs=1000)),
        (
            ran(conv(1000, Isa.AMX), model_macs=1000),
            ran(conv(996, Isa.AMX), conv(4, Isa.AVX512), model_macs=1000),
        ),
        # All of a type's work, but the type has next to none.
        (ran(_AMX, conv(1, Isa.AVX512, "fp32"), model_macs=400), ran(_AMX, conv(1, Isa.AVX2, "fp32"), model_macs=400)),
        # A stronger set, or one that now tells.
        (ran(_AVX512), ran(_AMX)),
        (ran(conv(50, Isa.AVX512), conv(50, Isa.UNKNOWN)), ran(_AVX512)),
        # The same reference kernel, which a neighbour slowed.
        (ran(_AMX, _softmax()), ran(_AMX, dataclasses.replace(_softmax(), time_s=0.05))),
        # A handful of thousands of lines.
        (ran(_CALLS), ran(_CALLS, unread=_unread(5))),
        (ran(_CALLS, unread=_unread(5000)), ran(_CALLS, unread=_unread(5005))),
        # Other graphs, none broken; fewer breaks; other breaks, as many.
        (ran(_AMX, graphs=graphs(compiled=3)), ran(_AMX, graphs=graphs(compiled=1))),
        (ran(_AMX, graphs=graphs("print", "print")), ran(_AMX, graphs=graphs("again"))),
        (ran(_AMX, graphs=graphs("print")), ran(_AMX, graphs=graphs("again"))),
    ],
    ids=[
        "type-rounding", "set-rounding", "tiny-type", "stronger", "told", "slower-reference", "handful", "as-unread",
        "fewer-graphs", "fewer-breaks", "other-breaks",
    ],
)  # fmt: skip
def test_no_loss(before: Evidence, after: Evidence) -> None:
    assert losses(before, after, BF16) == ()


def test_work_that_came_from_another_type_takes_no_set_away() -> None:
    before = ran(conv(97, Isa.AMX), conv(3, Isa.AVX512, "fp32"))
    sgemm = conv(47, Isa.UNKNOWN, "fp32", source=Source.MKL)
    after = ran(conv(50, Isa.AMX), conv(3, Isa.AVX512, "fp32"), sgemm)
    assert [(one.kind, one.subject) for one in losses(before, after, BF16)] == [(Kind.PRECISION, "bf16")]


def test_lines_are_held_against_the_kernels_that_were_read() -> None:
    """Three lines of as many passes of 54 kernels: one of its kernels is missing."""
    before, after = ran(conv(100, Isa.AMX, count=54)), ran(conv(100, Isa.AMX, count=53), unread=_unread(3))
    assert [one.kind for one in losses(before, after, BF16)] == [Kind.UNREAD]
    two_headers = ran(conv(100, Isa.AMX, count=54), unread=_unread(2))
    assert losses(before, two_headers, BF16) == ()


def test_of_a_known_variant_no_type_is_missed() -> None:
    before, after = ran(_AMX), ran(conv(50, Isa.AMX), conv(50, Isa.AMX, "fp32"))
    assert losses(before, after, KNOWN) == ()


_ISA, _BREAKS = (
    Violation(kind=Kind.ISA, subject="bf16", found=0.5),
    Violation(kind=Kind.GRAPH_BREAKS, expected=0, found=1),
)


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ((), (_ISA, _BREAKS), (_ISA, _BREAKS)),
        ((_ISA,), (_ISA, _BREAKS), (_BREAKS,)),
        ((_ISA, _BREAKS), (_BREAKS,), ()),
        # As in the first, though worse; of another type; against something else.
        ((_ISA,), (dataclasses.replace(_ISA, found=0.1),), ()),
        ((_ISA,), (dataclasses.replace(_ISA, subject="int8"),), (dataclasses.replace(_ISA, subject="int8"),)),
        ((_ISA,), (dataclasses.replace(_ISA, against=Against.BASELINE),), ()),
    ],
)
def test_one_objection_to_the_first_hides_no_other(
    before: tuple[Violation, ...], after: tuple[Violation, ...], new: tuple[Violation, ...]
) -> None:
    assert new_violations(before, after) == new
