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

from perfsuite.backends.base import Recipe
from perfsuite.backends.inductor import compile_in_parallel
from perfsuite.backends.registry import backend_named
from perfsuite.errors import AssetError
from perfsuite.models import load_models
from perfsuite.models.ask import Sources
from perfsuite.spec import Mode, Precision, workload
from perfsuite.worker import assets, faults, probe
from perfsuite.worker.calls import Batch, positional
from perfsuite.worker.observe import cold_compile_s, forget_graphs, forward_s_of, held_bytes, observe, resident_bytes
from perfsuite.worker.protocol import Closed, Job, Line
from perfsuite.worker.timing import time_passes, warm_up

if TYPE_CHECKING:
    from perfsuite.backends.base import Backend, Forward
from perfsuite.models.base import Model


class Worker:
    """A prepared variant and the requests it answers, one method each."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._model: Model = load_models({job.model: job.model_target} if job.model_target else {})[job.model]
        self._backend: Backend = backend_named(job.backend)
        self._sources = Sources(photographs=Path(job.photographs), minilm=Path(job.minilm))
        self._folder = Path(job.assets)
        self.forward: Forward
        self._unfaulted: Forward  # what the backend prepared, for it to profile
        self.batches: tuple[Batch, ...]
        self.walk: tuple[Batch, ...]
        self._inputs: assets.Inputs
        self._empty_bytes = 0
        self._forward_s: float | None = None

    def make_assets(self, *, policy: str, workloads: list[str]) -> dict[str, Any]:
        """Fill the model's folder with what is missing of weights and inputs."""
        if not (self._folder / "weights.json").exists():
            assets.make_weights(self._model, self._sources, self._folder, policy=policy)
        for name in workloads:
            if not assets.inputs_file(self._folder, name).exists():
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
            compile_in_parallel(len(os.sched_getaffinity(0)))
        inputs = assets.read_inputs(self._folder, job.workload)
        # A deployed artefact brings its own weights; the preparing process digests them.
        state = assets.read_weights(self._folder)
        weights_sha256 = assets.digest_weights(state)
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
        self.batches = self._arranged(inputs.measured)
        #: The first batch of each shape.
        self.walk = tuple(self.batches[inputs.sites.index(site)] for site in dict.fromkeys(inputs.sites))
        # The largest: where sizes vary, a batch of one is a case of its own to whoever traces or exports.
        example = max(self.walk, key=lambda batch: sum(part.numel() for part in batch))
        module = fault.on_module(assets.load_module(self._model, self._sources, state))
        recipe = Recipe(
            module=positional(module, inputs.call, inputs.outputs),
            reads=self._model.reads,
            mode=Mode(job.mode),
            precision=fault.on_precision(Precision(job.precision)),
            example=example,
            varying=_varying(self.walk),
            calibration=self._arranged(fault.on_calibration(inputs)),
            calibrated=Path(job.calibrated) if job.calibrated and fault.calibrates_alike else None,
        )
        loaded_s = time.perf_counter()
        self._unfaulted = self._prepared(recipe, fault.on_digest(weights_sha256))
        self.forward = fault.on_forward(self._unfaulted)
        self._inputs = inputs
        prepared_s = time.perf_counter()
        forget_graphs()
        self._step()
        first_s = time.perf_counter()
        # What preparing left is as good as eternal: collecting before each block would go through it again.
        gc.collect()
        gc.freeze()
        return {
            **digests,
            "threads": torch.get_num_threads(),
            "items": sum(shape.batch for shape in self._model.shapes(workload(job.workload))),
            "load_s": loaded_s - start_s,
            "prepare_s": prepared_s - loaded_s,
            "first_inference_s": first_s - prepared_s,
            "cold_compile_s": cold_compile_s(),
        }

    def _arranged(self, batches: tuple[Batch, ...]) -> tuple[Batch, ...]:
        return tuple(self._backend.arrange(assets.widened(batch), self._model.reads) for batch in batches)

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
        """Write the outputs for the measured batches of each shape: arrays (inputs, batch, ...), float32.

        The answer names them, and the array of the mask of those that have one.
        """
        sites = self._inputs.sites
        shapes = [str(shape) for shape in self._model.shapes(workload(self._job.workload))]
        shapes = shapes if len(shapes) > 1 else [""]
        results = []
        latencies_ns: list[int] = []
        for batch in self.batches:
            before_ns = time.perf_counter_ns()
            results.append(self.forward(*batch))
            latencies_ns.append(time.perf_counter_ns() - before_ns)
        self._forward_s = forward_s_of(
            [duration for duration, of in zip(latencies_ns, sites, strict=True) if of == site] for site in set(sites)
        )
        rows = [(one,) if isinstance(one, torch.Tensor) else tuple(one) for one in results]
        arrays: dict[str, Any] = {}
        answers = []
        for site in dict.fromkeys(sites):
            here = [index for index, of in enumerate(sites) if of == site]
            mask = None
            if self._model.mask:
                place = self._inputs.call.names.index(self._model.mask)
                arrays[mask := f"mask_{site}"] = np.stack([self.batches[index][place].numpy() for index in here])
            for place, output in enumerate(self._inputs.outputs):
                found = [rows[index][place].float().contiguous().numpy() for index in here]
                arrays[array := f"output_{site}_{place}"] = self._stacked(output.name, found)
                answers.append(
                    {"array": array, "mask": mask, "name": output.name, "yields": output.yields, "shape": shapes[site]}
                )
        np.savez(path, **arrays)
        return {"answers": answers}

    def _stacked(self, name: str, found: list[Any]) -> Any:
        if len({one.shape for one in found}) > 1:
            raise AssetError(
                f"model {self._model.name}: output {name or '0'} has other shapes for other inputs of one shape, such "
                f"as {found[0].shape} and {found[-1].shape}; pad it to one"
            )
        return np.stack(found)

    def warm_up(self, *, limit_s: float, least_s: float = 0.0) -> dict[str, Any]:
        """Iterate until steady, for ``least_s`` at least."""
        return dataclasses.asdict(warm_up(self._step, limit_ns=int(limit_s * 1e9), least_ns=int(least_s * 1e9)))

    def settle(self, *, passes: int) -> dict[str, Any]:
        """Iterations that nobody times."""
        for _ in range(passes):
            self._step()
        return {}

    def block(
        self, *, duration_s: float, iterations: int, settle: int = 0, start_ns: int | None = None
    ) -> dict[str, Any]:
        """Time consecutive iterations, each over the first batch of each shape, after ``settle`` that are not timed.

        They begin at ``start_ns``, where that is told, as those of other instances do.
        """
        before = resource.getrusage(resource.RUSAGE_SELF)
        self.settle(passes=settle)
        passes = time_passes(self._step, duration_ns=int(duration_s * 1e9), iterations=iterations, start_ns=start_ns)
        after = resource.getrusage(resource.RUSAGE_SELF)
        return {
            **dataclasses.asdict(passes),
            "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "minor_faults": after.ru_minflt - before.ru_minflt,
            "major_faults": after.ru_majflt - before.ru_majflt,
            "resident_bytes": held_bytes(),
        }

    def memory(self) -> dict[str, Any]:
        """The most memory this process ever held; ru_maxrss counts KiB on Linux."""
        return {"peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}

    def observe(self, *, log: str, forward_s: float | None) -> dict[str, Any]:
        """What runs in one forward pass; the libraries' own lines go into the file ``log``.

        ``forward_s`` is what a pass takes: None where nobody has timed it, and it is taken from what ``outputs`` ran
        if that was long enough.
        """
        resident = resident_bytes() - self._empty_bytes
        memory = self.memory()  # before the instruments take theirs
        return {
            **observe(
                self._step,
                self._backend,
                self._layers,
                Path(log),
                forward_s=self._forward_s if forward_s is None else forward_s,
                several_shapes=len(self.walk) > 1,
            ),
            **memory,
            "stack_answers": probe.answers(importing=False),
            "resident_bytes": resident,
            "model_macs": self._inputs.macs,
        }

    def _layers(self, passes: int) -> dict[str, Any]:
        """Of one pass over all shapes."""
        profiles = [self._backend.layers(self._unfaulted, batch, passes=passes) for batch in self.walk]
        return {
            **profiles[0],
            "duration_s": sum(profile["duration_s"] for profile in profiles),
            "layers": [layer for profile in profiles for layer in profile["layers"]],
        }

    def _step(self) -> None:
        for batch in self.walk:
            self.forward(*batch)


def _varying(batches: tuple[Batch, ...]) -> tuple[tuple[int, ...], ...]:
    """Of each tensor the dimensions in which the batches differ."""
    return tuple(
        tuple(dim for dim, sizes in enumerate(zip(*(part.shape for part in parts), strict=True)) if len(set(sizes)) > 1)
        for parts in zip(*batches, strict=True)
    )


def serve(line: Line, job: dict[str, Any]) -> None:
    """Answer requests ``{"do": method, **arguments}`` until the line is closed."""
    torch.manual_seed(0)
    worker = Worker(Job(**job))
    requests: dict[str, Callable[..., dict[str, Any]]] = {
        "make_assets": worker.make_assets,
        "prepare": worker.prepare,
        "outputs": worker.outputs,
        "warm_up": worker.warm_up,
        "settle": worker.settle,
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
