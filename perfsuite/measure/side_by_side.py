"""Two workers alive at once and stepped in turn: what both see of the machine leaves their ratio.

The one that is not timed is stopped (SIGSTOP), so that it is idle whatever its OpenMP runtime does
between regions: libgomp and libiomp5 spin there, on the CPUs of the other.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from perfsuite.compare.records import Block, Pair, Pairing, Side
from perfsuite.machine.moment import frequency_mhz, moment
from perfsuite.measure.timed import Timed
from perfsuite.spec import workload
from perfsuite.worker.timing import Warmup

if TYPE_CHECKING:
    from perfsuite.measure.rig import Rig

#: Blocks are short: on a machine whose latencies drift by 10 % within seconds (two shared cores)
#: two iterations a block give a fifth less error in the same time than five.
ITERATIONS, BLOCK_S = 2, 0.05
#: Iterations before each block that are not timed: the other worker has had the caches, and the
#: first one takes 1 to 6 % longer.
SETTLE = 1
#: About how long a pair's rounds, of two blocks a side, take; and the fewest that have a middle.
PAIR_S, LEAST_ROUNDS = 5.0, 4
#: Variants are steady after 0.4 to 2 s, or not at all.
WARM_UP_LIMIT_S = 2.0


def measure_pair(pairing: Pairing, baseline: Rig, candidate: Rig) -> Pair:
    """Time one fresh worker of each stack, in balanced order; WorkerError if one fails."""
    with baseline.timed(pairing.baseline) as a:
        a.worker.pause()
        with candidate.timed(pairing.candidate) as b:
            b.worker.pause()
            timed = (a, b)
            warmups = []
            for one in timed:
                with _running(one):
                    warmups.append(one.warm_up(limit_s=WARM_UP_LIMIT_S))
            once = workload(pairing.baseline.workload).once
            blocks: tuple[list[Block], list[Block]] = ([], [])
            for index in _order(1 if once else _rounds(warmups)):
                blocks[index].append(
                    _block(timed[index], idle=timed[1 - index], cpus=baseline.placement.cpus, once=once)
                )
            sides = [
                _side(one, warmup, mine, rig.weights_origin(pairing.baseline.model))
                for one, rig, warmup, mine in zip(timed, (baseline, candidate), warmups, blocks, strict=True)
            ]
    return Pair(pairing=pairing, baseline=sides[0], candidate=sides[1])


def _side(timed: Timed, warmup: Warmup, blocks: Sequence[Block], weights_origin: str) -> Side:
    with _running(timed):
        replicate = timed.replicate(warmup, tuple(latency for block in blocks for latency in block.latencies_ns))
    return Side(
        warmup=warmup,
        stages=replicate.stages,
        peak_rss_bytes=replicate.peak_rss_bytes,
        digests=timed.digests,
        weights_origin=weights_origin,
        blocks=tuple(blocks),
    )


def _rounds(warmups: Sequence[Warmup]) -> int:
    """As many as fit into a pair, of the latencies that were seen while warming up."""
    latencies_s = [warmup.duration_ns * 1e-9 / warmup.iterations for warmup in warmups]
    round_s = 2 * sum(SETTLE * latency_s + max(ITERATIONS * latency_s, BLOCK_S) for latency_s in latencies_s)
    return max(LEAST_ROUNDS, round(PAIR_S / round_s))


def _order(rounds: int) -> Iterator[int]:
    """0 1 1 0, 1 0 0 1, ...: no side comes first more often, and a steady drift reaches both alike."""
    for number in range(rounds):
        yield from (0, 1, 1, 0) if number % 2 == 0 else (1, 0, 0, 1)


@contextlib.contextmanager
def _running(timed: Timed) -> Iterator[None]:
    timed.worker.resume()
    try:
        yield
    finally:
        timed.worker.pause()


def _block(timed: Timed, *, idle: Timed, cpus: tuple[int, ...], once: bool) -> Block:
    with _running(timed):
        before = moment(cpus, idle.worker.pid)
        answer = (
            timed.block(duration_s=0.0, iterations=1)
            if once
            else timed.block(duration_s=BLOCK_S, iterations=ITERATIONS, settle=SETTLE)
        )
        after = moment(cpus, idle.worker.pid)
    return Block(
        latencies_ns=tuple(answer["latencies_ns"]),
        # Ticks and the worker's own clock round differently.
        others_cpu_s=max(0.0, after.busy_s - before.busy_s - answer["cpu_s"]),
        steal_s=after.steal_s - before.steal_s,
        idle_cpu_s=after.process_s - before.process_s,
        frequency_mhz=frequency_mhz(cpus),
        load_1min=os.getloadavg()[0],
        minor_faults=answer["minor_faults"],
        major_faults=answer["major_faults"],
    )
