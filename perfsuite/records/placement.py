"""Where workers run: on which CPUs and memory, how many at once, and what decided that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LaunchMode(StrEnum):
    """How ``torch.backends.xeon.run_cpu`` and ``ipexrun`` share a whole machine among instances, by their names."""

    LATENCY = "latency"
    THROUGHPUT = "throughput"


class Choice(StrEnum):
    """What decided which cores are used."""

    ONLY_NODE = "only node"
    FULLEST_NODE = "fullest node"
    NUMA_NODE = "numa node"
    CORES = "cores"
    LAUNCH_MODE = "launch mode"


class Binding(StrEnum):
    """Whether memory is bound to the nodes of the cores, and why not.

    Unbound memory is still allocated where the thread runs that first touches it, as long as there is some left.
    """

    ONE_NODE = "one node"
    BOUND = "bound"
    ABSENT = "numactl absent"
    REFUSED = "numactl refused"
    NO_MEMORY = "node without memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where one instance runs: a logical CPU for each of its threads, and the NUMA nodes that these lie on."""

    cpus: tuple[int, ...]
    nodes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A seat for each instance; all have as many threads.

    ``nodes`` is how many the machine has with CPUs, ``memory_nodes`` are those without. ``siblings`` counts threads
    that share their core with another, ``efficient`` those on E cores; ``idle_siblings`` the CPUs of the same cores
    that could be used besides, ``idle_efficient`` E cores that could be used and are not. ``quota_cpus`` is a control
    group's, where it is fewer CPUs than could be used.
    """

    seats: tuple[Seat, ...]
    choice: Choice
    binding: Binding = Binding.ONE_NODE
    mode: LaunchMode | None = None
    nodes: int = 1
    memory_nodes: tuple[int, ...] = ()
    siblings: int = 0
    efficient: int = 0
    idle_siblings: int = 0
    idle_efficient: int = 0
    quota_cpus: float | None = None

    @property
    def threads(self) -> int:
        """Of each instance."""
        return len(self.seats[0].cpus)

    @property
    def instances(self) -> int:
        return len(self.seats)

    @property
    def slug(self) -> str:
        """Instances and threads of each, as 2x14t."""
        return f"{self.instances}x{self.threads}t"

    @property
    def cpus(self) -> tuple[int, ...]:
        """Of all instances."""
        return tuple(cpu for seat in self.seats for cpu in seat.cpus)

    @property
    def used_nodes(self) -> tuple[int, ...]:
        """Of all instances, in order."""
        return tuple(sorted({node for seat in self.seats for node in seat.nodes}))
