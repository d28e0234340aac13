"""Timing one worker, or several alive at once and stepped in turn: what all see of the machine leaves their ratios.

Those that are not timed are stopped (SIGSTOP), so that they are idle whatever their OpenMP runtimes do
between regions: libgomp and libiomp5 spin there, on the CPUs of the one that is timed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfsuite.errors import StandError, WorkerError
from perfsuite.machine.moment import frequency_mhz, moment
from perfsuite.measure.timed import Timed
from perfsuite.records.measurement import Block, Conditions, Replicate
from perfsuite.records.pair import Pair, Pairing
from perfsuite.spec import Variant, workload

if TYPE_CHECKING:
    from perfsuite.measure.rig import Rig

#: The shortest block. Of what takes longer a block is one iteration, for on two shared cores
#: latencies drift by 10 % within seconds: single iterations by turns gave a third less error in the
#: same time than blocks of two with one before them that is not timed.
BLOCK_S = 0.05
#: Of one alone nothing is gained by short ones: ten tell whether its memory grows, and make a session's file small.
ALONE_BLOCKS = 10
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

#: What is done with a worker after it was timed.
Then = Callable[[Timed, Replicate], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A variant, and the rig that runs it."""

    variant: Variant
    rig: Rig


def measure_pair(pairing: Pairing, baseline: Rig, candidate: Rig, *, candidate_first: bool = False) -> Pair:
    """Time one fresh worker of each stack, in balanced order; WorkerError if one fails."""
    stands = [Stand(variant=pairing.baseline, rig=baseline), Stand(variant=pairing.candidate, rig=candidate)]
    if candidate_first:
        two, one = step(stands[::-1], duration_s=PAIR_S, warm_up_limit_s=WARM_UP_LIMIT_S)
    else:
        one, two = step(stands, duration_s=PAIR_S, warm_up_limit_s=WARM_UP_LIMIT_S)
    return Pair(pairing=pairing, baseline=one, candidate=two)


def step(
    stands: Sequence[Stand], *, duration_s: float, warm_up_limit_s: float, then: Then | None = None
) -> tuple[Replicate, ...]:
    """Time one fresh worker of each stand, for about so long together; WorkerError if one fails.

    ``then`` is called with each worker, still alive, once all are timed, and with what was measured of it.
    """
    with contextlib.ExitStack() as alive:
        timed: list[Timed] = []
        for number, stand in enumerate(stands):
            with _naming(number):
                timed.append(alive.enter_context(stand.rig.timed(stand.variant)))
            if len(stands) > 1:
                timed[-1].worker.pause()
        warmups = []
        for number, one in enumerate(timed):
            with _running(one, timed), _naming(number):
                warmups.append(one.warm_up(limit_s=warm_up_limit_s))
        once = workload(stands[0].variant.workload).once
        latencies_s = [warmup.duration_ns * 1e-9 / warmup.iterations for warmup in warmups]
        block_s = BLOCK_S if len(stands) > 1 else duration_s / ALONE_BLOCKS
        rounds = 1 if once else _rounds(latencies_s, duration_s, block_s)
        blocks: list[list[Block]] = [[] for _ in stands]
        for index in _order(rounds, len(stands), once=once):
            settle = 0 if once or len(stands) == 1 else _settle(latencies_s[index])
            with _naming(index):
                blocks[index].append(_block(timed[index], timed, duration_s=0.0 if once else block_s, settle=settle))
        found = []
        for one, stand, warmup, mine in zip(timed, stands, warmups, blocks, strict=True):
            with _running(one, timed):
                origin = stand.rig.weights_origin(stand.variant.model)
                found.append(one.replicate(warmup, tuple(mine), weights_origin=origin))
                if then:
                    then(one, found[-1])
        return tuple(found)


def _rounds(latencies_s: Sequence[float], duration_s: float, block_s: float) -> int:
    """As many as fit, of the latencies that were seen while warming up."""
    settled = [_settle(latency_s) * latency_s if len(latencies_s) > 1 else 0.0 for latency_s in latencies_s]
    round_s = 2 * (sum(settled) + sum(max(latency_s, block_s) for latency_s in latencies_s))
    return max(LEAST_ROUNDS, round(duration_s / round_s))


def _settle(latency_s: float) -> int:
    return SETTLE if latency_s < BLOCK_S else 0


def _order(rounds: int, count: int, *, once: bool) -> Iterator[int]:
    """Of two: 0 1 1 0, 1 0 0 1, ...: none comes first more often, and a steady drift reaches all alike."""
    if once and count == 1:
        yield 0
        return
    for number in range(rounds):
        there = range(count) if number % 2 == 0 else range(count - 1, -1, -1)
        yield from there
        yield from reversed(there)


@contextlib.contextmanager
def _naming(number: int) -> Iterator[None]:
    """A worker that fails inside is the one of that number."""
    try:
        yield
    except WorkerError as error:
        raise StandError(number, str(error)) from error


@contextlib.contextmanager
def _running(one: Timed, timed: Sequence[Timed]) -> Iterator[None]:
    """Lets it run, where it stands still while others are timed."""
    if len(timed) == 1:
        yield
        return
    one.worker.resume()
    try:
        yield
    finally:
        one.worker.pause()


def _block(one: Timed, timed: Sequence[Timed], *, duration_s: float, settle: int) -> Block:
    cpus, idle = one.cpus, [other.worker.pid for other in timed if other is not one]
    with _running(one, timed):
        before = moment(cpus, idle)
        answer = one.block(duration_s=duration_s, iterations=1, settle=settle)
        after = moment(cpus, idle)
    conditions = Conditions(
        # Ticks and the worker's own clock round differently.
        others_cpu_s=max(0.0, after.busy_s - before.busy_s - answer["cpu_s"]),
        steal_s=after.steal_s - before.steal_s,
        idle_cpu_s=after.idle_s - before.idle_s,
        frequency_mhz=frequency_mhz(cpus),
        load_1min=os.getloadavg()[0],
        minor_faults=answer["minor_faults"],
        major_faults=answer["major_faults"],
        resident_bytes=answer["resident_bytes"],
    )
    return Block(latencies_ns=tuple(answer["latencies_ns"]), conditions=conditions)
