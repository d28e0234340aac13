"""The doctor's findings about the host: cores, frequency, memory, load. Pure readings of /proc and /sys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from perfsuite.machine.cpu import Cpu, one_cpu_per_core
from perfsuite.machine.finding import Finding, note, ok, warning
from perfsuite.machine.state import governors, huge_pages, load_1min, turbo_on
from perfsuite.machine.sysfs import text_of
from perfsuite.records.placement import Binding, Placement

# Own judgement: one busy core in four disturbs every parallel iteration; less may be the doctor itself.
_LOAD_PER_CPU = 0.25
# Own judgement: BERT-base at batch 128 x 512 tokens, its reference and a second worker side by side.
_MEMORY_AVAILABLE_GIB = 8.0
# Own judgement: less than this is a few idle daemons that will not come back during a run.
_SWAP_USED_MIB = 64.0
# Own judgement: a fifth of the 5 % slowdown that the suite looks for.
_STEAL_FRACTION = 0.01
_STEAL_TICKS = 2  # one tick (10 ms) may be rounding: it is all a 0.2 s window can resolve
STEAL_WINDOW_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTicks:
    """Clock ticks of all cpus since boot: those a hypervisor gave to others, and all of them."""

    steal: int
    total: int


def host_findings(root: Path, cpu: Cpu, where: Placement, sleep: Callable[[float], None]) -> Iterator[Finding]:
    """Everything about the host under `root`, on which workers run there.

    `sleep` passes the window in which steal time is sampled.
    """
    yield _affinity(cpu)
    yield _quota(root, cpu)
    yield _governor(root, cpu)
    yield _turbo(root)
    yield _huge_pages(root)
    yield _load(root, cpu)
    yield from _memory(root)
    yield _numa(cpu, where)
    yield _virtualisation(root, cpu, sleep)


def cpu_ticks(stat: str) -> CpuTicks:
    """The ticks in the first line of /proc/stat."""
    # user nice system idle iowait irq softirq steal; guest time, which follows, is part of user (man 5 proc).
    ticks = [int(field) for field in stat.splitlines()[0].split()[1:9]]
    return CpuTicks(steal=ticks[7] if len(ticks) > 7 else 0, total=sum(ticks))


def _affinity(cpu: Cpu) -> Finding:
    usable, cores = len(cpu.usable_cpus), len(one_cpu_per_core(cpu))
    shape = f"{cpu.physical_cores} cores, {cpu.logical_cpus} logical cpus"
    if usable < cpu.logical_cpus:
        return note(
            "cores",
            f"{shape}; this process may use {usable} of them, on {cores} core{'' if cores == 1 else 's'}",
            f"taskset -c 0-{cpu.logical_cpus - 1} ..., or start the container without --cpuset-cpus",
        )
    return ok("cores", f"{shape}, all usable")


def _quota(root: Path, cpu: Cpu) -> Finding:
    quota = cpu.quota_cpus
    if not text_of(root / "proc/self/cgroup"):
        return note("cpu quota", "/proc/self/cgroup cannot be read: a limit on cpu time would not show")
    if quota is None:
        return ok("cpu quota", "no control group limits cpu time")
    if quota >= len(cpu.usable_cpus):
        return ok("cpu quota", f"{quota:g} cpus, enough for the {len(cpu.usable_cpus)} usable ones")
    return warning(
        "cpu quota",
        f"{quota:g} cpus for {len(cpu.usable_cpus)} usable ones: more threads than that are stopped in mid-iteration, "
        "so that perfsuite starts no more",
        "pin instead: docker run --cpuset-cpus=... in place of --cpus=...; in Kubernetes the static CPU manager",
    )


def _governor(root: Path, cpu: Cpu) -> Finding:
    found = governors(root, cpu)
    if not found:
        return note("governor", "no cpufreq here (usual in a virtual machine): the host chooses the frequency")
    if found == ["performance"]:
        return ok("governor", "performance")
    return warning(
        "governor",
        f"{', '.join(found)}: the frequency follows the load, so that short runs are slower",
        "sudo cpupower frequency-set -g performance",
    )


def _turbo(root: Path) -> Finding:
    turbo = turbo_on(root)
    if turbo is None:
        return note("turbo", "not shown here (usual in a virtual machine)")
    if not turbo:
        return ok("turbo", "off: the frequency is steady")
    cpus = Path("/sys/devices/system/cpu")
    intel = text_of(root / "sys/devices/system/cpu/intel_pstate/no_turbo")
    off = f"echo 1 | sudo tee {cpus}/intel_pstate/no_turbo" if intel else f"echo 0 | sudo tee {cpus}/cpufreq/boost"
    return note("turbo", "on: the frequency depends on temperature and on the neighbours' load", off)


def _huge_pages(root: Path) -> Finding:
    chosen = huge_pages(root)
    if not chosen:
        return note("huge pages", "transparent huge pages are not shown here")
    if chosen == "never":
        return note(
            "huge pages",
            "transparent huge pages are off: large weights cost more TLB misses",
            "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled",
        )
    return ok("huge pages", chosen)


def _load(root: Path, cpu: Cpu) -> Finding:
    load, usable = load_1min(root), len(cpu.usable_cpus)
    if load is None:
        return note("load", "/proc/loadavg cannot be read")
    summary = f"load average {load:g} over the last minute, {usable} usable cpus"
    if load <= _LOAD_PER_CPU * usable:
        return ok("load", summary)
    return warning("load", f"{summary}: others compute too", "find them with `top -o %CPU` and wait or stop them")


def _memory(root: Path) -> Iterator[Finding]:
    fields = [line.split() for line in text_of(root / "proc/meminfo").splitlines()]
    kib = {field[0].rstrip(":"): int(field[1]) for field in fields if len(field) > 1 and field[1].isdecimal()}
    if "MemAvailable" not in kib:
        yield note("memory", "/proc/meminfo cannot be read")
        return
    available_gib = kib["MemAvailable"] / 2**20
    if available_gib < _MEMORY_AVAILABLE_GIB:
        yield warning(
            "memory",
            f"{available_gib:.1f} GiB available: large batches may swap or be killed",
            "free memory (`ps --sort=-rss -eo rss,cmd | head`), or select `--workload latency`",
        )
    else:
        yield ok("memory", f"{available_gib:.1f} GiB available")
    swapped_mib = (kib.get("SwapTotal", 0) - kib.get("SwapFree", 0)) / 2**10
    if swapped_mib > _SWAP_USED_MIB:
        yield warning("swap", f"{swapped_mib:.0f} MiB in use", "free memory, then sudo swapoff -a && sudo swapon -a")
    else:
        yield ok("swap", f"{swapped_mib:.0f} MiB in use")


def _numa(cpu: Cpu, where: Placement) -> Finding:
    nodes = f"{cpu.numa_nodes} NUMA node{'s' if cpu.numa_nodes > 1 else ''}"
    used = f"{nodes}; workers run on {', '.join(map(str, where.used_nodes))}"
    match where.binding:
        case Binding.ONE_NODE:
            return ok("NUMA", nodes)
        case Binding.BOUND:
            return ok("NUMA", f"{used}, with memory bound to it")
        case Binding.ABSENT:
            return note("NUMA", f"{used}, with memory that is not bound to it", "apt install numactl")
        case Binding.REFUSED:
            return note(
                "NUMA",
                f"{used}; numactl may not bind memory to it",
                "docker run --cap-add SYS_NICE, or --cpuset-mems",
            )
        case Binding.NO_MEMORY:
            return warning(
                "NUMA",
                f"{used}, of which this process may have no memory: all of it is remote",
                f"pytest --numa-node {min(cpu.memory_nodes)} ..., or docker run --cpuset-mems",
            )


def _virtualisation(root: Path, cpu: Cpu, sleep: Callable[[float], None]) -> Finding:
    machine = "a virtual machine" if cpu.hypervisor else "no hypervisor shows"
    stat = root / "proc/stat"
    if not text_of(stat):
        return note("virtualisation", f"{machine}; /proc/stat cannot be read, so steal time is unknown")
    before = cpu_ticks(text_of(stat))
    sleep(STEAL_WINDOW_S)
    after = cpu_ticks(text_of(stat))
    stolen, total = after.steal - before.steal, after.total - before.total
    if stolen >= _STEAL_TICKS and stolen > _STEAL_FRACTION * total:
        return warning(
            "virtualisation",
            f"{machine}; others took {stolen / total:.0%} of its cpu time in the last {STEAL_WINDOW_S:g} s",
            "wait (watch the st column of `vmstat 1`), or move to a dedicated host",
        )
    if cpu.hypervisor:
        return note("virtualisation", f"{machine}, no steal time now; its neighbours cannot be seen from inside")
    return ok("virtualisation", f"{machine}, no steal time")
