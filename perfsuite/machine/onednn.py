"""The doctor's findings about oneDNN: what each copy says of itself, and whether the AMX unit was busy."""

from __future__ import annotations

from collections.abc import Iterator

from perfsuite.machine import amx
from perfsuite.machine.cpu import Cpu
from perfsuite.machine.finding import Finding, note, ok, warning
from perfsuite.machine.isa import Capability
from perfsuite.machine.standing import State
from perfsuite.records.machine import OneDnn, StackAnswers, Trial


def onednn_findings(cpu: Cpu, found: tuple[Capability, ...], answers: StackAnswers | None) -> Iterator[Finding]:
    """One finding for each header, for each product that did not run, and for perf's counter."""
    trial = answers.trial if answers is not None else None
    if trial is None:
        return
    amx_bf16 = next(capability for capability in found if capability.name == "amx-bf16")
    for copy in trial.copies:
        yield _header(copy, cpu, amx_bf16)
    if trial.failure:
        yield warning("oneDNN", f"the process that tried a matrix product {trial.failure}", amx.BY_HAND)
        return
    for product in trial.products:
        if product.error:
            yield note("oneDNN", f"{product.library} multiplied no {product.dtype} matrices: {product.error}")
    if "amx_tile" in cpu.flags:
        yield _busy(trial, used=amx_bf16.state is State.USED)


def _header(copy: OneDnn, cpu: Cpu, amx_bf16: Capability) -> Finding:
    said = f"{copy.library}'s {copy.version}: {copy.isa}"
    if not copy.isa:
        return note("oneDNN", f"{said}its header names no instruction set that is known here")
    listed = "amx_tile" in cpu.flags
    if copy.amx and not listed:
        return note(
            "oneDNN",
            f"{said}; /proc/cpuinfo lists no AMX: oneDNN asks the processor itself",
            "look for clearcpuid= in /proc/cmdline, and for a sandbox that makes up its own /proc/cpuinfo",
        )
    if listed and not copy.amx:
        # Where AMX is usable the other copy has it, and this one alone is to blame.
        why, remedy = ("too old or built without it", amx.NEWER_STACK)
        if not amx_bf16.usable:
            why, remedy = f"{amx_bf16.state}, see amx-bf16", amx_bf16.remedy or amx.NEWER_STACK
        return warning("oneDNN", f"{said}; /proc/cpuinfo lists AMX, this copy has none ({why})", remedy)
    return ok("oneDNN", said)


def _busy(trial: Trial, *, used: bool) -> Finding:
    cycles = trial.amx_busy_cycles
    if cycles is None:
        return note(
            "amx_busy",
            f"perf's exe.amx_busy cannot be read: {trial.amx_busy_reason}",
            "a virtual machine needs a PMU, a container leave to call perf_event_open, "
            "and kernel.perf_event_paranoid must be 2 or less",
        )
    if cycles == 0 and used:
        return note("amx_busy", "perf's exe.amx_busy: 0 cycles, though AMX kernels ran: this PMU does not count it")
    return ok("amx_busy", f"perf's exe.amx_busy: {cycles} cycles in all products")
