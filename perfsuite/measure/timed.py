"""A prepared worker that is timed, and that answers what its model does once that is over."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfsuite.evidence.build import build_evidence
from perfsuite.records.measurement import Block, Digests, Replicate, Stages, Warmup
from perfsuite.spec import workload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfsuite.check.outputs import Outputs
    from perfsuite.measure.launch import Worker
    from perfsuite.records.evidence import Evidence
    from perfsuite.settings import Settings
    from perfsuite.spec import Variant


class Timed:
    """One worker of a variant; ``ready`` is what it answered when it was prepared, ``artefact`` what it loaded."""

    def __init__(
        self,
        variant: Variant,
        worker: Worker,
        ready: Mapping[str, Any],
        *,
        cpus: tuple[int, ...],
        timeout_s: float,
        settings: Settings,
        artefact: Path | None = None,
    ) -> None:
        self.variant = variant
        self.worker = worker
        self.cpus = cpus
        self._ready = ready
        self._timeout_s = timeout_s
        self._settings = settings
        self._artefact = artefact

    @property
    def digests(self) -> Digests:
        """Of what the worker was prepared with."""
        return Digests(weights_sha256=self._ready["weights_sha256"], inputs_sha256=self._ready["inputs_sha256"])

    def warm_up(self, limit_s: float | None = None) -> Warmup:
        """Iterate until steady, or to the limit; what takes minutes a pass had its warm-up while it was prepared."""
        if workload(self.variant.workload).once:
            return Warmup(steady=False, iterations=1, duration_ns=0)
        limit_s = min(limit_s or math.inf, self._settings.warm_up_limit_s)
        return Warmup(**self._call("warm_up", limit_s=limit_s))

    def block(self, *, duration_s: float, iterations: int, settle: int = 0) -> Any:
        """The worker's answer to a block of iterations."""
        return self._call("block", duration_s=duration_s, iterations=iterations, settle=settle)

    def replicate(self, warmup: Warmup, blocks: tuple[Block, ...], *, weights_origin: str) -> Replicate:
        """What the worker was measured to do; to be asked after the last block, as it reads the peak of its memory."""
        memory = self._call("memory")
        stages = Stages(
            import_s=self.worker.import_s,
            start_s=self.worker.start_s,
            load_s=self._ready["load_s"],
            prepare_s=self._ready["prepare_s"],
            first_inference_s=self._ready["first_inference_s"],
            cold_compile_s=self._ready["cold_compile_s"],
            warm_up_s=warmup.duration_ns * 1e-9,
            timed_s=sum(sum(block.latencies_ns) for block in blocks) * 1e-9,
        )
        return Replicate(
            digests=self.digests, weights_origin=weights_origin, warmup=warmup, stages=stages, blocks=blocks, **memory
        )

    def outputs(self, file: Path) -> Outputs:
        """What the model answers, handed over in ``file``; nothing may be timed afterwards."""
        from perfsuite.check.outputs import Outputs

        self.answer(file)
        stored = read_outputs(file)
        return Outputs(values=stored["outputs"], mask=stored.get("mask"), digests=self.digests)

    def answer(self, file: Path) -> None:
        """Write what the model answers."""
        self._call("outputs", path=str(file))

    def evidence(self, log: Path, *, forward_s: float | None = None) -> Evidence:
        """What really runs in one forward pass, handed over in ``log``; nothing may be timed afterwards.

        ``forward_s`` is what a pass takes without instruments, where that was timed already.
        """
        answer = self._call("observe", log=str(log), forward_s=forward_s)
        return build_evidence(
            answer,
            self._ready,
            log.read_text(errors="replace"),
            artefact_bytes=self._artefact.stat().st_size if self._artefact else None,
        )

    def _call(self, do: str, **arguments: object) -> Any:
        return self.worker.call(do, timeout_s=self._timeout_s, **arguments)


def read_outputs(file: Path) -> dict[str, Any]:
    """The arrays that a worker wrote."""
    import numpy as np

    with np.load(file) as stored:
        return dict(stored)
