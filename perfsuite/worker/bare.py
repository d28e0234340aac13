"""A bare loop around ``perf_counter``: what ``perfsuite selfcheck overhead`` holds the harness against.

    python -m perfsuite.worker.bare JOB

prepares the job's variant, prints ``ready``, then, for each line of standard input, iterates for
that many seconds and prints the latencies (s) as JSON. No launcher, no fork, no socket.
"""

from __future__ import annotations

import json
import sys
import time

import torch

from perfsuite.worker.protocol import Job
from perfsuite.worker.runner import Worker


def main(job: str) -> None:
    with torch.no_grad():
        worker = Worker(Job(**json.loads(job)))
        worker.prepare()
        forward, inputs = worker.forward, worker.batches[0]
        print("ready", flush=True)
        for line in sys.stdin:
            seconds, latencies_s = float(line), []
            end_s = time.perf_counter() + seconds
            while time.perf_counter() < end_s:
                before_s = time.perf_counter()
                forward(*inputs)
                latencies_s.append(time.perf_counter() - before_s)
            print(json.dumps(latencies_s), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
