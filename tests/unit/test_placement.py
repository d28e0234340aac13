"""What is placed where, and why: real topologies, and what a user may ask of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from topologies import (
    CAPACITIES,
    CONTAINER,
    CXL,
    EPYC,
    GRANITE_RAPIDS,
    HBM,
    LAPTOP,
    SAPPHIRE_RAPIDS,
    SNC4,
    TWO_CORES,
    TWO_ZEN4_CORES,
    Machine,
    server,
    without,
)

from perfsuite.errors import UsageError
from perfsuite.machine.cpu import Cpu, read_cpu
from perfsuite.machine.fingerprint import machine_class
from perfsuite.machine.placement import Wish, place
from perfsuite.records.machine import MachineClass
from perfsuite.records.placement import Binding, LaunchMode, Placement
from perfsuite.report.placement import cpu_list, placement_sentence
from perfsuite.store.documents import KEY

#: Of this project itself; who changes how a class is named orphans them.
BASELINES = Path(__file__).parents[2] / "baselines"

LATENCY, THROUGHPUT = Wish(mode=LaunchMode.LATENCY), Wish(mode=LaunchMode.THROUGHPUT)
BOUND = "memory is bound to"
HYPERTHREADS = "SMT siblings are left idle"


def _cpu(machine: Machine, root: Path) -> Cpu:
    return read_cpu(machine.write(root), machine.usable)


def _placed(machine: Machine, wish: Wish, root: Path, binding: Binding = Binding.BOUND) -> Placement:
    return place(_cpu(machine, root), wish, lambda nodes: binding)


@pytest.mark.parametrize(
    ("machine", "wish", "seats", "nodes", "why"),
    [
        pytest.param(TWO_CORES, Wish(), "0-1", "0", "the machine has one node", id="this machine"),
        pytest.param(TWO_CORES, Wish(threads=1), "0", "0", "one node", id="this machine, one thread"),
        pytest.param(TWO_CORES, Wish(instances=2), "0 1", "0", "one node", id="this machine, two instances"),
        pytest.param(TWO_CORES, LATENCY, "0-1", "0", "latency mode", id="this machine, latency mode"),
        pytest.param(SAPPHIRE_RAPIDS, Wish(), "0-55", "0", "node 0 of 2 has the most cores", id="spr"),
        pytest.param(SAPPHIRE_RAPIDS, Wish(), "0-55", "0", f"56 {HYPERTHREADS}", id="spr, SMT"),
        pytest.param(SAPPHIRE_RAPIDS, Wish(numa_node=1), "56-111", "1", "node 1 of 2, as asked", id="spr, node"),
        pytest.param(SAPPHIRE_RAPIDS, Wish(threads=60), "0-59", "0-1", "for one has not so many", id="spr, 60"),
        pytest.param(
            SAPPHIRE_RAPIDS, Wish(numa_node=1, threads=58), "56-111,168-169", "1", "2 threads share their core",
            id="spr, siblings of the node last",
        ),
        pytest.param(
            SAPPHIRE_RAPIDS, Wish(threads=113), "0-112", "0-1", "1 thread shares its core", id="spr, siblings last"
        ),
        pytest.param(
            SAPPHIRE_RAPIDS, Wish(cores=(0, 1, 2, 56, 112)), "0-2,56,112", "0-1", "as asked for, on nodes 0-1 of 2",
            id="spr, cores",
        ),
        pytest.param(
            SAPPHIRE_RAPIDS, Wish(cores=(112, 113, 3, 1), threads=3), "1,3,112", "0", "as asked for", id="spr, of cores"
        ),
        pytest.param(SNC4, Wish(), "0-13", "0", f"node 0 of 8 has the most cores to use, or is the first of those; "
            f"14 {HYPERTHREADS}; {BOUND} node 0 by numactl", id="snc4"),
        pytest.param(SNC4, Wish(numa_node=5), "70-83", "5", f"{BOUND} node 5", id="snc4, node"),
        pytest.param(
            SNC4, THROUGHPUT, "0-13 14-27 28-41 42-55 56-69 70-83 84-97 98-111", "0-7", "an instance on every node",
            id="snc4, throughput mode",
        ),
        pytest.param(
            SNC4, Wish(instances=3), "0-3 4-7 8-11", "0", "node 0 of 8", id="snc4, three instances share a node"
        ),
        pytest.param(
            SNC4, Wish(instances=3, threads=8), "0-7 14-21 28-35", "0-2", "for one has not so many cores",
            id="snc4, no instance on two nodes",
        ),
        pytest.param(
            SNC4, Wish(numa_node=2, instances=2, threads=4), "28-31 32-35", "2", "as asked", id="snc4, two on node 2"
        ),
        pytest.param(
            without(SNC4, [*range(10), *range(112, 122)]), Wish(), "14-27", "1", "node 1 of 8", id="snc4, fullest node"
        ),
        pytest.param(HBM, Wish(), "0-13", "0", "nodes 8-15 without CPUs (HBM, CXL) left out", id="hbm"),
        pytest.param(CXL, Wish(), "0-55", "0", f"node 1 without CPUs (HBM, CXL) left out; {BOUND} node 0", id="cxl"),
        pytest.param(GRANITE_RAPIDS, Wish(), "0-31", "0", "node 0 of 6", id="granite rapids"),
        pytest.param(
            GRANITE_RAPIDS, replace(LATENCY, numa_node=5),
            "160-163 164-167 168-171 172-175 176-179 180-183 184-187 188-191", "5", "for every 4 cores, on node 5 of 6",
            id="granite rapids, latency mode on a node",
        ),
        pytest.param(EPYC, Wish(), "0-23", "0", "node 0 of 8", id="epyc nps4"),
        pytest.param(EPYC, Wish(instances=2, threads=24), "0-23 24-47", "0-1", "nodes 0-1 of 8", id="epyc, two nodes"),
        pytest.param(
            without(EPYC, [24, 216, *range(48, 192), *range(240, 384)]), LATENCY,
            "0-3 4-7 8-11 12-15 16-19 20-23 25-28 29-32 33-36 37-40 41-44", "0-1", "every 4 cores, on nodes 0-1",
            id="epyc, latency mode never over a node's edge",
        ),
        pytest.param(LAPTOP, Wish(), "0,2,4,6,8,10", "0", "8 E cores are left out", id="laptop"),
        pytest.param(LAPTOP, Wish(threads=7), "0,2,4,6,8,10,12", "0", "1 thread is on E cores", id="laptop, 7"),
        pytest.param(LAPTOP, Wish(threads=15), "0-2,4,6,8,10,12-19", "0", "1 thread shares its core", id="laptop, 15"),
        pytest.param(LAPTOP, Wish(cores=(12, 13)), "12-13", "0", "2 threads are on E cores", id="laptop, E cores"),
        pytest.param(without(LAPTOP, range(12)), Wish(), "12-19", "0", "8 threads are on E cores", id="E cores alone"),
        pytest.param(CAPACITIES, Wish(), "0,2,4,6,8,10", "0", "8 E cores are left out", id="laptop, by capacities"),
        pytest.param(CONTAINER, Wish(), "5,9", "0", "node 0 of 2 has the most cores", id="container"),
        pytest.param(CONTAINER, Wish(threads=3), "5,9,61", "0-1", "for one has not so many", id="container, all"),
        pytest.param(
            replace(CONTAINER, affinity=(5, 9, 117), cpuset=""), Wish(), "5,9", "0", "1 SMT sibling is left idle",
            id="container, a sibling",
        ),
        pytest.param(
            replace(SAPPHIRE_RAPIDS, cpuset="60-62"), Wish(), "60-62", "1", "node 1 of 2", id="cpuset of version 2"
        ),
        pytest.param(
            replace(SAPPHIRE_RAPIDS, cpuset="60-62", version_1=True), Wish(), "60-62", "1", "node 1 of 2",
            id="cpuset of version 1",
        ),
        pytest.param(
            replace(SAPPHIRE_RAPIDS, quota="300000 100000"), Wish(), "0-2", "0",
            "a control group's quota of 3 CPUs carries no more threads", id="quota",
        ),
        pytest.param(
            replace(SAPPHIRE_RAPIDS, quota="250000 100000", version_1=True), Wish(), "0-1", "0",
            "quota of 2.5 CPUs carries no more", id="quota of version 1",
        ),
        pytest.param(replace(EPYC, quota="50000 100000"), Wish(), "0", "0", "quota of 0.5 CPUs", id="half a CPU"),
        pytest.param(
            replace(EPYC, quota="600000 100000"), LATENCY, "0-3", "0", "latency mode", id="latency mode under a quota"
        ),
        pytest.param(
            replace(EPYC, quota="600000 100000"), Wish(instances=2), "0-2 3-5", "0", "carries no more threads",
            id="instances under a quota",
        ),
    ],
)  # fmt: skip
def test_what_is_placed_where_and_why(
    machine: Machine, wish: Wish, seats: str, nodes: str, why: str, tmp_path: Path
) -> None:
    where = _placed(machine, wish, tmp_path)
    assert " ".join(cpu_list(seat.cpus) for seat in where.seats) == seats
    assert cpu_list(where.used_nodes) == nodes
    assert why in placement_sentence(where)
    assert len({len(seat.cpus) for seat in where.seats}) == 1
    assert len(set(where.cpus)) == len(where.cpus)


@pytest.mark.parametrize(
    ("machine", "wish", "error"),
    [
        (TWO_CORES, Wish(threads=3), "threads 3: more than the 2 CPUs that this process may use"),
        (TWO_CORES, Wish(instances=3), "3 instances of 1 threads: more than the 2 CPUs"),
        (TWO_CORES, Wish(cores=(0, 7)), "cores 7: this process may not use them; it may use 0,1"),
        (TWO_CORES, Wish(numa_node=1), "numa_node 1 has no CPU that this process may use; 0 have"),
        (HBM, Wish(numa_node=9), "numa_node 9 has no CPU"),
        (
            SNC4,
            Wish(numa_node=1, threads=29),
            "threads 29: more than the 28 CPUs that numa_node 1 has",
        ),
        (SNC4, Wish(cores=(1, 2), threads=3), "more than the 2 CPUs that are in cores"),
        (
            replace(EPYC, quota="300000 100000"),
            Wish(threads=4),
            "more than the 3 CPUs of this control group",
        ),
        (
            replace(EPYC, quota="300000 100000"),
            Wish(instances=2, threads=2),
            "2 instances of 2 threads: more",
        ),
    ],
)
def test_what_cannot_be_placed_says_what_there_is(machine: Machine, wish: Wish, error: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=error):
        _placed(machine, wish, tmp_path)


@pytest.mark.parametrize(
    ("machine", "answer", "binding", "words"),
    [
        (TWO_CORES, Binding.BOUND, Binding.ONE_NODE, ""),
        (SNC4, Binding.BOUND, Binding.BOUND, "bound to node 0 by numactl"),
        (SNC4, Binding.ABSENT, Binding.ABSENT, "there is no numactl"),
        (SNC4, Binding.REFUSED, Binding.REFUSED, "numactl may not"),
        (replace(SNC4, empty_nodes=(0,)), Binding.BOUND, Binding.NO_MEMORY, "node 0 without memory of its own"),
        (replace(SNC4, mems_allowed="4-7"), Binding.BOUND, Binding.NO_MEMORY, "without memory of its own"),
        (replace(SNC4, mems_allowed="0"), Binding.BOUND, Binding.ONE_NODE, "SMT siblings"),
    ],
)
def test_memory_is_bound_where_there_are_several_nodes(
    machine: Machine, answer: Binding, binding: Binding, words: str, tmp_path: Path
) -> None:
    where = _placed(machine, Wish(), tmp_path, answer)
    assert where.binding is binding
    assert words in placement_sentence(where)


def test_one_machine_class_for_each_placement(tmp_path: Path) -> None:
    cpu = _cpu(SAPPHIRE_RAPIDS, tmp_path)
    wishes = [
        Wish(),
        Wish(numa_node=1),
        Wish(threads=28),
        Wish(threads=60),
        Wish(cores=(0, 112)),
        Wish(cores=(0, 1)),
        Wish(instances=2, threads=28),
        THROUGHPUT,
        LATENCY,
    ]
    slugs = [machine_class(cpu, place(cpu, wish, lambda nodes: Binding.BOUND)).slug for wish in wishes]
    assert len(set(slugs)) == len(wishes)
    assert slugs[1].startswith("intel-xeon-platinum-8480-112c-56t-node1-amx-")
    assert slugs[-1].startswith("intel-xeon-platinum-8480-112c-28x4t-node0-1-amx-")


def test_other_cores_of_a_node_and_unbound_memory_are_no_other_class(tmp_path: Path) -> None:
    cpu = _cpu(SNC4, tmp_path)
    one = place(cpu, Wish(cores=(0, 1)), lambda nodes: Binding.BOUND)
    other = place(cpu, Wish(cores=(5, 9)), lambda nodes: Binding.ABSENT)
    assert machine_class(cpu, one) == machine_class(cpu, other)


@pytest.mark.parametrize("machine", [TWO_CORES, TWO_ZEN4_CORES], ids=["intel", "amd"])
def test_stored_baselines_are_of_the_class_that_they_were(machine: Machine, tmp_path: Path) -> None:
    cpu = _cpu(machine, tmp_path)
    here = machine_class(cpu, _placed(machine, Wish(), tmp_path))
    stored = list((BASELINES / here.slug).glob("*/*.json"))
    assert stored
    for path in stored:
        document = json.loads(path.read_bytes())
        assert msgspec.convert(document[KEY]["machine"], MachineClass) == here


def test_a_node_more_is_found_without_memory_told(tmp_path: Path) -> None:
    # As old kernels and sandboxes show it: no has_memory, no status.
    root = replace(TWO_CORES, cores=server(2, 1, 1, smt=False)).write(tmp_path)
    for name in ("sys/devices/system/node/has_memory", "proc/self/status"):
        (root / name).unlink()
    assert read_cpu(root, {0, 1}).memory_nodes == (0, 1)
