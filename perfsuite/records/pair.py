"""Two workers alive at once and stepped in turn, and what they held."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from perfsuite.records.measurement import Block, Replicate
from perfsuite.spec import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """What is held against what: the same model, precision and workload in two stacks."""

    baseline: Variant
    candidate: Variant

    @property
    def id(self) -> str:
        """The variant's, without the backend where it differs, and with both modes where they do."""
        one, other = self.baseline, self.candidate
        backend = (one.backend,) if one.backend == other.backend else ()
        modes = (one.mode,) if one.mode == other.mode else (f"{one.mode}-or-{other.mode}",)
        return "-".join((one.model, *backend, *modes, one.precision, one.workload))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two workers, one of each stack, alive at once and stepped in turn: the unit of the statistics.

    Blocks come in rounds of two a side, A B B A and B A A B by turns (``turns``). A side of several instances has a
    worker of each.
    """

    pairing: Pairing
    baseline: Replicate
    candidate: Replicate
    #: Whether the first block is the candidate's; not told in files older than it.
    candidate_first: bool = False

    @property
    def blocks(self) -> Iterator[tuple[Replicate, Block]]:
        """Of both sides, each with whose it is, in the order in which they were timed."""
        sides = (self.candidate, self.baseline) if self.candidate_first else (self.baseline, self.candidate)
        left = [list(side.blocks) for side in sides]
        rounds = math.ceil(max(map(len, left)) / 2)
        for index in turns(rounds, len(sides)):
            if left[index]:
                yield sides[index], left[index].pop(0)

    @property
    def measured_s(self) -> float:
        """Both sides' warm-up and timed blocks; starting and preparing are left out."""
        return sum(side.stages.warm_up_s + side.stages.timed_s for side in (self.baseline, self.candidate))

    @property
    def total_s(self) -> float:
        """All that both workers took, one after the other as they do."""
        return self.baseline.stages.total_s + self.candidate.stages.total_s

    @property
    def log_ratio(self) -> float:
        """Candidate over baseline, of what a pass takes when nobody disturbs it."""
        return math.log(self.candidate.latency_s / self.baseline.latency_s)

    @property
    def slow_quarter_log_ratio(self) -> float:
        """Candidate over baseline, of each side's slowest quarter of iterations."""
        return math.log(self.candidate.slow_latency_s / self.baseline.slow_latency_s)


def turns(rounds: int, count: int) -> Iterator[int]:
    """Whose block is next. Of two: 0 1 1 0, 1 0 0 1, ...: none is first more often, and a drift reaches all alike."""
    for number in range(rounds):
        there = range(count) if number % 2 == 0 else range(count - 1, -1, -1)
        yield from there
        yield from reversed(there)
