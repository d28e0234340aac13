"""One worker: prepares its variant, then does what it is asked until told to stop."""

from __future__ import annotations

import dataclasses
import gc
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from perfsuite.backends import BACKENDS
from perfsuite.backends.base import Recipe
from perfsuite.models import load_models
from perfsuite.models.base import Reads, Sources
from perfsuite.spec import Mode, Precision, workload
from perfsuite.worker import assets, faults, probe
from perfsuite.worker.observe import cold_compile_s, forget_graphs, held_bytes, observe, resident_bytes
from perfsuite.worker.protocol import Closed, Job, Line
from perfsuite.worker.timing import time_block, warm_up

if TYPE_CHECKING:
    from perfsuite.backends.base import Backend, Forward
    from perfsuite.models.base import Model


class Worker:
    """A prepared variant and the requests it answers, one method each."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._model: Model = load_models({job.model: job.model_target} if job.model_target else {})[job.model]
        self._backend: Backend = next(b for b in BACKENDS if b.name == job.backend)
        self._sources = Sources(photographs=Path(job.photographs), minilm=Path(job.minilm))
        self._folder = Path(job.assets)
        self.forward: Forward
        self.batches: tuple[assets.Batch, ...]
        self._empty_bytes = 0

    def make_assets(self, *, policy: str, workloads: list[str]) -> dict[str, Any]:
        """Fill the model's folder with what is missing of weights and inputs."""
        if not (self._folder / "weights.json").exists():
            assets.make_weights(self._model, self._sources, self._folder, policy=policy)
        for name in workloads:
            if not (self._folder / f"{name}.npz").exists():
                assets.make_inputs(self._model, self._sources, self._folder, workload(name))
        return {}

    def prepare(self) -> dict[str, Any]:
        """Load, digest and prepare; then the first forward pass.

        An artefact that was saved from other weights is not loaded: the answer is both digests.
        """
        start_s = time.perf_counter()
        job = self._job
        self._empty_bytes = resident_bytes()
        if Mode(job.mode) in self._backend.compiled_modes:
            self._backend.compile_in_parallel(len(os.sched_getaffinity(0)))
        inputs = assets.read_inputs(self._folder, job.workload)
        # A deployed artefact brings its own weights; the preparing process digests them.
        module = assets.load_module(self._model, self._sources, self._folder)
        weights_sha256 = assets.digest_weights(module)
        inputs_sha256 = assets.digest_inputs(inputs)
        artefact_sha256 = self._stamp.read_text() if job.deployment == "load" else None
        digests = {
            "weights_sha256": weights_sha256,
            "inputs_sha256": inputs_sha256,
            "artefact_sha256": artefact_sha256,
        }
        if artefact_sha256 not in (None, weights_sha256):
            return digests
        fault = faults.find(job.fault)
        fault.on_stack()
        inputs = fault.on_inputs(inputs)
        batches = tuple(self._backend.arrange(batch, self._model.reads) for batch in inputs.measured)
        recipe = Recipe(
            module=fault.on_module(module),
            reads=self._model.reads,
            mode=Mode(job.mode),
            precision=fault.on_precision(Precision(job.precision)),
            example=batches[0],
            calibration=tuple(
                self._backend.arrange(batch, self._model.reads) for batch in fault.on_calibration(inputs)
            ),
            calibrated=Path(job.calibrated) if job.calibrated else None,
        )
        loaded_s = time.perf_counter()
        self.forward = fault.on_forward(self._prepared(recipe, fault.on_digest(weights_sha256)))
        self.batches = batches
        prepared_s = time.perf_counter()
        forget_graphs()
        self.forward(*batches[0])
        first_s = time.perf_counter()
        # What preparing left is as good as eternal: collecting before each block would go through it again.
        gc.collect()
        gc.freeze()
        return {
            **digests,
            "threads": torch.get_num_threads(),
            "load_s": loaded_s - start_s,
            "prepare_s": prepared_s - loaded_s,
            "first_inference_s": first_s - prepared_s,
            "cold_compile_s": cold_compile_s(),
        }

    def _prepared(self, recipe: Recipe, weights_sha256: str) -> Forward:
        if self._job.artefact is None:
            return self._backend.prepare(recipe)
        artefact = Path(self._job.artefact)
        if self._job.deployment == "load":
            return self._backend.load(artefact, recipe)
        self._stamp.write_text(weights_sha256)
        return self._backend.save(recipe, artefact)

    @property
    def _stamp(self) -> Path:
        """Beside the artefact: the digest of the weights that it was saved from."""
        assert self._job.artefact is not None
        return Path(self._job.artefact).with_suffix(".sha256")

    def outputs(self, *, path: str) -> dict[str, Any]:
        """Write the output for each measured batch: array ``outputs``, (count, batch, ...), float32."""
        results = [self.forward(*batch).float().contiguous().numpy() for batch in self.batches]
        arrays: dict[str, Any] = {"outputs": np.stack(results)}
        if self._model.reads is Reads.TEXT:
            arrays["mask"] = np.stack([batch[1].numpy() for batch in self.batches])
        np.savez(path, **arrays)
        return {}

    def warm_up(self, *, limit_s: float) -> dict[str, Any]:
        """Iterate until steady."""
        return dataclasses.asdict(warm_up(self._step, limit_ns=int(limit_s * 1e9)))

    def block(self, *, duration_s: float, iterations: int, settle: int = 0) -> dict[str, Any]:
        """Time consecutive iterations on the first measured batch, after ``settle`` that are not timed."""
        before = resource.getrusage(resource.RUSAGE_SELF)
        for _ in range(settle):
            self._step()
        latencies_ns = time_block(self._step, duration_ns=int(duration_s * 1e9), iterations=iterations)
        after = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "latencies_ns": latencies_ns,
            "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "minor_faults": after.ru_minflt - before.ru_minflt,
            "major_faults": after.ru_majflt - before.ru_majflt,
            "resident_bytes": held_bytes(),
        }

    def memory(self) -> dict[str, Any]:
        """The most memory this process ever held; ru_maxrss counts KiB on Linux."""
        return {"peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}

    def observe(self, *, log: str, forward_s: float | None) -> dict[str, Any]:
        """What runs in one forward pass; the libraries' own lines go into the file ``log``."""
        resident = resident_bytes() - self._empty_bytes
        memory = self.memory()  # before the instruments take theirs
        return {
            **observe(self._step, self._backend.speaking(), Path(log), forward_s=forward_s),
            **memory,
            "stack_answers": probe.answers(),
            "resident_bytes": resident,
            "model_macs": assets.read_macs(self._folder, self._job.workload),
        }

    def _step(self) -> torch.Tensor:
        return self.forward(*self.batches[0])


def serve(line: Line, job: dict[str, Any]) -> None:
    """Answer requests ``{"do": method, **arguments}`` until the line is closed."""
    torch.manual_seed(0)
    worker = Worker(Job(**job))
    requests: dict[str, Callable[..., dict[str, Any]]] = {
        "make_assets": worker.make_assets,
        "prepare": worker.prepare,
        "outputs": worker.outputs,
        "warm_up": worker.warm_up,
        "block": worker.block,
        "memory": worker.memory,
        "observe": worker.observe,
    }
    with torch.no_grad():
        while True:
            try:
                request = line.receive()
            except Closed:
                return
            line.send(requests[request.pop("do")](**request))
