"""The best instruction set that a machine offers for a type, and what keeps inference from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from perfsuite.machine.cpu import Cpu
from perfsuite.machine.isa import Capability, capabilities
from perfsuite.records.isa import Isa
from perfsuite.records.machine import StackAnswers

#: For each type the capabilities that multiply it, the best first, and the kernels that show their use.
_LADDERS: Mapping[str, tuple[tuple[str, Isa], ...]] = {
    "bf16": (("amx-bf16", Isa.AMX), ("avx512-bf16", Isa.AVX512_BF16), ("avx512", Isa.AVX512)),
    "fp16": (("amx-fp16", Isa.AMX), ("avx512-fp16", Isa.AVX512_FP16)),
    "int8": (
        ("amx-int8", Isa.AMX),
        ("avx512-vnni", Isa.AVX512_VNNI),
        ("avx512", Isa.AVX512),
        ("avx-vnni", Isa.AVX_VNNI),
        ("avx2", Isa.AVX2),
    ),
    "fp32": (("avx512", Isa.AVX512), ("avx2", Isa.AVX2)),
}
_STRONGEST_FIRST = tuple(Isa)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """``best`` is what the hardware has; ``obstacle`` what keeps this process from using it, None if nothing does.

    GENERIC: the machine has nothing that multiplies the type, so that there is nothing to lose.
    """

    best: Isa
    obstacle: Capability | None


def at_least(isa: Isa, other: Isa) -> bool:
    """Whether a kernel built for ``isa`` is as strong as one for ``other``; one that does not tell is not."""
    return _STRONGEST_FIRST.index(isa) <= _STRONGEST_FIRST.index(other)


def offer(dtype: str, cpu: Cpu, environ: Mapping[str, str], answers: StackAnswers) -> Offer:
    """The best that the processor's flags promise, whatever the environment or the kernel then forbid.

    Linux never lists AMX-FP16: there the stack, which reads CPUID, speaks for the processor.
    """
    flags = cpu.flags | {"amx_fp16"} if answers.amx_fp16 else cpu.flags
    promised = {item.name: item for item in capabilities(replace(cpu, flags=flags), {}, None)}
    actual = {item.name: item for item in capabilities(cpu, environ, answers)}
    for name, isa in _LADDERS[dtype]:
        if promised[name].usable:
            return Offer(best=isa, obstacle=None if actual[name].usable else actual[name])
    return Offer(best=Isa.GENERIC, obstacle=None)


def amx(dtype: str, cpu: Cpu, environ: Mapping[str, str], answers: StackAnswers) -> Capability:
    """Whether AMX can be used for the type (bf16 or int8), and why or why not."""
    return next(item for item in capabilities(cpu, environ, answers) if item.name == f"amx-{dtype}")
