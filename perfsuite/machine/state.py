"""What two sessions of one machine class may differ in: kernel, microcode, frequency, memory, load. Pure readings."""

from __future__ import annotations

import re
from pathlib import Path

from perfsuite.machine.cpu import Cpu
from perfsuite.machine.sysfs import text_of
from perfsuite.records.session import MachineState

_MICROCODE = re.compile(r"^microcode\s*:\s*(\S+)", re.MULTILINE)


def machine_state(cpu: Cpu, root: Path = Path("/")) -> MachineState:
    """The state of the machine under `root` at this moment."""
    microcode = _MICROCODE.search(text_of(root / "proc/cpuinfo"))
    turbo = turbo_on(root)
    return MachineState(
        node=text_of(root / "proc/sys/kernel/hostname") or None,
        kernel=cpu.kernel or None,
        microcode=microcode[1] if microcode else None,
        governor=", ".join(governors(root, cpu)) or None,
        turbo=None if turbo is None else "on" if turbo else "off",
        huge_pages=huge_pages(root) or None,
        load_1min=load_1min(root),
    )


def governors(root: Path, cpu: Cpu) -> list[str]:
    """Those of the usable cpus, each once; none where the host chooses the frequency."""
    folder = root / "sys/devices/system/cpu"
    files = [folder / f"cpu{number}/cpufreq/scaling_governor" for number in cpu.usable_cpus]
    return sorted({governor for path in files if (governor := text_of(path))})


def turbo_on(root: Path) -> bool | None:
    """Whether the frequency may exceed the nominal one; None if nothing here tells."""
    cpus = root / "sys/devices/system/cpu"
    for path, value_when_on in ((cpus / "intel_pstate/no_turbo", "0"), (cpus / "cpufreq/boost", "1")):
        if value := text_of(path):
            return value == value_when_on
    return None


def huge_pages(root: Path) -> str:
    """The mode of transparent huge pages; empty if it is not shown."""
    return text_of(root / "sys/kernel/mm/transparent_hugepage/enabled").partition("[")[2].partition("]")[0]


def load_1min(root: Path) -> float | None:
    """The load average over the last minute; None if it cannot be read."""
    fields = text_of(root / "proc/loadavg").split()
    return float(fields[0]) if fields else None
