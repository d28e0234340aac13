"""Where workers run: how many at once, with how many threads, on which CPUs, and so in which machine class."""

from __future__ import annotations

from perfsuite.machine import placement
from perfsuite.machine.cpu import read_cpu
from perfsuite.machine.fingerprint import machine_class
from perfsuite.machine.numactl import binding
from perfsuite.machine.placement import Wish
from perfsuite.records.machine import MachineClass
from perfsuite.records.placement import LaunchMode, Placement
from perfsuite.settings import Settings


def place(settings: Settings) -> Placement:
    """The placement that the settings come to on this machine; UsageError if it has too few CPUs."""
    return placement.place(read_cpu(), wish(settings), binding)


def wish(settings: Settings) -> Wish:
    """What the settings say of it."""
    return Wish(
        cores=settings.cores,
        numa_node=settings.numa_node,
        instances=settings.instances,
        threads=settings.threads,
        mode=LaunchMode(settings.launch_mode) if settings.launch_mode else None,
    )


def class_of(where: Placement) -> MachineClass:
    """The class of this machine when workers run there."""
    return machine_class(read_cpu(), where)
