"""Where workers run: how many threads, on which CPUs, and so in which machine class."""

from __future__ import annotations

from dataclasses import dataclass

from perfsuite.errors import UsageError
from perfsuite.machine.cpu import one_cpu_per_core, read_cpu
from perfsuite.machine.fingerprint import machine_class
from perfsuite.records.machine import MachineClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """``cpus`` are the logical CPUs that every worker is pinned to, one for each thread."""

    cpus: tuple[int, ...]
    threads: int
    machine: MachineClass


def place(threads: int | None) -> Placement:
    """``threads`` None means one for each usable physical core; UsageError if there are fewer CPUs."""
    cpu = read_cpu()
    cores = one_cpu_per_core(cpu)
    wanted = threads or len(cores)
    if wanted > len(cpu.usable_cpus):
        raise UsageError(f"threads {wanted} is more than the {len(cpu.usable_cpus)} CPUs this process may use")
    # usable_cpus has one CPU of each core first: siblings are taken only when cores run out.
    return Placement(cpus=cpu.usable_cpus[:wanted], threads=wanted, machine=machine_class(cpu, wanted))
