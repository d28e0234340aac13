"""Timing one variant, or several alive at once and stepped in turn: what all see of the machine leaves their ratios.

Each has a crew, of one worker, or of one for each instance, which run at the same time.

Those that are not timed are stopped (SIGSTOP), so that they are idle whatever their OpenMP runtimes do
between regions: libgomp and libiomp5 spin there, on the CPUs of the one that is timed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfsuite.errors import StandError, WorkerError
from perfsuite.measure.crew import Crew
from perfsuite.records.measurement import Block, Replicate
from perfsuite.records.pair import Pair, Pairing, turns
from perfsuite.spec import Variant, workload

if TYPE_CHECKING:
    from perfsuite.measure.rig import Rig

#: The shortest block. Of what takes longer a block is one iteration, for on two shared cores
#: latencies drift by 10 % within seconds: single iterations by turns gave a third less error in the
#: same time than blocks of two with one before them that is not timed.
BLOCK_S = 0.05
#: Of instances that run together a block gives one figure, of as many passes as it holds. As many rounds as of single
#: workers are few enough then, and a pass that ends outside weighs little (2 seconds of a pair hold eight a side).
TOGETHER_BLOCK_S, TOGETHER_ITERATIONS = 0.15, 2
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

#: What is done with workers after they were timed.
Then = Callable[[Crew, Replicate], None]


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
    return Pair(pairing=pairing, baseline=one, candidate=two, candidate_first=candidate_first)


def step(
    stands: Sequence[Stand], *, duration_s: float, warm_up_limit_s: float, then: Then | None = None
) -> tuple[Replicate, ...]:
    """Time fresh workers of each stand, for about so long together; WorkerError if one fails.

    Where one stand has several instances, all are timed as such are: by what gets done while all instances run.
    ``then`` is called with each stand's workers, still alive, once all are timed, and with what was measured of them.
    """
    with contextlib.ExitStack() as alive:
        crews: list[Crew] = []
        for number, stand in enumerate(stands):
            with _naming(number):
                crews.append(alive.enter_context(stand.rig.crew(stand.variant)))
            if len(stands) > 1:
                crews[-1].pause()
        warmups = []
        for number, crew in enumerate(crews):
            with _running(crew, crews), _naming(number):
                warmups.append(crew.warm_up(limit_s=warm_up_limit_s))
        latencies_s = [warmup.duration_ns * 1e-9 / warmup.iterations for warmup in warmups]
        plan = _plan(crews, latencies_s, duration_s, once=workload(stands[0].variant.workload).once)
        blocks: list[list[Block]] = [[] for _ in stands]
        for index in _order(plan.rounds, len(stands), once=plan.once):
            settle = 0 if plan.once or len(stands) == 1 else _settle(latencies_s[index])
            with _naming(index):
                blocks[index].append(_block(crews[index], crews, plan, settle=settle))
        found = []
        for crew, stand, warmup, mine in zip(crews, stands, warmups, blocks, strict=True):
            with _running(crew, crews):
                origin = stand.rig.weights_origin(stand.variant.model)
                found.append(crew.replicate(warmup, tuple(mine), weights_origin=origin))
                if then:
                    then(crew, found[-1])
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How many rounds of two blocks a stand, and how long a block is at least."""

    rounds: int
    block_s: float
    iterations: int
    together: bool
    once: bool


def _plan(crews: Sequence[Crew], latencies_s: Sequence[float], duration_s: float, *, once: bool) -> _Plan:
    together = any(crew.instances > 1 for crew in crews)
    if once:
        return _Plan(rounds=1, block_s=0.0, iterations=1, together=together, once=True)
    iterations = TOGETHER_ITERATIONS if together else 1
    block_s = TOGETHER_BLOCK_S if together else BLOCK_S
    if len(crews) == 1:
        block_s = duration_s / ALONE_BLOCKS
    rounds = _rounds(latencies_s, duration_s, block_s, iterations)
    return _Plan(rounds=rounds, block_s=block_s, iterations=iterations, together=together, once=False)


def _rounds(latencies_s: Sequence[float], duration_s: float, block_s: float, iterations: int = 1) -> int:
    """As many as fit, of the latencies that were seen while warming up."""
    settled = [_settle(latency_s) * latency_s if len(latencies_s) > 1 else 0.0 for latency_s in latencies_s]
    round_s = 2 * (sum(settled) + sum(max(iterations * latency_s, block_s) for latency_s in latencies_s))
    return max(LEAST_ROUNDS, round(duration_s / round_s))


def _settle(latency_s: float) -> int:
    return SETTLE if latency_s < BLOCK_S else 0


def _order(rounds: int, count: int, *, once: bool) -> Iterator[int]:
    return iter((0,)) if once and count == 1 else turns(rounds, count)


@contextlib.contextmanager
def _naming(number: int) -> Iterator[None]:
    """A worker that fails inside is the one of that number."""
    try:
        yield
    except WorkerError as error:
        raise StandError(number, str(error)) from error


@contextlib.contextmanager
def _running(one: Crew, crews: Sequence[Crew]) -> Iterator[None]:
    """Lets it run, where it stands still while others are timed."""
    if len(crews) == 1:
        yield
        return
    one.resume()
    try:
        yield
    finally:
        one.pause()


def _block(one: Crew, crews: Sequence[Crew], plan: _Plan, *, settle: int) -> Block:
    idle = [pid for other in crews if other is not one for pid in other.pids]
    with _running(one, crews):
        return one.block(
            duration_s=plan.block_s, iterations=plan.iterations, settle=settle, together=plan.together, idle=idle
        )
