"""The best instruction set of each machine, and what keeps a process from it."""

from __future__ import annotations

import dataclasses

import pytest
from builders import ANSWERS
from test_gates import ALDER_LAKE, CASCADE_LAKE, HASWELL, HIDDEN, NEHALEM, REFUSED, ZEN4
from test_machine_isa import ABOVE, AMX, AVX512, STOCK, cpu

from perfsuite.gates.offer import amx, at_least, offer
from perfsuite.machine.cpu import Cpu
from perfsuite.records.isa import Isa
from perfsuite.records.machine import StackAnswers


@pytest.mark.parametrize(
    ("machine", "bf16", "fp16", "int8", "fp32"),
    [
        (AMX, Isa.AMX, Isa.AVX512_FP16, Isa.AMX, Isa.AVX512),
        (HIDDEN, Isa.AVX512_BF16, Isa.GENERIC, Isa.AVX512_VNNI, Isa.AVX512),
        (ZEN4, Isa.AVX512_BF16, Isa.GENERIC, Isa.AVX512_VNNI, Isa.AVX512),
        (CASCADE_LAKE, Isa.AVX512, Isa.GENERIC, Isa.AVX512_VNNI, Isa.AVX512),
        (cpu(AVX512, model=85), Isa.AVX512, Isa.GENERIC, Isa.AVX512, Isa.AVX512),
        (ALDER_LAKE, Isa.GENERIC, Isa.GENERIC, Isa.AVX_VNNI, Isa.AVX2),
        (HASWELL, Isa.GENERIC, Isa.GENERIC, Isa.AVX2, Isa.AVX2),
        (NEHALEM, Isa.GENERIC, Isa.GENERIC, Isa.GENERIC, Isa.GENERIC),
        # oneDNN wants both types of AMX, or takes neither.
        (cpu(f"{AVX512} {ABOVE} amx_tile amx_bf16"), Isa.AVX512_BF16, Isa.AVX512_FP16, Isa.AVX512_VNNI, Isa.AVX512),
    ],
    ids=["amx", "hidden", "zen4", "cascade-lake", "skylake", "alder-lake", "haswell", "nehalem", "half-amx"],
)
def test_the_best_of_each_machine(machine: Cpu, bf16: Isa, fp16: Isa, int8: Isa, fp32: Isa) -> None:
    offers = [offer(dtype, machine, {}, STOCK) for dtype in ("bf16", "fp16", "int8", "fp32")]
    assert [one.best for one in offers] == [bf16, fp16, int8, fp32]
    assert [one.obstacle for one in offers] == [None, None, None, None]


#: The flags of a Granite Rapids: Linux does not list what it has beyond a Sapphire Rapids.
GRANITE = dataclasses.replace(AMX, model=173)
READ = dataclasses.replace(STOCK, amx_fp16=True)


@pytest.mark.parametrize(
    ("machine", "answers", "environ", "best", "variable"),
    [
        (GRANITE, READ, {}, Isa.AMX, None),
        (GRANITE, READ, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_AMX"}, Isa.AMX, "ONEDNN_MAX_CPU_ISA"),
        (GRANITE, dataclasses.replace(STOCK, amx_fp16=False), {}, Isa.AVX512_FP16, None),
        # A stack too old to be asked promises nothing.
        (GRANITE, dataclasses.replace(STOCK, amx_fp16=None), {}, Isa.AVX512_FP16, None),
        # The tiles are hidden, or without what oneDNN wants beside them.
        (cpu(f"{AVX512} {ABOVE}", model=173), READ, {}, Isa.AVX512_FP16, None),
        (ZEN4, READ, {}, Isa.GENERIC, None),
    ],
    ids=["read", "read-and-capped", "absent", "not-asked", "tiles-hidden", "another-machine"],
)
def test_amx_fp16_is_offered_where_the_stack_reads_it(
    machine: Cpu, answers: StackAnswers, environ: dict[str, str], best: Isa, variable: str | None
) -> None:
    offered = offer("fp16", machine, environ, answers)
    assert offered.best is best
    assert (offered.obstacle.variable if offered.obstacle else None) == variable


def test_an_obstacle_does_not_lower_what_the_machine_offers() -> None:
    capped = offer("bf16", AMX, {"DNNL_MAX_CPU_ISA": "AVX2"}, STOCK)
    assert capped.best is Isa.AMX
    assert capped.obstacle
    assert (capped.obstacle.variable, capped.obstacle.remedy) == ("DNNL_MAX_CPU_ISA", "unset DNNL_MAX_CPU_ISA")


def test_what_no_variable_forbids_names_none() -> None:
    refused = offer("bf16", AMX, {}, REFUSED)
    assert refused.obstacle
    assert refused.obstacle.variable == ""


@pytest.mark.parametrize(
    ("other", "strong"),
    [
        (Isa.AMX, {Isa.AMX}),
        (Isa.AVX512_BF16, {Isa.AMX, Isa.AVX10_2, Isa.AVX512_FP16, Isa.AVX512_BF16}),
        (Isa.AVX2, set(Isa) - {Isa.AVX, Isa.SSE41, Isa.GENERIC, Isa.UNKNOWN}),
        (Isa.GENERIC, set(Isa) - {Isa.UNKNOWN}),
    ],
)
def test_what_is_at_least_as_strong(other: Isa, strong: set[Isa]) -> None:
    assert {isa for isa in Isa if at_least(isa, other)} == strong


def test_amx_is_asked_for_each_type() -> None:
    assert [amx(dtype, AMX, {}, ANSWERS).name for dtype in ("bf16", "int8")] == ["amx-bf16", "amx-int8"]
    assert amx("int8", AMX, {}, ANSWERS).usable
    assert not amx("int8", AMX, {}, REFUSED).usable
