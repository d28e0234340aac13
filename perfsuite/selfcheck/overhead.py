"""Does a figure measured through perfsuite equal a bare loop's?

Two processes of one stack hold the same variant and are stepped in turn: a worker, forked from a
launcher and asked for blocks over its socket, and a plain process that knows nothing of either.
Their order alternates (A B B A), so that the machine's states reach both.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perfsuite.judge.colour import Status
from perfsuite.judge.rule import judge_ratio
from perfsuite.records.speed import Verdict
from perfsuite.spec import Mode, Precision, Variant
from perfsuite.stats.intervals import mean_ratio_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfsuite.measure.rig import Rig

#: A fast variant, whose iteration is a few milliseconds, and a slow one, of 50 to 150.
VARIANTS = (
    Variant(model="minilm", backend="stock", mode=Mode.EAGER, precision=Precision.FP32, workload="latency"),
    Variant(model="bert-base", backend="stock", mode=Mode.EAGER, precision=Precision.FP32, workload="latency"),
)
#: Pairs of fresh processes: memory layout alone makes equal processes differ by up to 1 %.
PAIRS = 5
#: A harness that costs more would decide what a comparison may only just resolve (its default is 2 %).
MATTERS = 1.02
COVERAGE = 0.95
#: Blocks of each process in a pair, and how long one is.
BLOCKS = 12
BLOCK_S = 0.4


def run(rig: Rig) -> Status:
    """Print the ratio, perfsuite over bare loop, of each variant; WORSE if one differs, UNTOLD if nobody can tell."""
    found = [_judged(rig, variant) for variant in VARIANTS]
    if Verdict.REGRESSED in found or Verdict.IMPROVED in found:
        return Status.WORSE
    return Status.UNTOLD if Verdict.INCONCLUSIVE in found else Status.FINE


def _judged(rig: Rig, variant: Variant) -> Verdict:
    measured_s, bare_s = [], []
    for _ in range(PAIRS):
        ours, theirs = _pair(rig, variant)
        measured_s.append(statistics.median(ours))
        bare_s.append(statistics.median(theirs))
    log_ratios = [math.log(ours / theirs) for ours, theirs in zip(measured_s, bare_s, strict=True)]
    ratio = math.exp(statistics.fmean(log_ratios))
    interval = mean_ratio_interval(log_ratios, error=1 - COVERAGE, coverage=COVERAGE)
    verdict, _ = judge_ratio(ratio, interval, None, matters=MATTERS)
    print(
        f"{variant.id}: {verdict}, perfsuite {statistics.median(measured_s) * 1e3:.3f} ms, "
        f"bare loop {statistics.median(bare_s) * 1e3:.3f} ms, ratio {ratio:.4f} "
        f"[{interval.low:.4f}, {interval.high:.4f}] at {interval.coverage:.0%} over {PAIRS} pairs; "
        f"what matters is more than {MATTERS - 1:.0%}"
    )
    return verdict


def _pair(rig: Rig, variant: Variant) -> tuple[list[float], list[float]]:
    """Block medians of a fresh worker and of a fresh bare process, stepped in turn."""
    ours: list[float] = []
    theirs: list[float] = []
    with rig.worker(variant) as worker, _bare(rig, variant) as bare_block:
        rig.prepare(variant, worker)
        worker.call("warm_up", timeout_s=60, limit_s=rig.settings.warm_up_limit_s)
        bare_block(2.0)

        def our_block() -> None:
            answer = worker.call("block", timeout_s=60, duration_s=BLOCK_S, iterations=3)
            ours.append(statistics.median(answer["latencies_ns"]) * 1e-9)

        def their_block() -> None:
            theirs.append(statistics.median(bare_block(BLOCK_S)))

        for number in range(BLOCKS):
            blocks = (our_block, their_block) if number % 2 == 0 else (their_block, our_block)
            for block in blocks:
                block()
    return ours, theirs


@contextmanager
def _bare(rig: Rig, variant: Variant) -> Iterator[Callable[[float], list[float]]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "perfsuite.worker.bare", json.dumps(dataclasses.asdict(rig.job(variant)))],
        env=rig.worker_environment,
        preexec_fn=lambda: os.sched_setaffinity(0, rig.placement.cpus),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def block(seconds: float) -> list[float]:
        stdin.write(f"{seconds}\n")
        stdin.flush()
        latencies: list[float] = json.loads(stdout.readline())
        return latencies

    try:
        for line in stdout:  # libraries may print before we do
            if line.strip() == "ready":
                break
        yield block
    finally:
        process.kill()
        process.communicate()
