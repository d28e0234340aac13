"""The workers of a variant, an instance on each seat of a placement, timed together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from perfsuite.errors import WorkerError
from perfsuite.machine.moment import frequency_mhz, moment
from perfsuite.measure.timed import Timed
from perfsuite.records.measurement import Block, Conditions, Load, Replicate, Stages, Warmup
from perfsuite.stats.window import Passes, Window

#: From asking instances to start until they do: what it takes to tell them, a fraction of a millisecond each, and
#: to collect garbage, some milliseconds (judgement). Who comes late only shortens the time in which all run.
_LEAD_NS = 20_000_000


class Crew:
    """Prepared workers of one variant, at least one, each on its own cores."""

    def __init__(self, members: Sequence[Timed]) -> None:
        self._members = tuple(members)
        if len({one.digests for one in members}) > 1:
            raise WorkerError("the instances were prepared with other weights or inputs than one another")

    @property
    def first(self) -> Timed:
        """The one that answers for outputs and kernels."""
        return self._members[0]

    @property
    def instances(self) -> int:
        return len(self._members)

    @property
    def pids(self) -> tuple[int, ...]:
        return tuple(one.worker.pid for one in self._members)

    def pause(self) -> None:
        """Stop all of their threads."""
        for one in self._members:
            one.worker.pause()

    def resume(self) -> None:
        """Let them go on."""
        for one in self._members:
            one.worker.resume()

    def warm_up(self, *, limit_s: float) -> Warmup:
        """Iterate until steady, or to the limit; several instances all to the limit, for each is the others' load.

        Of several it is told what the slowest of them did.
        """
        if self.first.once:
            return Warmup(steady=False, iterations=1, duration_ns=0)
        limit_s = min(limit_s, self.first.warm_up_limit_s)
        answers = self._all("warm_up", limit_s=limit_s, least_s=limit_s if self.instances > 1 else 0.0)
        return Warmup(
            steady=all(answer["steady"] for answer in answers),
            iterations=min(answer["iterations"] for answer in answers),
            duration_ns=max(answer["duration_ns"] for answer in answers),
        )

    def block(self, *, duration_s: float, iterations: int, settle: int, together: bool, idle: Collection[int]) -> Block:
        """Time iterations of all, after ``settle`` that are not timed; ``idle`` are processes that stand still.

        ``together``: all start at one time, and what counts is the time in which all run. WorkerError if there was
        none, or if a worker fails.
        """
        how: dict[str, object] = {"duration_s": duration_s, "iterations": iterations}
        cpus = tuple(cpu for one in self._members for cpu in one.cpus)
        if together:
            self._all("settle", passes=settle)
        else:
            how["settle"] = settle
        before = moment(cpus, idle)
        if together:
            how["start_ns"] = time.perf_counter_ns() + _LEAD_NS  # CLOCK_MONOTONIC, the same in every process
        answers = self._all("block", **how)
        after = moment(cpus, idle)
        conditions = Conditions(
            # Ticks and the workers' own clocks round differently.
            others_cpu_s=max(0.0, after.busy_s - before.busy_s - _sum(answers, "cpu_s")),
            steal_s=after.steal_s - before.steal_s,
            idle_cpu_s=after.idle_s - before.idle_s,
            frequency_mhz=frequency_mhz(cpus),
            load_1min=os.getloadavg()[0],
            minor_faults=_sum(answers, "minor_faults"),
            major_faults=_sum(answers, "major_faults"),
            resident_bytes=_sum(answers, "resident_bytes"),
        )
        passes = [
            Passes(starts_ns=tuple(answer["starts_ns"]), latencies_ns=tuple(answer["latencies_ns"]))
            for answer in answers
        ]
        if not together:
            return Block(latencies_ns=passes[0].latencies_ns, conditions=conditions)
        return loaded_block(passes, self.first.items, conditions)

    def replicate(self, warmup: Warmup, blocks: tuple[Block, ...], *, weights_origin: str) -> Replicate:
        """What they were measured to do; to be asked after the last block, as it reads the peaks of their memory."""
        peaks = self._all("memory")
        timed_s = sum(block.duration_s for block in blocks)
        stages = [one.stages(warm_up_s=warmup.duration_ns * 1e-9, timed_s=timed_s) for one in self._members]
        return Replicate(
            digests=self.first.digests,
            weights_origin=weights_origin,
            warmup=warmup,
            stages=_slowest(stages),
            blocks=blocks,
            peak_rss_bytes=_sum(peaks, "peak_rss_bytes"),
        )

    def _all(self, do: str, **arguments: object) -> list[Any]:
        """Everybody's answer, in order; they do it at the same time."""
        for one in self._members:
            one.ask(do, **arguments)
        return [one.answered() for one in self._members]


def loaded_block(passes: Sequence[Passes], items: int, conditions: Conditions | None) -> Block:
    """What instances, of whose passes each has so many items, got done; WorkerError if never all ran."""
    try:
        window = Window.shared_by(passes)
    except ValueError as error:
        starts_s = [(one.starts_ns[0] - passes[0].starts_ns[0]) * 1e-9 for one in passes]
        raise WorkerError(
            f"{error}: the last began {max(starts_s) - min(starts_s):.2f} s after the first; other processes have "
            "kept it from its cores"
        ) from error
    return Block(
        latencies_ns=tuple(latency for one in passes for latency in window.latencies_ns(one)),
        conditions=conditions,
        load=Load(window_ns=window.duration_ns, passes=tuple(map(window.done, passes)), items=items),
    )


def _sum(answers: Sequence[Any], key: str) -> Any:
    return sum(answer[key] for answer in answers)


def _slowest(stages: Sequence[Stages]) -> Stages:
    """Of instances that go through them at the same time, the longest of each."""

    def longest(of: Callable[[Stages], float | None]) -> float | None:
        told = [value for value in map(of, stages) if value is not None]
        return max(told) if told else None

    return Stages(
        start_s=max(one.start_s for one in stages),
        load_s=max(one.load_s for one in stages),
        prepare_s=max(one.prepare_s for one in stages),
        first_inference_s=max(one.first_inference_s for one in stages),
        warm_up_s=max(one.warm_up_s for one in stages),
        timed_s=max(one.timed_s for one in stages),
        import_s=longest(lambda one: one.import_s),
        cold_compile_s=longest(lambda one: one.cold_compile_s),
    )
