"""Iterations in the order in which they ran: whose they are, what the machine did meanwhile, and which are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from perfsuite.records.measurement import Block, Replicate
from perfsuite.records.pair import Pair

#: About how many iterations of a variant are drawn at most: as many as a drawing of that width has room for, at 12
#: bytes each (96 variants have to stay under 5 MB).
_MOST = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A block, whose it is, and the number of the pair or the worker that it belongs to, from 1 on.

    ``cpus`` is how many its workers compute on.
    """

    group: int
    candidate: bool
    block: Block
    cpus: int

    @property
    def others_share(self) -> float | None:
        """What anybody else took of the CPUs' time; None where nobody told, or told what is no time."""
        conditions = self.block.conditions
        if conditions is None or self.cpus < 1:
            return None
        share = (conditions.others_cpu_s + conditions.steal_s) / (self.cpus * self.block.duration_s)
        return share if math.isfinite(share) else None

    @property
    def frequency_ghz(self) -> float | None:
        """Of its CPUs; None where the machine does not tell."""
        mhz = self.block.conditions.frequency_mhz if self.block.conditions else None
        return mhz / 1000 if mhz and math.isfinite(mhz) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """An iteration that is drawn: its place in the order, from 0 on, and what it took."""

    place: int
    latency_ns: int


def of_pairs(pairs: Sequence[Pair], cpus: tuple[int, int]) -> list[Stretch]:
    """Both sides' blocks by turns, pair after pair; ``cpus`` are the baseline's and the candidate's."""
    return [
        Stretch(group=number, candidate=side is pair.candidate, block=block, cpus=cpus[side is pair.candidate])
        for number, pair in enumerate(pairs, start=1)
        for side, block in pair.blocks
    ]


def of_workers(before: Iterable[Replicate], after: Iterable[Replicate], cpus: int) -> list[Stretch]:
    """Worker after worker, the oldest first, all on as many CPUs."""
    workers = [(False, one) for one in before] + [(True, one) for one in after]
    return [
        Stretch(group=number, candidate=candidate, block=block, cpus=cpus)
        for number, (candidate, worker) in enumerate(workers, start=1)
        for block in worker.blocks
    ]


def iterations(track: Sequence[Stretch]) -> int:
    return sum(len(one.block.latencies_ns) for one in track)


def dots(track: Sequence[Stretch]) -> Iterator[tuple[Stretch, list[Dot]]]:
    """What is drawn of each stretch: all, or some at even distances, with the fastest and the slowest."""
    total, place = iterations(track), 0
    for stretch in track:
        latencies_ns = stretch.block.latencies_ns
        most = max(2, len(latencies_ns) * _MOST // total)
        yield stretch, [Dot(place=place + index, latency_ns=latencies_ns[index]) for index in _kept(latencies_ns, most)]
        place += len(latencies_ns)


def _kept(values: Sequence[int], most: int) -> list[int]:
    """The places of about ``most`` values at even distances, and of the extremes."""
    if len(values) <= most:
        return list(range(len(values)))
    places = range(len(values))
    even = {len(values) * part // most for part in range(most)}
    return sorted(even | {min(places, key=values.__getitem__), max(places, key=values.__getitem__)})
