"""Real machines as trees of the files that Linux shows under /proc and /sys, from short descriptions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from perfsuite.report.placement import cpu_list


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """One physical core and the numbers of its logical CPUs."""

    socket: int
    node: int
    cpus: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """``memory_nodes``: nodes without CPUs; ``empty_nodes``: nodes without memory. None and empty: no such file."""

    model_name: str
    family_model: tuple[int, int]
    flags: str
    cores: tuple[Core, ...]
    vendor: str = "GenuineIntel"
    memory_nodes: tuple[int, ...] = ()
    empty_nodes: tuple[int, ...] = ()
    p_cpus: str = ""
    e_cpus: str = ""
    capacities: tuple[int, ...] = ()
    affinity: tuple[int, ...] | None = None
    cpuset: str = ""
    quota: str = ""
    version_1: bool = False
    mems_allowed: str = ""

    @property
    def cpus(self) -> tuple[int, ...]:
        return tuple(sorted(cpu for core in self.cores for cpu in core.cpus))

    @property
    def usable(self) -> tuple[int, ...]:
        """What the scheduler lets this process use."""
        return self.cpus if self.affinity is None else self.affinity

    def write(self, root: Path) -> Path:
        for name, text in self._files().items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")
        return root

    def _files(self) -> dict[str, str]:
        of_cpu = {cpu: core for core in self.cores for cpu in core.cpus}
        files = {"proc/cpuinfo": "\n\n".join(self._cpuinfo(cpu, of_cpu[cpu]) for cpu in self.cpus)}
        for cpu, core in of_cpu.items():
            folder = f"sys/devices/system/cpu/cpu{cpu}"
            files[f"{folder}/topology/thread_siblings_list"] = cpu_list(core.cpus)
            if self.capacities:
                files[f"{folder}/cpu_capacity"] = str(self.capacities[cpu])
        nodes = {core.node for core in self.cores} | set(self.memory_nodes)
        for node in nodes:
            there = (cpu for cpu, core in of_cpu.items() if core.node == node)
            files[f"sys/devices/system/node/node{node}/cpulist"] = cpu_list(there)
        files["sys/devices/system/node/has_memory"] = cpu_list(nodes - set(self.empty_nodes))
        files["proc/self/status"] = f"Name:\tpython\nMems_allowed_list:\t{self.mems_allowed or cpu_list(nodes)}"
        if self.p_cpus:
            files |= {"sys/devices/cpu_core/cpus": self.p_cpus, "sys/devices/cpu_atom/cpus": self.e_cpus}
        return files | self._groups()

    def _groups(self) -> dict[str, str]:
        top = "sys/fs/cgroup"
        if self.version_1:
            quota, _, period = self.quota.partition(" ")
            return {
                "proc/self/cgroup": "5:cpuset:/docker/1f\n4:cpu,cpuacct:/docker/1f\n0::/",
                f"{top}/cpuset/docker/1f/cpuset.effective_cpus": self.cpuset,
                f"{top}/cpu/docker/1f/cpu.cfs_quota_us": quota or "-1",
                f"{top}/cpu/docker/1f/cpu.cfs_period_us": period or "100000",
            }
        return {
            "proc/self/cgroup": "0::/kubepods/pod1",
            f"{top}/kubepods/cpuset.cpus.effective": cpu_list(self.cpus),
            f"{top}/kubepods/pod1/cpuset.cpus.effective": self.cpuset or cpu_list(self.cpus),
            f"{top}/kubepods/pod1/cpu.max": self.quota or "max 100000",
        }

    def _cpuinfo(self, cpu: int, core: Core) -> str:
        family, model = self.family_model
        return (
            f"processor\t: {cpu}\nvendor_id\t: {self.vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\n"
            f"model name\t: {self.model_name}\nphysical id\t: {core.socket}\ncore id\t\t: {min(core.cpus)}\n"
            f"flags\t\t: {self.flags}"
        )


def server(sockets: int, nodes: int, cores: int, *, smt: bool = True) -> tuple[Core, ...]:
    """So many cores on each of so many nodes of each socket, node after node; all second threads after all first."""
    count = sockets * nodes * cores
    return tuple(
        Core(
            socket=socket,
            node=socket * nodes + node,
            cpus=(number, count + number) if smt else (number,),
        )
        for number, (socket, node, _) in enumerate(product(range(sockets), range(nodes), range(cores)))
    )


def _hybrid(p_cores: int, e_cores: int) -> tuple[Core, ...]:
    """P cores with their two threads side by side, then E cores."""
    fast = [Core(socket=0, node=0, cpus=(2 * number, 2 * number + 1)) for number in range(p_cores)]
    slow = [Core(socket=0, node=0, cpus=(2 * p_cores + number,)) for number in range(e_cores)]
    return (*fast, *slow)


def without(machine: Machine, cpus: Iterable[int]) -> Machine:
    """With only the other CPUs for this process."""
    return replace(machine, affinity=tuple(sorted(set(machine.cpus).difference(cpus))))


_AMX = "avx2 fma f16c avx512f avx512bw avx512_vnni avx512_bf16 avx512_fp16 amx_tile amx_bf16 amx_int8"
_AVX512 = "avx2 fma f16c avx512f avx512bw avx512_vnni avx512_bf16"

#: Two sockets of 56 cores, a NUMA node a socket.
SAPPHIRE_RAPIDS = Machine(
    model_name="Intel(R) Xeon(R) Platinum 8480+",
    family_model=(6, 143),
    flags=_AMX,
    cores=server(2, 1, 56),
)
#: With sub-NUMA clusters (SNC4): eight nodes of 14 cores.
SNC4 = replace(SAPPHIRE_RAPIDS, cores=server(2, 4, 14))
#: As a Xeon Max with its HBM in flat mode: each cluster's HBM is a node of its own, without CPUs.
HBM = replace(SNC4, model_name="Intel(R) Xeon(R) CPU Max 9480", memory_nodes=tuple(range(8, 16)))
#: One socket and a CXL expander.
CXL = replace(SAPPHIRE_RAPIDS, cores=server(1, 1, 56), memory_nodes=(1,))
#: Two sockets of 96 cores; three compute dies a socket, each a node (SNC3).
GRANITE_RAPIDS = Machine(model_name="Intel(R) Xeon(R) 6972P", family_model=(6, 173), flags=_AMX, cores=server(2, 3, 32))
#: Two sockets of 96 cores in NPS4: eight nodes of 24.
EPYC = Machine(
    model_name="AMD EPYC 9654 96-Core Processor",
    vendor="AuthenticAMD",
    family_model=(25, 17),
    flags=_AVX512,
    cores=server(2, 4, 24),
)
#: 6 P cores of two threads, 8 E cores.
LAPTOP = Machine(
    model_name="13th Gen Intel(R) Core(TM) i7-1370P",
    family_model=(6, 186),
    flags="avx2 fma f16c avx_vnni",
    cores=_hybrid(6, 8),
    p_cpus="0-11",
    e_cpus="12-19",
)
#: The same two kinds of cores, told by capacities alone; the first P cores are favoured ones.
CAPACITIES = replace(LAPTOP, p_cpus="", e_cpus="", capacities=(1024,) * 4 + (980,) * 8 + (620,) * 8)
#: Three CPUs of a host's 224, with holes between them; 61 lies on the other socket.
CONTAINER = replace(SAPPHIRE_RAPIDS, affinity=(5, 9, 61), cpuset="5,9,61")
#: The machines that this project's own baselines are of.
TWO_CORES = Machine(
    model_name="Intel(R) Xeon(R) Processor",
    family_model=(6, 207),
    flags=(
        "amx_bf16 amx_int8 amx_tile avx2 avx512_bf16 avx512_bitalg avx512_fp16 avx512_vbmi2 avx512_vnni "
        "avx512_vpopcntdq avx512bw avx512cd avx512dq avx512f avx512ifma avx512vbmi avx512vl avx_vnni f16c fma"
    ),
    cores=server(1, 1, 2, smt=False),
)
TWO_ZEN4_CORES = replace(
    TWO_CORES,
    model_name="AMD EPYC",
    vendor="AuthenticAMD",
    family_model=(25, 17),
    flags=(
        "avx2 avx512_bf16 avx512_bitalg avx512_vbmi2 avx512_vnni avx512_vpopcntdq avx512bw avx512cd avx512dq "
        "avx512f avx512ifma avx512vbmi avx512vl f16c fma"
    ),
)
