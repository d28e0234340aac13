"""A bare loop around ``perf_counter``: what ``perfsuite selfcheck overhead`` holds the harness against.

    python -m perfsuite.worker.bare JOB

prepares the job's variant, prints ``ready``, then, for each line of standard input, iterates for
that many seconds and prints the latencies (s) as JSON, each of a pass over the first batch of every
shape, as a worker's are. No launcher, no fork, no socket.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from perfsuite.worker.calls import Batch
from perfsuite.worker.protocol import Job
from perfsuite.worker.runner import Worker

if TYPE_CHECKING:
    from perfsuite.backends.base import Forward


def timed(forward: Forward, walk: Sequence[Batch], seconds: float) -> list[float]:
    """The latencies (s) of passes over all of ``walk``, begun within so many seconds."""
    latencies_s = []
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        before_s = time.perf_counter()
        for inputs in walk:
            forward(*inputs)
        latencies_s.append(time.perf_counter() - before_s)
    return latencies_s


def main(job: str) -> None:
    with torch.no_grad():
        worker = Worker(Job(**json.loads(job)))
        worker.prepare()
        print("ready", flush=True)
        for line in sys.stdin:
            latencies_s = timed(worker.forward, worker.walk, float(line))
            print(json.dumps(latencies_s), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
