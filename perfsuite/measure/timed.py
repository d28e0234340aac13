"""A prepared worker that is timed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from perfsuite.records.measurement import Block, Digests, Replicate, Stages, Warmup
from perfsuite.spec import workload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfsuite.measure.launch import Worker
    from perfsuite.settings import Settings
    from perfsuite.spec import Variant


class Timed:
    """One worker of a variant; ``ready`` is what it answered when it was prepared."""

    def __init__(
        self,
        variant: Variant,
        worker: Worker,
        ready: Mapping[str, Any],
        *,
        cpus: tuple[int, ...],
        timeout_s: float,
        settings: Settings,
    ) -> None:
        self.worker = worker
        self.cpus = cpus
        self._variant = variant
        self._ready = ready
        self._timeout_s = timeout_s
        self._settings = settings

    @property
    def digests(self) -> Digests:
        """Of what the worker was prepared with."""
        return Digests(weights_sha256=self._ready["weights_sha256"], inputs_sha256=self._ready["inputs_sha256"])

    def warm_up(self, limit_s: float | None = None) -> Warmup:
        """Iterate until steady, or to the limit; what takes minutes a pass had its warm-up while it was prepared."""
        if workload(self._variant.workload).once:
            return Warmup(steady=False, iterations=1, duration_ns=0)
        limit_s = min(limit_s or math.inf, self._settings.warm_up_limit_s)
        return Warmup(**self.worker.call("warm_up", timeout_s=self._timeout_s, limit_s=limit_s))

    def block(self, *, duration_s: float, iterations: int, settle: int = 0) -> Any:
        """The worker's answer to a block of iterations."""
        return self.worker.call(
            "block", timeout_s=self._timeout_s, duration_s=duration_s, iterations=iterations, settle=settle
        )

    def replicate(self, warmup: Warmup, blocks: tuple[Block, ...], *, weights_origin: str) -> Replicate:
        """What the worker was measured to do; to be asked last, as it reads the peak of its memory."""
        memory = self.worker.call("memory", timeout_s=self._timeout_s)
        stages = Stages(
            start_s=self.worker.start_s,
            load_s=self._ready["load_s"],
            prepare_s=self._ready["prepare_s"],
            first_inference_s=self._ready["first_inference_s"],
            warm_up_s=warmup.duration_ns * 1e-9,
            timed_s=sum(sum(block.latencies_ns) for block in blocks) * 1e-9,
        )
        return Replicate(
            digests=self.digests, weights_origin=weights_origin, warmup=warmup, stages=stages, blocks=blocks, **memory
        )
