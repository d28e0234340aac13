"""The gate: kernels against what is expected of them on this machine."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import pytest
from builders import ANSWERS
from evidence_builders import FP32, REORDER, evidence, graphs, kernel, operator_kernel
from test_machine_isa import AMX, AVX512, cpu

from perfsuite.gates.expectations import Expectation
from perfsuite.gates.facts import names
from perfsuite.gates.gate import violations
from perfsuite.machine.cpu import Cpu
from perfsuite.records.evidence import Evidence, Kernel
from perfsuite.records.isa import Isa
from perfsuite.records.machine import Permission, StackAnswers
from perfsuite.records.violation import Against, Kind, Part, Violation

BF16 = Expectation(
    dtype="bf16",
    least_share=0.95,
    least_best_isa_share=0.9,
    most_reference_share=0.01,
    graph_breaks=0,
    least_compiled_graphs=0,
    recompilations=math.inf,
    most_growth_bytes=65536,
    known="",
    source="measured",
)
FP16 = dataclasses.replace(BF16, dtype="fp16")
INT8 = dataclasses.replace(BF16, dtype="int8")
KNOWN = dataclasses.replace(BF16, dtype="", known="simulated")

_AVX512_BF16 = f"{AVX512} avx512_vnni avx512_bf16"
ZEN4 = cpu(_AVX512_BF16, model=17, vendor="AuthenticAMD")
#: A Sapphire Rapids whose hypervisor hides the tiles.
HIDDEN = cpu(f"{_AVX512_BF16} hypervisor")
CASCADE_LAKE = cpu(f"{AVX512} avx512_vnni", model=85)
ALDER_LAKE = cpu("avx2 fma avx_vnni", model=151)
HASWELL = cpu("avx2 fma", model=63)
NEHALEM = cpu("sse4_2", model=26)

WITH_AMX_FP16 = dataclasses.replace(ANSWERS, amx_fp16=True)
REFUSED = dataclasses.replace(ANSWERS, amx_permission=Permission(granted=False, reason="Operation not permitted"))


def conv(share: int, isa: Isa, dtype: str = "bf16", **changes: Any) -> Kernel:
    """A convolution that does this many of a hundred multiply-accumulates."""
    implementation = changes.pop("implementation", f"brgconv:{isa}")
    return kernel(share, macs=share, isa=isa, dtype=dtype, implementation=implementation, **changes)


def ran(*kernels: Kernel, **changes: Any) -> Evidence:
    """A pass of a hundred multiply-accumulates."""
    return evidence(kernels, **{"model_macs": 100, **changes})


def objections(
    seen: Evidence,
    expected: Expectation = BF16,
    *,
    cpu: Cpu = AMX,
    environ: Mapping[str, str] | None = None,
    require_amx: bool = False,
) -> tuple[Violation, ...]:
    return violations(seen, expected, cpu=cpu, environ=environ or {}, require_amx=require_amx)


@pytest.mark.parametrize(
    ("expected", "seen", "machine"),
    [
        (BF16, ran(conv(97, Isa.AMX), conv(3, Isa.AVX512, "fp32")), AMX),
        (BF16, ran(conv(90, Isa.AMX), conv(10, Isa.AVX512_BF16)), AMX),
        (INT8, ran(conv(100, Isa.AMX, "int8")), AMX),
        (BF16, ran(conv(100, Isa.AVX512_BF16)), ZEN4),
        (INT8, ran(conv(100, Isa.AVX512_VNNI, "int8")), ZEN4),
        # oneDNN's name for a better machine's instructions.
        (INT8, ran(conv(100, Isa.AVX512_BF16, "int8")), ZEN4),
        (BF16, ran(conv(100, Isa.AVX512)), CASCADE_LAKE),
        (INT8, ran(conv(100, Isa.AVX_VNNI, "int8")), ALDER_LAKE),
        (BF16, ran(conv(100, Isa.AVX512_BF16)), HIDDEN),
        (dataclasses.replace(BF16, dtype="fp32"), ran(conv(100, Isa.AVX512, "fp32")), AMX),
        # What does not tell its set: a part, all, all but what speaks for nothing else.
        (BF16, ran(conv(60, Isa.AMX), conv(40, Isa.UNKNOWN)), AMX),
        (BF16, ran(conv(100, Isa.UNKNOWN)), AMX),
        (BF16, ran(conv(96, Isa.UNKNOWN), conv(4, Isa.AVX512)), AMX),
        # Nothing to multiply: no type and no set to lose.
        (BF16, ran(kernel(1, **REORDER), model_macs=0), AMX),
        (BF16, ran(model_macs=0, forward_s=0.01), AMX),
    ],
    ids=[
        "amx", "enough-amx", "amx-int8", "zen4", "zen4-int8", "better-name", "cascade-lake", "alder-lake", "hidden",
        "fp32", "part-untold", "all-untold", "nearly-all-untold", "no-product", "no-kernel",
    ],
)  # fmt: skip
def test_as_expected(expected: Expectation, seen: Evidence, machine: Cpu) -> None:
    assert objections(seen, expected, cpu=machine) == ()


def test_capped_by_a_variable() -> None:
    seen = ran(conv(60, Isa.AVX512), conv(40, Isa.AVX512_BF16, implementation="brg_matmul:avx512_core_bf16"))
    (found,) = objections(seen, environ={"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"})
    assert dataclasses.replace(found, why="") == Violation(
        kind=Kind.ISA,
        expected=0.9,
        found=0.0,
        subject="bf16",
        where=("1 convolution brgconv:avx512 (bf16)", "1 convolution brg_matmul:avx512_core_bf16 (bf16)"),
        parts=(Part(name="avx512", share=0.6), Part(name="avx512-bf16", share=0.4)),
        best="amx",
        variable="ONEDNN_MAX_CPU_ISA",
    )
    assert found.why.endswith("switched off by ONEDNN_MAX_CPU_ISA=AVX512_CORE")


@pytest.mark.parametrize(
    ("cap", "expected", "kernel_isa", "best"),
    [
        ("AVX512_CORE", BF16, Isa.AVX512, "avx512-bf16"),
        ("AVX512_CORE_VNNI", BF16, Isa.AVX512_VNNI, "avx512-bf16"),
        ("AVX512_CORE", INT8, Isa.AVX512, "avx512-vnni"),
    ],
)
def test_capped_on_a_machine_without_amx(cap: str, expected: Expectation, kernel_isa: Isa, best: str) -> None:
    seen = ran(conv(100, kernel_isa, expected.dtype))
    (found,) = objections(seen, expected, cpu=ZEN4, environ={"ONEDNN_MAX_CPU_ISA": cap})
    assert (found.kind, found.subject, found.best) == (Kind.ISA, expected.dtype, best)
    assert (found.found, found.variable) == (0, "ONEDNN_MAX_CPU_ISA")


@pytest.mark.parametrize(
    ("isa", "machine", "answers", "environ", "best"),
    [
        (Isa.AVX512_FP16, AMX, ANSWERS, {}, None),
        (Isa.AVX512, AMX, ANSWERS, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}, "avx512-fp16"),
        (Isa.AVX512_FP16, AMX, WITH_AMX_FP16, {}, "amx"),
        (Isa.AMX, AMX, WITH_AMX_FP16, {}, None),
        # Nothing here multiplies it: what is emulated has nothing to lose.
        (Isa.AVX512, ZEN4, ANSWERS, {}, None),
    ],
    ids=["avx512-fp16", "capped", "amx-fp16-unused", "amx-fp16", "emulated"],
)
def test_fp16_is_held_against_what_multiplies_it(
    isa: Isa, machine: Cpu, answers: StackAnswers, environ: dict[str, str], best: str | None
) -> None:
    found = objections(ran(conv(100, isa, "fp16"), stack_answers=answers), FP16, cpu=machine, environ=environ)
    assert [(one.kind, one.best, one.variable) for one in found] == (
        [(Kind.ISA, best, next(iter(environ), ""))] if best else []
    )


def test_refused_by_the_kernel() -> None:
    (found,) = objections(ran(conv(100, Isa.AVX512_BF16), stack_answers=REFUSED))
    assert found.why.startswith("refused")
    assert found.why.endswith("tile registers: Operation not permitted")
    assert found.variable == ""


@pytest.mark.parametrize(
    ("shares", "best", "parts"),
    [
        ({Isa.AMX: 89, Isa.AVX512_BF16: 11}, 0.89, {"avx512-bf16": 0.11}),
        ({Isa.AMX: 89, Isa.GENERIC: 11}, 0.89, {"generic": 0.11}),
        # Untold is left out of the whole.
        ({Isa.AMX: 40, Isa.AVX512: 40, Isa.UNKNOWN: 20}, 0.5, {"avx512": 0.5}),
        ({Isa.UNKNOWN: 90, Isa.AVX512: 10}, 0.0, {"avx512": 1.0}),
        # A share that rounding makes is not worth a word.
        ({Isa.AMX: 500, Isa.AVX512: 496, Isa.AVX2: 4}, 0.5, {"avx512": 0.496}),
    ],
)
def test_unused_though_nothing_forbids_it(shares: dict[Isa, int], best: float, parts: dict[str, float]) -> None:
    (found,) = objections(ran(*(conv(share, isa) for isa, share in shares.items()), model_macs=sum(shares.values())))
    assert (found.kind, found.best, found.why) == (Kind.ISA, "amx", "")
    assert found.found == pytest.approx(best)
    assert {part.name: part.share for part in found.parts} == pytest.approx(parts)
    assert not any("unknown" in name or "amx" in name for name in found.where)


def test_where_the_library_does_not_tell_instructions_are_not_asked_for() -> None:
    untold = dataclasses.replace(BF16, least_best_isa_share=0)
    assert objections(ran(conv(100, Isa.AVX2)), untold) == ()
    assert objections(ran(conv(100, Isa.UNKNOWN)), untold, cpu=ZEN4, require_amx=True) == ()


@pytest.mark.parametrize("expected", [BF16, INT8])
def test_required_amx_that_a_hypervisor_hides(expected: Expectation) -> None:
    seen = ran(conv(100, Isa.AVX512_BF16, expected.dtype))
    (found,) = objections(seen, expected, cpu=HIDDEN, require_amx=True)
    assert found.key == (Kind.REQUIRED_ISA, "amx")
    assert f"amx_tile, amx_{expected.dtype}" in found.why
    for words in ("Sapphire Rapids (model 143)", "hidden", "likelier by the hypervisor"):
        assert words in found.why


def test_required_amx_on_a_processor_without_it() -> None:
    (found,) = objections(ran(conv(100, Isa.AVX512_BF16)), cpu=ZEN4, require_amx=True)
    assert (found.expected, found.found) == ("amx", "avx512-bf16")
    assert found.why.startswith("absent")
    assert found.why.endswith("amx_tile, amx_bf16")


@pytest.mark.parametrize(
    ("seen", "expected", "machine"),
    [
        (ran(conv(100, Isa.AMX)), BF16, AMX),
        (ran(conv(100, Isa.AVX512, "fp32")), dataclasses.replace(BF16, dtype="fp32"), ZEN4),
        (ran(model_macs=0, forward_s=0.01), BF16, ZEN4),
    ],
    ids=["there", "not-for-this-type", "nothing-to-multiply"],
)
def test_required_amx_that_is_not_missed(seen: Evidence, expected: Expectation, machine: Cpu) -> None:
    assert objections(seen, expected, cpu=machine, require_amx=True) == ()


def test_int8_that_ran_fp32() -> None:
    lost = [kernel(9, **{**FP32, "macs": 20, "count": 2, "problem": str(index)}) for index in range(4)]
    assert objections(ran(conv(20, Isa.AMX, "int8"), *lost), INT8) == (
        Violation(
            kind=Kind.PRECISION,
            expected=0.95,
            found=0.2,
            subject="int8",
            where=("8 convolution jit:avx512_core (fp32)",),
            parts=(Part(name="fp32", share=0.8),),
        ),
    )


@pytest.mark.parametrize(
    ("seen", "share", "where", "parts"),
    [
        (ran(conv(50, Isa.AMX), operator_kernel("aten::mm"), kernel(1, **REORDER)), 0.5, (), ()),
        (
            ran(conv(50, Isa.AMX), conv(30, Isa.UNKNOWN, "")),
            0.5,
            ("1 convolution brgconv:unknown ()",),
            (Part(name="", share=0.3),),
        ),
        (ran(forward_s=0.01), 0.0, (), ()),
    ],
    ids=["nobody", "untyped", "no-kernel"],
)
def test_work_that_nobody_or_no_type_accounts_for(
    seen: Evidence, share: float, where: tuple[str, ...], parts: tuple[Part, ...]
) -> None:
    (found,) = objections(seen)
    assert (found.kind, found.found, found.where, found.parts) == (Kind.PRECISION, share, where, parts)


@pytest.mark.parametrize(
    ("seen", "share", "parts"),
    [
        (
            ran(conv(98, Isa.AMX), kernel(2, operation="softmax", macs=0, reference=True), model_macs=98),
            0.02,
            (0, 0.02),
        ),
        (ran(conv(98, Isa.AMX), kernel(0, macs=2, isa=Isa.GENERIC, reference=True)), 0.02, (0.02, 0)),
    ],
    ids=["by-time", "by-work"],
)
def test_reference_kernels(seen: Evidence, share: float, parts: tuple[float, float]) -> None:
    (found,) = objections(seen)
    assert (found.kind, found.expected) == (Kind.REFERENCE_KERNELS, 0.01)
    assert found.found == pytest.approx(share)
    assert [part.name for part in found.parts] == ["work", "time"]
    assert [part.share for part in found.parts] == pytest.approx(parts)
    assert len(found.where) == 1


def test_few_reference_kernels_are_accepted() -> None:
    assert objections(ran(conv(100, Isa.AMX), kernel(0.9, operation="softmax", macs=0, reference=True))) == ()


def test_a_known_variant_is_asked_no_type_but_all_else() -> None:
    fp32 = conv(100, Isa.AVX512, "fp32")
    assert objections(ran(fp32), KNOWN, environ={"ONEDNN_MAX_CPU_ISA": "AVX2"}) == ()
    assert objections(ran(fp32), KNOWN, cpu=ZEN4, require_amx=True) == ()
    slow = dataclasses.replace(fp32, reference=True, implementation="ref:any")
    found = objections(
        ran(slow, graphs=graphs("print", compiled=0)), dataclasses.replace(KNOWN, least_compiled_graphs=1)
    )
    assert [one.kind for one in found] == [Kind.REFERENCE_KERNELS, Kind.GRAPH_BREAKS, Kind.COMPILED_GRAPHS]


def test_what_is_wrong_is_all_said() -> None:
    lost = conv(50, Isa.AVX512, "fp32", reference=True)
    found = objections(ran(conv(50, Isa.AVX512), lost, graphs=graphs("print")))
    assert [one.kind for one in found] == [Kind.PRECISION, Kind.ISA, Kind.REFERENCE_KERNELS, Kind.GRAPH_BREAKS]
    assert {one.against for one in found} == {Against.EXPECTATION}


def test_where_nothing_multiplies_the_type_there_is_no_silicon_to_lose() -> None:
    native = ran(operator_kernel("aten::thnn_conv2d"))
    assert objections(native, cpu=HASWELL) == ()
    assert [one.kind for one in objections(native, cpu=ZEN4)] == [Kind.PRECISION]
    reference = ran(conv(100, Isa.GENERIC, implementation="ref:any", reference=True))
    assert [one.kind for one in objections(reference, cpu=HASWELL)] == [Kind.REFERENCE_KERNELS]


def test_kernels_are_named_the_most_work_first() -> None:
    kernels = [conv(share, Isa.AMX, implementation=f"jit{share}", count=2) for share in (1, 7, 3)]
    assert names([*kernels, kernels[1]]) == (
        "4 convolution jit7 (bf16)",
        "2 convolution jit3 (bf16)",
        "2 convolution jit1 (bf16)",
    )
    assert names([operator_kernel("aten::mm")]) == ("1 aten::mm operator ()",)
    assert names([]) == ()


@pytest.mark.parametrize(
    ("environ", "kinds"),
    [({}, []), ({"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}, [Kind.ISA]), ({"OMP_NUM_THREADS": "2"}, [])],
    ids=["as it is", "switched off", "another variable"],
)
def test_work_that_tells_no_set_is_lost_where_a_variable_switched_the_best_off(
    environ: dict[str, str], kinds: list[Kind]
) -> None:
    untold = ran(conv(100, Isa.UNKNOWN, implementation="x64:gemm:jit"))
    found = objections(untold, cpu=ZEN4, environ=environ)
    assert [one.kind for one in found] == kinds
    assert [one.variable for one in found] == [name for name in environ if kinds]
