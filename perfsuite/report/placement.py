"""Where workers run, and why there, in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from perfsuite.records.placement import Binding, Choice, LaunchMode, Placement

_BINDINGS = {
    Binding.BOUND: "memory is bound to {nodes} by numactl",
    Binding.ABSENT: "memory is not bound, for there is no numactl (package numactl): it lies on {nodes} as long as "
    "some is left there",
    Binding.REFUSED: "memory is not bound, for numactl may not (docker run --cap-add SYS_NICE): it lies on {nodes} as "
    "long as some is left there",
    Binding.NO_MEMORY: "{nodes} without memory of its own: it comes from another",
}
_MODES = {
    LaunchMode.LATENCY: "latency mode: an instance for every 4 cores",
    LaunchMode.THROUGHPUT: "throughput mode: an instance on every node",
}


def placement_sentence(where: Placement) -> str:
    """Such as: 14 threads on CPUs 0-13: P cores of node 0, the fullest of 8; memory is bound to node 0 by numactl."""
    return f"{_seats(where)}: {'; '.join(_reasons(where))}"


def cpu_list(numbers: Iterable[int]) -> str:
    """As the kernel writes it: 0-3,8."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


def _seats(where: Placement) -> str:
    threads = f"{where.threads} thread{'' if where.threads == 1 else 's'}"
    if where.instances == 1:
        return f"{threads} on CPU{'' if where.threads == 1 else 's'} {cpu_list(where.cpus)}"
    seats = " | ".join(cpu_list(seat.cpus) for seat in where.seats)
    return f"{where.instances} instances of {threads} on CPUs {seats}"


def _reasons(where: Placement) -> Iterator[str]:
    yield _choice(where)
    if where.quota_cpus is not None and where.threads * where.instances >= int(where.quota_cpus):
        yield f"a control group's quota of {where.quota_cpus:g} CPUs carries no more threads"
    if where.siblings:
        yield f"{_count(where.siblings, 'thread shares its core', 'threads share their core')} with another (SMT)"
    if where.idle_siblings:
        yield f"{_count(where.idle_siblings, 'SMT sibling is', 'SMT siblings are')} left idle"
    if where.efficient:
        yield f"{_count(where.efficient, 'thread is', 'threads are')} on E cores, for which the others wait"
    elif where.idle_efficient:
        yield f"{_count(where.idle_efficient, 'E core is', 'E cores are')} left out, for the others would wait for them"
    if where.memory_nodes:
        yield f"{_nodes(where.memory_nodes)} without CPUs (HBM, CXL) left out"
    if where.binding in _BINDINGS:
        yield _BINDINGS[where.binding].format(nodes=_nodes(where.used_nodes))


def _choice(where: Placement) -> str:
    nodes = _nodes(where.used_nodes)
    match where.choice:
        case Choice.ONLY_NODE:
            return "the machine has one node"
        case Choice.FULLEST_NODE if len(where.used_nodes) == 1:
            return f"{nodes} of {where.nodes} has the most cores to use, or is the first of those"
        case Choice.FULLEST_NODE:
            return f"{nodes} of {where.nodes}, for one has not so many cores"
        case Choice.NUMA_NODE:
            return f"{nodes} of {where.nodes}, as asked for"
        case Choice.CORES:
            return f"as asked for, on {nodes} of {where.nodes}"
        case Choice.LAUNCH_MODE:
            return f"{_MODES[where.mode]}, on {nodes} of {where.nodes}" if where.mode else nodes


def _nodes(nodes: Iterable[int]) -> str:
    some = tuple(nodes)
    return f"node{'' if len(some) == 1 else 's'} {cpu_list(some)}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
