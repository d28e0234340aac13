"""What a machine's CPUs and one process have done up to a moment; two moments tell what happened between."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from perfsuite.machine.sysfs import text_of

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_MEGAHERTZ = re.compile(r"^cpu MHz\s*:\s*([\d.]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Seconds since boot (of the CPUs) and since the start of the processes that stand still, in ticks of 10 ms.

    ``busy_s`` leaves out what a hypervisor gave to others, ``steal_s``.
    """

    busy_s: float
    steal_s: float
    idle_s: float


def moment(cpus: Collection[int], idle: Collection[int], root: Path = Path("/")) -> Moment:
    """Read the CPUs' times and those of all threads of the processes ``idle``; one that is gone did nothing."""
    busy_s = steal_s = 0.0
    for line in text_of(root / "proc/stat").splitlines():
        name, *ticks = line.split()
        if name.startswith("cpu") and name[3:].isdecimal() and int(name[3:]) in cpus:
            # user nice system idle iowait irq softirq steal (man 5 proc); guest time is part of user
            user, nice, system, _, _, irq, softirq, steal = map(int, ticks[:8])
            busy_s += (user + nice + system + irq + softirq) * _TICK_S
            steal_s += steal * _TICK_S
    idle_s = 0.0
    for pid in idle:
        # The command, which may hold anything, ends with the last bracket; utime and stime are fields 14 and 15.
        fields = text_of(root / "proc" / str(pid) / "stat").rpartition(")")[2].split()
        idle_s += sum(map(int, fields[11:13])) * _TICK_S
    return Moment(busy_s=busy_s, steal_s=steal_s, idle_s=idle_s)


def frequency_mhz(cpus: Collection[int], root: Path = Path("/")) -> float | None:
    """The mean over the CPUs, as the kernel reads it; in a virtual machine often a constant, None if untold."""
    told = _MEGAHERTZ.findall(text_of(root / "proc/cpuinfo"))
    mine = [float(value) for number, value in enumerate(told) if number in cpus]
    return sum(mine) / len(mine) if mine else None
