"""Which cores workers get, of what a machine has and a user wants. Pure: all it knows is in the processor's record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from perfsuite.errors import UsageError
from perfsuite.machine.cpu import Cpu, LogicalCpu
from perfsuite.records.placement import Binding, Choice, LaunchMode, Placement, Seat

#: Cores of an instance in latency mode, as of run_cpu.py (torch.backends.xeon) and ipexrun.
_LATENCY_CORES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user says of the placement; None: nothing. ``threads`` are those of each instance."""

    cores: tuple[int, ...] | None = None
    numa_node: int | None = None
    instances: int | None = None
    threads: int | None = None
    mode: LaunchMode | None = None


class _Rank(NamedTuple):
    """In what order CPUs are taken: SMT siblings last, E cores after P cores, the chosen node's before others'."""

    sibling: bool
    efficient: bool
    away: bool
    node: int
    core: int
    number: int


def place(cpu: Cpu, wish: Wish, binding: Callable[[tuple[int, ...]], Binding]) -> Placement:
    """The seats of all instances; ``binding`` says what becomes of binding memory to nodes.

    By default one instance has the P cores of the node with the most of them. Seats lie on one node each as long as
    nodes are large enough. UsageError if there are fewer CPUs than are wanted.
    """
    candidates = _candidates(cpu, wish)
    nodes = _nodes(candidates)
    home = min(nodes, key=lambda node: (-len(nodes[node]), node))
    limit = len(candidates)
    if cpu.quota_cpus is not None:
        limit = min(limit, max(1, int(cpu.quota_cpus)))
    pool = [rank.number for rank in sorted(candidates)] if wish.cores else nodes[home]
    instances, threads = _shape(wish, pool, nodes, limit)
    if instances * threads > limit:
        raise UsageError(_too_many(cpu, wish, instances, threads, len(candidates)))
    ordered = sorted(rank._replace(away=rank.node != home) for rank in candidates)
    seats = tuple(_seat(cpus, candidates) for cpus in _cut(ordered, nodes, home, instances, threads, wish))
    used = {number for seat in seats for number in seat.cpus}
    cores = {rank.core for rank in candidates if rank.number in used}
    return Placement(
        seats=seats,
        choice=_choice(cpu, wish),
        binding=_binding(cpu, seats, binding),
        mode=wish.mode,
        nodes=cpu.numa_nodes,
        memory_nodes=tuple(sorted(set(cpu.memory_nodes) - {logical.node for logical in cpu.topology})),
        siblings=len(used) - len(cores),
        efficient=sum(logical.efficient for logical in cpu.topology if logical.number in used),
        idle_siblings=sum(rank.core in cores and rank.number not in used for rank in candidates),
        idle_efficient=sum(rank.efficient and not rank.sibling and rank.number not in used for rank in candidates),
        quota_cpus=cpu.quota_cpus if cpu.quota_cpus is not None and cpu.quota_cpus < len(cpu.usable_cpus) else None,
    )


def _candidates(cpu: Cpu, wish: Wish) -> list[_Rank]:
    """The CPUs that may be taken."""
    topology = {logical.number: logical for logical in cpu.topology}
    mine = [topology[number] for number in cpu.usable_cpus]
    if wish.cores is not None:
        if absent := sorted(set(wish.cores).difference(cpu.usable_cpus)):
            raise UsageError(
                f"cores {_list(absent)}: this process may not use them; it may use {_list(sorted(cpu.usable_cpus))}"
            )
        mine = [logical for logical in mine if logical.number in wish.cores]
    if wish.numa_node is not None:
        there = sorted({logical.node for logical in mine})
        if wish.numa_node not in there:
            raise UsageError(f"numa_node {wish.numa_node} has no CPU that this process may use; {_list(there)} have")
        mine = [logical for logical in mine if logical.node == wish.numa_node]
    return list(_ranked(mine))


def _ranked(logicals: Iterable[LogicalCpu]) -> Iterator[_Rank]:
    """In the order of ``usable_cpus``, the first CPU of each core is the one that is no sibling."""
    some = list(logicals)
    hybrid = any(not logical.efficient for logical in some)
    seen: set[int] = set()
    for logical in some:
        yield _Rank(
            sibling=logical.core in seen,
            efficient=logical.efficient and hybrid,
            away=False,
            node=logical.node,
            core=logical.core,
            number=logical.number,
        )
        seen.add(logical.core)


def _nodes(candidates: Iterable[_Rank]) -> dict[int, list[int]]:
    """Of each node one CPU for every core, E cores left out where there are others."""
    found: dict[int, list[int]] = {}
    for rank in sorted(candidates):
        if not rank.sibling and not rank.efficient:
            found.setdefault(rank.node, []).append(rank.number)
    return found


def _shape(wish: Wish, pool: Sequence[int], nodes: dict[int, list[int]], limit: int) -> tuple[int, int]:
    """How many instances of how many threads."""
    cores = sum(map(len, nodes.values()))
    match wish:
        case Wish(mode=LaunchMode.THROUGHPUT):
            threads = min(limit, *map(len, nodes.values()))
            return min(len(nodes), limit // threads), threads
        case Wish(mode=LaunchMode.LATENCY):
            threads = min(_LATENCY_CORES, limit, max(map(len, nodes.values())))
            return min(sum(len(node) // threads for node in nodes.values()), limit // threads), threads
        case Wish(instances=int(instances), threads=int(threads)):
            return instances, threads
        case Wish(threads=int(threads)):
            return 1, threads
        case Wish(instances=int(instances)):
            share = min(len(pool), limit) // instances or min(cores, limit) // instances
            return instances, max(1, share)
    return 1, min(len(pool), limit)


def _cut(
    ordered: Sequence[_Rank], nodes: dict[int, list[int]], home: int, instances: int, threads: int, wish: Wish
) -> Iterator[list[int]]:
    """Seats on one node each while there are nodes with that many cores left, then of whatever is left, in order."""
    left = [rank.number for rank in ordered]
    if wish.mode is None and instances == 1:
        yield left[:threads]
        return
    for node in sorted(nodes, key=lambda node: (wish.mode is None and node != home, node)):
        cores = list(nodes[node])
        while len(cores) >= threads and instances:
            seat, cores = cores[:threads], cores[threads:]
            left = [number for number in left if number not in seat]
            instances -= 1
            yield seat
    for _ in range(instances):
        seat, left = left[:threads], left[threads:]
        yield seat


def _seat(cpus: Sequence[int], candidates: Iterable[_Rank]) -> Seat:
    return Seat(cpus=tuple(cpus), nodes=tuple(sorted({rank.node for rank in candidates if rank.number in cpus})))


def _choice(cpu: Cpu, wish: Wish) -> Choice:
    if wish.mode is not None:
        return Choice.LAUNCH_MODE
    if wish.cores is not None:
        return Choice.CORES
    if wish.numa_node is not None:
        return Choice.NUMA_NODE
    return Choice.ONLY_NODE if cpu.numa_nodes == 1 else Choice.FULLEST_NODE


def _binding(cpu: Cpu, seats: Iterable[Seat], binding: Callable[[tuple[int, ...]], Binding]) -> Binding:
    """Of all seats alike: the first that cannot be bound tells."""
    if len(cpu.memory_nodes) < 2:
        return Binding.ONE_NODE
    for nodes in dict.fromkeys(seat.nodes for seat in seats):
        found = binding(nodes) if set(nodes) <= set(cpu.memory_nodes) else Binding.NO_MEMORY
        if found is not Binding.BOUND:
            return found
    return Binding.BOUND


def _too_many(cpu: Cpu, wish: Wish, instances: int, threads: int, candidates: int) -> str:
    wanted = f"threads {threads}" if instances == 1 else f"{instances} instances of {threads} threads"
    if instances * threads <= candidates:
        return (
            f"{wanted}: more than the {cpu.quota_cpus:g} CPUs of this control group's quota, by which threads would be "
            "stopped in mid-iteration; take fewer, or raise it (docker run --cpus, Kubernetes' limits)"
        )
    whose = "this process may use"
    if wish.cores is not None:
        whose = "are in cores"
    elif wish.numa_node is not None:
        whose = f"numa_node {wish.numa_node} has for this process"
    return f"{wanted}: more than the {candidates} CPUs that {whose}"


def _list(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))
