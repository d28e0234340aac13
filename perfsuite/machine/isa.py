"""Which instruction sets inference can use here, and if not, what stands in the way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from perfsuite.errors import PerfsuiteError
from perfsuite.machine.caps import aten_cap, left_by_ipex_level, onednn_cap
from perfsuite.machine.cpu import Cpu
from perfsuite.machine.stack import StackAnswers

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

# Family 6 models with AMX (Linux, arch/x86/include/asm/intel-family.h): they explain an absence, and are
# never taken for a presence.
_AMX_XEONS = {143: "Sapphire Rapids", 207: "Emerald Rapids", 173: "Granite Rapids"}
_FIRST_AMX_KERNEL = (5, 16)  # Linux 5.16 brought the AMX register state and the permission request


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """Whether inference can use an instruction set; the reason says why either way, the remedy what to do."""

    name: str
    usable: bool
    reason: str
    remedy: str = ""


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
    for obstacle in (
        _absent(name, cpu, answers),
        _not_enough_for_onednn(name, cpu),
        _refused(name, answers),
        _capped(name, environ, answers),
        _denied_by_stack(name, answers),
    ):
        if obstacle is not None:
            return obstacle
    return Capability(name=name, usable=True, reason=_grounds(name, answers))


def _absent(name: str, cpu: Cpu, answers: StackAnswers | None) -> Capability | None:
    lacking = [flag for flag in _NEEDS[name].flags if flag not in cpu.flags]
    if not lacking:
        return None
    if lacking == ["amx_fp16"]:
        return _amx_fp16_unlisted(answers)
    absence = f"absent from /proc/cpuinfo: {', '.join(lacking)}"
    # No Xeon before Granite Rapids has AMX-FP16, so its absence there hides nothing.
    generation = _amx_generation(cpu)
    if generation is None or (name == "amx-fp16" and generation != "Granite Rapids"):
        return Capability(name=name, usable=False, reason=absence)
    culprit, remedy = _hider(cpu)
    return Capability(
        name=name,
        usable=False,
        reason=f"{absence}; {generation} (model {cpu.model}) has it: hidden, likelier by {culprit}",
        remedy=remedy,
    )


def _amx_generation(cpu: Cpu) -> str | None:
    # Where vendor or family are missing the brand must do; some print it in capitals.
    is_intel = cpu.vendor == "GenuineIntel" or (not cpu.vendor and "intel" in cpu.model_name.lower())
    return _AMX_XEONS.get(cpu.model or 0) if is_intel and cpu.family in (6, None) else None


def _hider(cpu: Cpu) -> tuple[str, str]:
    version = re.match(r"(\d+)\.(\d+)", cpu.kernel)
    # Red Hat's 4.18 and 5.14 kernels list the flags: AMX was ported back to them.
    ported_back = re.search(r"\.el[89]", cpu.kernel) is not None
    if version and not ported_back and (int(version[1]), int(version[2])) < _FIRST_AMX_KERNEL:
        return (
            f"the kernel ({cpu.kernel}: AMX came with Linux 5.16) than by a hypervisor",
            "boot Linux 5.16 or newer, then run `perfsuite doctor` again",
        )
    kernel = f"the kernel ({cpu.kernel} knows AMX)" if version else "an old kernel"
    if cpu.hypervisor:
        return (
            f"the hypervisor than by {kernel}",
            "give the virtual machine the host's processor (QEMU: `-cpu host`), or choose a type with AMX",
        )
    return (
        f"the firmware or a boot parameter than by {kernel}: this is no virtual machine",
        "look for clearcpuid= or noxsave in /proc/cmdline and for a disabled AMX in the firmware's setup",
    )


def _amx_fp16_unlisted(answers: StackAnswers | None) -> Capability | None:
    if answers is not None and answers.amx_fp16:
        return None
    asked = answers is not None and answers.amx_fp16 is not None
    more = "torch reads CPUID and says no" if asked else "no stack here answers for it either"
    reason = f"unknown from /proc/cpuinfo, where Linux does not list amx_fp16; {more}"
    return Capability(name="amx-fp16", usable=False, reason=reason)


def _not_enough_for_onednn(name: str, cpu: Cpu) -> Capability | None:
    lacking = [flag for flag in dict.fromkeys(_NEEDS[name].onednn_flags) if flag not in cpu.flags]
    if not lacking:
        return None
    return Capability(
        name=name,
        usable=False,
        reason=f"in /proc/cpuinfo, but oneDNN uses it only together with {', '.join(lacking)}, absent here",
    )


def _refused(name: str, answers: StackAnswers | None) -> Capability | None:
    if not name.startswith("amx-") or answers is None or answers.amx_permission.granted:
        return None
    return Capability(
        name=name,
        usable=False,
        reason=f"the kernel refused the tile registers: {answers.amx_permission.reason}",
        remedy="allow arch_prctl in the container's seccomp profile; use Linux 5.16 or newer (host: 5.17)",
    )


def _capped(name: str, environ: Mapping[str, str], answers: StackAnswers | None) -> Capability | None:
    # Without answers ipex may be there: an unknown must not pass for a yes.
    reaches_onednn = answers is None or answers.versions.ipex is not None
    for cap in (onednn_cap(environ), aten_cap(environ) if reaches_onednn else None):
        if cap is not None and cap.left is not None and name not in cap.left:
            return Capability(
                name=name,
                usable=False,
                reason=f"in /proc/cpuinfo, but switched off by {cap.variable}={cap.value}",
                remedy=f"unset {cap.variable}",
            )
    return None


def _denied_by_stack(name: str, answers: StackAnswers | None) -> Capability | None:
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
    return Capability(
        name=name,
        usable=False,
        reason=f"in /proc/cpuinfo, but {denial}",
        remedy="install a newer torch, and the ipex of the same minor version, in this stack",
    )


def _grounds(name: str, answers: StackAnswers | None) -> str:
    if answers is None:
        return "in /proc/cpuinfo; no stack was asked"
    if name == "amx-fp16":
        return "torch reads it from CPUID; the kernel grants the tile registers"
    if name.startswith("amx-"):
        return "in /proc/cpuinfo; the kernel grants the tile registers; no cap"
    return "in /proc/cpuinfo; no cap"
