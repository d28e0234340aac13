"""Which instruction sets inference can use here and does use, and if not, what stands in the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from perfsuite.errors import PerfsuiteError
from perfsuite.machine import amx
from perfsuite.machine.caps import aten_cap, left_by_ipex_level, onednn_cap
from perfsuite.machine.cpu import Cpu
from perfsuite.machine.standing import Standing, State
from perfsuite.records.machine import StackAnswers

# What oneDNN wants in the CPU before it uses an instruction set: `mayiuse` in oneDNN's cpu_isa_traits.hpp
# (3.7 to 3.12). One AMX level there needs both AMX types, AVX512-FP16 and AVX-VNNI.
_AVX512 = ("avx512f", "avx512bw", "avx512vl", "avx512dq")
_AVX512_BF16 = (*_AVX512, "avx512_vnni", "avx512_bf16")
_AVX512_FP16 = (*_AVX512_BF16, "avx512_fp16", "avx_vnni")
_AMX = ("amx_tile", "amx_bf16", "amx_int8")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Need:
    flags: tuple[str, ...]  # the instructions themselves
    onednn_flags: tuple[str, ...] = ()  # and what oneDNN insists on besides


_NEEDS = {
    "amx-bf16": _Need(flags=("amx_tile", "amx_bf16"), onednn_flags=(*_AMX, *_AVX512_FP16)),
    "amx-int8": _Need(flags=("amx_tile", "amx_int8"), onednn_flags=(*_AMX, *_AVX512_FP16)),
    "amx-fp16": _Need(flags=("amx_tile", "amx_fp16"), onednn_flags=(*_AMX, *_AVX512_FP16)),
    "avx512-bf16": _Need(flags=("avx512_bf16",), onednn_flags=_AVX512_BF16),
    "avx512-vnni": _Need(flags=("avx512_vnni",), onednn_flags=_AVX512),
    "avx-vnni": _Need(flags=("avx_vnni",), onednn_flags=("avx2",)),
    "avx512-fp16": _Need(flags=("avx512_fp16",), onednn_flags=_AVX512_FP16),
    "avx512": _Need(flags=_AVX512),
    "avx2": _Need(flags=("avx2", "fma")),
}
NAMES = tuple(_NEEDS)
REQUIREMENTS = {"amx": ("amx-bf16", "amx-int8"), **{name: (name,) for name in NAMES}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability(Standing):
    """How one instruction set stands."""

    name: str

    @property
    def usable(self) -> bool:
        """Whether inference can use it, as far as known."""
        return self.state in (State.USED, State.PRESENT)

    @property
    def reason(self) -> str:
        """The state and the grounds for it, in one sentence."""
        return f"{self.state}: {self.detail}"


def capabilities(cpu: Cpu, environ: Mapping[str, str], stack_answers: StackAnswers | None) -> tuple[Capability, ...]:
    """Every capability of NAMES, in that order; without a stack's answers cpuinfo and caps alone decide."""
    return tuple(_capability(name, cpu, environ, stack_answers) for name in NAMES)


def check_requirement(required: str) -> None:
    """Raise PerfsuiteError, with the valid names, unless `required` is `amx` or one of NAMES."""
    if required not in REQUIREMENTS:
        valid = ", ".join(REQUIREMENTS)
        raise PerfsuiteError(f"unknown requirement {required!r}; the valid names are {valid}.")


def missing(required: str, found: tuple[Capability, ...]) -> tuple[Capability, ...]:
    """The unusable capabilities among those that `required` (`amx` or one of NAMES) stands for."""
    check_requirement(required)
    return tuple(item for item in found if item.name in REQUIREMENTS[required] and not item.usable)


def _capability(name: str, cpu: Cpu, environ: Mapping[str, str], answers: StackAnswers | None) -> Capability:
    found = _standing(name, cpu, environ, answers)
    return Capability(name=name, state=found.state, detail=found.detail, remedy=found.remedy, variable=found.variable)


def _standing(name: str, cpu: Cpu, environ: Mapping[str, str], answers: StackAnswers | None) -> Standing:
    is_amx, dtype = name.startswith("amx-"), name.removeprefix("amx-")
    return (
        # What was seen to run outweighs every list, level and variable.
        (amx.used(dtype, answers) if is_amx else None)
        or _absent(name, cpu, answers)
        or _not_enough_for_onednn(name, cpu)
        or (amx.refused(answers) if is_amx else None)
        or _capped(name, environ, answers)
        or _denied_by_stack(name, answers)
        or (amx.unused(dtype, answers) if name in REQUIREMENTS["amx"] else None)
        or Standing(state=State.PRESENT, detail=_grounds(name, answers))
    )


def _lacking(flags: Iterable[str], cpu: Cpu) -> list[str]:
    return [flag for flag in dict.fromkeys(flags) if flag not in cpu.flags]


def _absent(name: str, cpu: Cpu, answers: StackAnswers | None) -> Standing | None:
    lacking = _lacking(_NEEDS[name].flags, cpu)
    if not lacking:
        return None
    if lacking == ["amx_fp16"]:
        return amx.fp16_unlisted(answers)
    absence = f"/proc/cpuinfo lacks {', '.join(lacking)}"
    generation = amx.generation(cpu)
    # No Xeon before Granite Rapids has AMX-FP16, so its absence there hides nothing.
    if generation is None or (name == "amx-fp16" and generation != "Granite Rapids"):
        return Standing(state=State.ABSENT, detail=absence)
    return amx.hidden(cpu, f"{generation} (model {cpu.model}) has it, {absence}")


def _not_enough_for_onednn(name: str, cpu: Cpu) -> Standing | None:
    lacking = _lacking(_NEEDS[name].onednn_flags, cpu)
    if not lacking:
        return None
    return Standing(
        state=State.UNUSED,
        detail=f"in /proc/cpuinfo, but oneDNN uses it only together with {', '.join(lacking)}, absent here",
    )


def _capped(name: str, environ: Mapping[str, str], answers: StackAnswers | None) -> Standing | None:
    # Without answers ipex may be there: an unknown must not pass for a yes.
    reaches_ipex = answers is None or answers.has_ipex
    for cap, where in ((onednn_cap(environ), ""), (aten_cap(environ) if reaches_ipex else None, " in ipex")):
        if cap is not None and cap.left is not None and name not in cap.left:
            return Standing(
                state=State.CAPPED,
                detail=f"in /proc/cpuinfo, but switched off by {cap.variable}={cap.value}{where}"
                f"{_kernels(name, answers)}",
                remedy=f"unset {cap.variable}",
                variable=cap.variable,
            )
    return None


def _denied_by_stack(name: str, answers: StackAnswers | None) -> Standing | None:
    if answers is None:
        return None
    denial = ""
    if name.startswith("amx-") and answers.amx_tile is False:
        denial = "torch.cpu._is_amx_tile_supported() says no"
    left = left_by_ipex_level(answers.ipex_onednn_isa)
    # Some ipex versions have no level of their own for AMX-FP16.
    if left is not None and name not in left and name != "amx-fp16":
        denial = f"ipex's oneDNN works at level {answers.ipex_onednn_isa}"
    if not denial:
        return None
    return Standing(
        state=State.DENIED,
        detail=f"in /proc/cpuinfo, but {denial}{_kernels(name, answers)}",
        remedy=amx.NEWER_STACK,
    )


def _grounds(name: str, answers: StackAnswers | None) -> str:
    if answers is None:
        return "in /proc/cpuinfo; no stack was asked"
    if name == "amx-fp16":
        return "read from CPUID by the stack; the kernel grants the tile registers"
    if name.startswith("amx-"):
        return f"in /proc/cpuinfo; the kernel grants the tile registers; no cap{_kernels(name, answers)}"
    return "in /proc/cpuinfo; no cap"


def _kernels(name: str, answers: StackAnswers | None) -> str:
    """What multiplied the type of an AMX capability, to be added to a sentence; empty if nothing was tried."""
    trial = answers.trial if answers is not None else None
    products = trial.of_dtype(name.removeprefix("amx-")) if trial is not None and name.startswith("amx-") else ()
    return f"; {amx.kernels(products, trial)}" if trial is not None and products else ""
