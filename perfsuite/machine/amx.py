"""AMX: seen in use or not, refused by the kernel, hidden by whom."""

from __future__ import annotations

import re
from collections.abc import Iterable

from perfsuite.machine.cpu import Cpu
from perfsuite.machine.standing import Standing, State
from perfsuite.records.machine import Product, StackAnswers, Trial

NEWER_STACK = "install a newer torch, and the ipex of the same minor version, in this stack"
BY_HAND = "run it by hand to see everything: python -m perfsuite.worker.probe --output-fd 1"

# Family 6 models with AMX (Linux, arch/x86/include/asm/intel-family.h): they explain an absence, and are
# never taken for a presence.
_XEONS = {143: "Sapphire Rapids", 207: "Emerald Rapids", 173: "Granite Rapids"}
_FIRST_KERNEL = (5, 16)  # Linux 5.16 brought the AMX register state and the permission request


def used(dtype: str, answers: StackAnswers | None) -> Standing | None:
    """Seen in use: every product of `dtype` ran on AMX, and no copy of oneDNN in the stack is without it."""
    trial = answers.trial if answers is not None else None
    if answers is None or trial is None:
        return None
    products = trial.of_dtype(dtype)
    if not products or not all(trial.used_amx(product) for product in products):
        return None
    libraries = ["torch", "ipex"] if answers.has_ipex else ["torch"]
    if not all((copy := trial.copy_of(library)) and copy.amx for library in libraries):
        return None
    return Standing(state=State.USED, detail=kernels(products, trial))


def unused(dtype: str, answers: StackAnswers | None) -> Standing | None:
    """Tried, and seen to be left unused, or the trial came to grief."""
    trial = answers.trial if answers is not None else None
    if trial is None:
        return None
    if trial.failure:
        detail = f"in /proc/cpuinfo, but the process that tried a matrix product {trial.failure}"
        return Standing(state=State.UNUSED, detail=detail, remedy=BY_HAND)
    without = [product for product in trial.of_dtype(dtype) if trial.used_amx(product) is False]
    if not without:
        return None
    copies = [copy for product in without if (copy := trial.copy_of(product.library))]
    if not all(product.implementations for product in without):
        remedy = "install a torch that is built with oneDNN, as those for x86-64 on PyPI are"
    elif all(copy.amx is not False for copy in copies):
        remedy = "ONEDNN_VERBOSE=all before the command that runs a model tells why oneDNN passes AMX over"
    else:
        remedy = NEWER_STACK
    return Standing(state=State.UNUSED, detail=f"in /proc/cpuinfo, but {kernels(without, trial)}", remedy=remedy)


def kernels(products: Iterable[Product], trial: Trial) -> str:
    """Which copy of oneDNN multiplies with what, or that none does."""
    told = []
    for product in products:
        copy = trial.copy_of(product.library)
        whose = f"{product.library}'s oneDNN {copy.version}" if copy else f"{product.library}'s oneDNN"
        names = " and ".join(product.implementations)
        told.append(
            f"{whose} multiplies {product.dtype} with {names}"
            if names
            else f"{product.library} multiplies {product.dtype} without oneDNN"
        )
    return ", ".join(told)


def refused(answers: StackAnswers | None) -> Standing | None:
    """The kernel does not let a process use the tile registers."""
    if answers is None or answers.amx_permission.granted:
        return None
    return Standing(
        state=State.REFUSED,
        detail=f"the kernel gave no tile registers: {answers.amx_permission.reason}",
        remedy="allow arch_prctl in the container's seccomp profile; use Linux 5.16 or newer (host: 5.17)",
    )


def fp16_unlisted(answers: StackAnswers | None) -> Standing | None:
    """What is known of AMX-FP16, which Linux never lists; None if the stack has it."""
    copies = answers.trial.copies if answers is not None and answers.trial is not None else ()
    if answers is not None and (answers.amx_fp16 or any(copy.amx_fp16 for copy in copies)):
        return None
    asked = answers is not None and answers.amx_fp16 is not None
    said = ["torch reads CPUID and says no"] if asked else []
    said += ["no header of oneDNN names it"] if copies else []
    return Standing(
        state=State.ABSENT if said else State.UNKNOWN,
        detail=f"Linux does not list amx_fp16 in /proc/cpuinfo; {', '.join(said) or 'no stack here answers for it'}",
    )


def generation(cpu: Cpu) -> str | None:
    """The Xeon generation if it is one that has AMX, whatever its flags say."""
    # Where vendor or family are missing the brand must do; some print it in capitals.
    is_intel = cpu.vendor == "GenuineIntel" or (not cpu.vendor and "intel" in cpu.model_name.lower())
    return _XEONS.get(cpu.model or 0) if is_intel and cpu.family in (6, None) else None


def hidden(cpu: Cpu, what: str) -> Standing:
    """Who likely hides what every processor of this generation has; `what` completes the grounds."""
    version = re.match(r"(\d+)\.(\d+)", cpu.kernel)
    # Red Hat's 4.18 and 5.14 kernels list the flags: AMX was ported back to them.
    ported_back = re.search(r"\.el[89]", cpu.kernel) is not None
    kernel = f"the kernel ({cpu.kernel} knows AMX)" if version else "an old kernel"
    if version and not ported_back and (int(version[1]), int(version[2])) < _FIRST_KERNEL:
        culprit = f"the kernel ({cpu.kernel}: AMX came with Linux 5.16) than by a hypervisor"
        remedy = "boot Linux 5.16 or newer, then run `perfsuite doctor` again"
    elif cpu.hypervisor:
        culprit = f"the hypervisor than by {kernel}"
        remedy = "give the virtual machine the host's processor (QEMU: `-cpu host`), or choose a type with AMX"
    else:
        culprit = f"the firmware or a boot parameter than by {kernel}, as this is no virtual machine"
        remedy = "look for clearcpuid= or noxsave in /proc/cmdline and for a disabled AMX in the firmware's setup"
    return Standing(state=State.HIDDEN, detail=f"likelier by {culprit}; {what}", remedy=remedy)
