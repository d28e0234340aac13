"""Two workers alive at once and stepped in turn: what both see of the machine leaves their ratio.

The one that is not timed is stopped (SIGSTOP), so that it is idle whatever its OpenMP runtime does
between regions: libgomp and libiomp5 spin there, on the CPUs of the other.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from perfsuite.machine.moment import frequency_mhz, moment
from perfsuite.measure.timed import Timed
from perfsuite.records.measurement import Warmup
from perfsuite.records.pair import Block, Pair, Pairing, Side
from perfsuite.spec import workload

if TYPE_CHECKING:
    from perfsuite.measure.rig import Rig

#: The shortest block. Of what takes longer a block is one iteration, for on two shared cores
#: latencies drift by 10 % within seconds: single iterations by turns gave a third less error in the
#: same time than blocks of two with one before them that is not timed.
BLOCK_S = 0.05
#: Iterations before a block of shorter ones that are not timed: the other worker has had the caches,
#: and filling them again makes the first one 1 to 6 % longer (20 ms; of 50 ms and more, 1 %).
SETTLE = 1
#: About how long a pair's rounds, of two blocks a side, take; and the fewest whose faster half is no luck.
#: Short, since more pairs narrow an interval faster than longer ones: at the error that one of 24
#: comparisons may make, Student's t of six is 1.9 times as wide as the normal, of twelve 1.3 times.
PAIR_S, LEAST_ROUNDS = 2.5, 4
#: Past its first iterations a worker is steady within a second on a quiet machine, and on another not
#: at all. A drift that is left reaches both sides alike, and its slower part is not in the ratio.
WARM_UP_LIMIT_S = 0.5


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
            latencies_s = [warmup.duration_ns * 1e-9 / warmup.iterations for warmup in warmups]
            how = [(0.0, 0) if once else (BLOCK_S, _settle(latency_s)) for latency_s in latencies_s]
            blocks: tuple[list[Block], list[Block]] = ([], [])
            for index in _order(1 if once else _rounds(latencies_s)):
                duration_s, settle = how[index]
                found = _block(timed[index], timed[1 - index], baseline.placement.cpus, duration_s, settle)
                blocks[index].append(found)
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


def _rounds(latencies_s: Sequence[float]) -> int:
    """As many as fit into a pair, of the latencies that were seen while warming up."""
    round_s = 2 * sum(_settle(latency_s) * latency_s + max(latency_s, BLOCK_S) for latency_s in latencies_s)
    return max(LEAST_ROUNDS, round(PAIR_S / round_s))


def _settle(latency_s: float) -> int:
    return SETTLE if latency_s < BLOCK_S else 0


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


def _block(timed: Timed, idle: Timed, cpus: tuple[int, ...], duration_s: float, settle: int) -> Block:
    with _running(timed):
        before = moment(cpus, idle.worker.pid)
        answer = timed.block(duration_s=duration_s, iterations=1, settle=settle)
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
