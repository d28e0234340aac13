"""The processor as Linux shows it: /proc/cpuinfo, the topology under /sys, this process's affinity."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from perfsuite.errors import PerfsuiteError
from perfsuite.machine.groups import cpuset_cpus, quota_cpus
from perfsuite.machine.sysfs import parse_cpu_list, text_of

# The flags that change which inference kernel can run. Everything else in cpuinfo (mitigations,
# virtualisation, ...) differs between kernels without any effect on a kernel's choice.
_RELEVANT_FLAG = re.compile(r"avx2|fma|f16c|avx512\w*|avx_(vnni\w*|ne_convert|ifma)|avx10\w*|amx_\w+")
# Where nothing but a capacity tells: cores of one kind differ by a few percent of turbo (favoured cores), E cores
# and compact cores by a third and more (judgement between the two).
_FULL_CAPACITY = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalCpu:
    """One schedulable cpu; `core` is the lowest number among the cpus that share its physical core.

    `efficient` is whether that is an E core, of a processor that has faster ones as well.
    """

    number: int
    core: int
    node: int
    efficient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """One machine's processor.

    `flags` holds the flags that matter for inference and that every logical cpu has. `usable_cpus` are the
    cpus this process may run on: P cores first, then E cores, then the other cpus of the same cores. `quota_cpus`
    is what a control group lets it use at a time, None without a limit. `numa_nodes` counts those with cpus,
    `memory_nodes` are those that it may have memory of. `family` and `model` are None, and `kernel` (the release)
    is empty, where they are unknown.
    """

    model_name: str
    vendor: str
    family: int | None
    model: int | None
    logical_cpus: int
    physical_cores: int
    numa_nodes: int
    smt: bool
    hypervisor: bool
    flags: frozenset[str]
    usable_cpus: tuple[int, ...]
    topology: tuple[LogicalCpu, ...]
    kernel: str
    quota_cpus: float | None = None
    memory_nodes: tuple[int, ...] = (0,)


def parse_cpuinfo(text: str) -> Cpu:
    """Read the text of /proc/cpuinfo; fields it lacks are empty, None, or what a single node would have.

    Raises
    ------
    PerfsuiteError
        If there is no flags line at all, as on Arm.
    """
    blocks = [block for block in map(_fields, re.split(r"\n\s*\n", text)) if block]
    flag_sets = [frozenset(block["flags"].split()) for block in blocks if "flags" in block]
    if not flag_sets:
        raise PerfsuiteError(
            "/proc/cpuinfo has no flags line: perfsuite measures x86-64 processors, and this is not one."
        )
    everywhere = frozenset.intersection(*flag_sets)
    first = next(block for block in blocks if "flags" in block)
    topology = _topology_of_cpuinfo([block for block in blocks if "flags" in block])
    return _with_topology(
        Cpu(
            model_name=first.get("model name", ""),
            vendor=first.get("vendor_id", ""),
            family=_integer(first.get("cpu family")),
            model=_integer(first.get("model")),
            logical_cpus=0,
            physical_cores=0,
            numa_nodes=1,
            smt=False,
            hypervisor="hypervisor" in everywhere,
            flags=frozenset(flag for flag in everywhere if _RELEVANT_FLAG.fullmatch(flag)),
            usable_cpus=(),
            topology=(),
            kernel="",
        ),
        topology,
        usable=[cpu.number for cpu in topology],
    )


def read_cpu(root: Path = Path("/"), affinity: Collection[int] | None = None) -> Cpu:
    """Read the processor from the /proc and /sys under `root`; `affinity` defaults to this process's own."""
    path = root / "proc/cpuinfo"
    try:
        cpu = parse_cpuinfo(path.read_text(errors="replace"))
    except OSError as error:
        message = f"cannot read {path} ({error.strerror}): perfsuite runs on Linux x86-64."
        raise PerfsuiteError(message) from error
    nodes, efficient = _node_of_cpus(root), _efficient_cpus(root)
    topology = tuple(
        LogicalCpu(
            number=logical.number,
            core=_core_from_sys(root, logical.number, otherwise=logical.core),
            node=nodes.get(logical.number, 0),
            efficient=logical.number in efficient,
        )
        for logical in cpu.topology
    )
    allowed = os.sched_getaffinity(0) if affinity is None else set(affinity)
    # The kernel keeps affinity within the cpuset; where they exclude one another, the file is another namespace's.
    allowed = allowed & (cpuset_cpus(root) or allowed) or allowed
    return replace(
        _with_topology(cpu, topology, usable=allowed),
        kernel=text_of(root / "proc/sys/kernel/osrelease"),
        quota_cpus=quota_cpus(root),
        memory_nodes=_memory_nodes(root) or tuple(sorted({logical.node for logical in topology})),
    )


def one_cpu_per_core(cpu: Cpu) -> tuple[int, ...]:
    """The usable cpus with one for each physical core, P cores first, node by node."""
    cores = {logical.number: logical.core for logical in cpu.topology}
    chosen: dict[int, int] = {}
    for number in cpu.usable_cpus:
        chosen.setdefault(cores[number], number)
    return tuple(chosen.values())


def _fields(block: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in block.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _topology_of_cpuinfo(blocks: list[dict[str, str]]) -> tuple[LogicalCpu, ...]:
    first_of_core: dict[tuple[str, str], int] = {}
    found = []
    for position, block in enumerate(blocks):
        declared = _integer(block.get("processor"))
        number = position if declared is None else declared
        core = number
        if "core id" in block:
            core = first_of_core.setdefault((block.get("physical id", ""), block["core id"]), number)
        found.append(LogicalCpu(number=number, core=core, node=0))
    return tuple(found)


def _with_topology(cpu: Cpu, topology: tuple[LogicalCpu, ...], usable: Iterable[int]) -> Cpu:
    cores = {logical.core for logical in topology}
    return replace(
        cpu,
        logical_cpus=len(topology),
        physical_cores=len(cores),
        numa_nodes=len({logical.node for logical in topology}),
        smt=len(cores) < len(topology),
        usable_cpus=_pin_order(topology, set(usable)),
        topology=topology,
    )


def _pin_order(topology: tuple[LogicalCpu, ...], usable: set[int]) -> tuple[int, ...]:
    mine = sorted(
        (logical for logical in topology if logical.number in usable),
        key=lambda logical: (logical.efficient, logical.node, logical.core, logical.number),
    )
    seen: set[int] = set()
    firsts: list[int] = []
    siblings: list[int] = []
    for logical in mine:
        (siblings if logical.core in seen else firsts).append(logical.number)
        seen.add(logical.core)
    return (*firsts, *siblings)


def _core_from_sys(root: Path, number: int, otherwise: int) -> int:
    siblings = text_of(root / f"sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list")
    return min(parse_cpu_list(siblings), default=otherwise)


def _node_of_cpus(root: Path) -> dict[int, int]:
    return {
        number: int(path.parent.name.removeprefix("node"))
        for path in (root / "sys/devices/system/node").glob("node[0-9]*/cpulist")
        for number in parse_cpu_list(text_of(path))
    }


def _efficient_cpus(root: Path) -> frozenset[int]:
    """E cores: of hybrid Intel processors the kernel names a PMU for each kind, elsewhere it may tell capacities."""
    pmus = root / "sys/devices"
    if parse_cpu_list(text_of(pmus / "cpu_core/cpus")):
        kinds = (text_of(pmus / name / "cpus") for name in ("cpu_atom", "cpu_lowpower"))
        return frozenset(number for kind in kinds for number in parse_cpu_list(kind))
    capacities = {
        int(path.parent.name.removeprefix("cpu")): int(text)
        for path in (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpu_capacity")
        if (text := text_of(path)).isdecimal()
    }
    most = max(capacities.values(), default=0)
    return frozenset(number for number, capacity in capacities.items() if capacity < _FULL_CAPACITY * most)


def _memory_nodes(root: Path) -> tuple[int, ...]:
    """The nodes that have memory which this process may use; none where nothing tells."""
    having = parse_cpu_list(text_of(root / "sys/devices/system/node/has_memory"))
    found = re.search(r"^Mems_allowed_list:\s*(\S+)", text_of(root / "proc/self/status"), re.MULTILINE)
    allowed = parse_cpu_list(found[1]) if found else having
    return tuple(node for node in having if node in allowed)
