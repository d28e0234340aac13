"""The rig: one session's launchers, prepared data and artefacts, and what can be asked of a variant."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

import perfsuite
from perfsuite.backends import BACKENDS
from perfsuite.errors import StaleArtefactError
from perfsuite.evidence.build import build_evidence
from perfsuite.gates.expectations import Expectation, expectation
from perfsuite.gates.gate import violations
from perfsuite.machine.cpu import read_cpu
from perfsuite.measure.assets import Assets
from perfsuite.measure.environment import cache_folder, decisive, worker_environment
from perfsuite.measure.launch import Launcher, Worker
from perfsuite.measure.placement import place
from perfsuite.measure.scratch import Scratch
from perfsuite.measure.stack import current_stack
from perfsuite.measure.timed import Timed
from perfsuite.models import load_models
from perfsuite.records.measurement import Digests
from perfsuite.spec import Mode, Support, Variant, workload
from perfsuite.worker.protocol import Job

if TYPE_CHECKING:
    from perfsuite.check.outputs import Correctness, Outputs
    from perfsuite.measure.stack import ReadyStack
    from perfsuite.records.evidence import Evidence
    from perfsuite.records.violation import Violation
    from perfsuite.settings import Settings


class How(TypedDict, total=False):
    """What a job may say besides its variant; each is a field of ``Job``."""

    fault: str | None
    artefact: Path | None
    deployment: str | None
    calibrated: Path
    observe: bool


class Rig:
    """Runs variants of one stack, by default the current one; leaving its ``with`` block ends every process.

    ``environ`` stands in for the user's environment variables; ``planted`` is a fault in every
    worker that is timed.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        ready: ReadyStack | None = None,
        environ: Mapping[str, str] = os.environ,
        planted: str | None = None,
    ) -> None:
        self.settings = settings
        self.stack = ready.stack if ready else current_stack()
        self._planted = planted
        #: The interpreter of another stack than the current one.
        self.other_python = ready.python if ready else None
        self.models = load_models(settings.models)
        self.placement = place(settings.threads)
        self.machine = self.placement.machine
        self._flags = read_cpu().flags
        self._scratch = Scratch()
        # Workers are killed, and libraries in them clean up at exit: what they leave goes with the run's folder.
        temporary = self._scratch.path / "tmp"
        temporary.mkdir()
        fixed = {"PYTHONPATH": _python_path(environ), "TMPDIR": str(temporary)}
        self.worker_environment = worker_environment(
            {**environ, **(ready.environment if ready else {}), **fixed},
            threads=self.placement.threads,
            stack_slug=self.stack.slug,
        )
        self.environment = decisive(self.worker_environment)
        self._launchers: dict[str, Launcher] = {}
        self._imported_s = 0.0
        self._assets = Assets(settings.weights)
        self._artefacts: dict[Variant, Path] = {}
        self._references: dict[Variant, Outputs] = {}
        self._answers: dict[Variant, Outputs] = {}
        self._evidence: dict[Variant, Evidence] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for launcher in self._launchers.values():
            launcher.close()
        self._scratch.close()

    def relaunch(self, variant: Variant) -> None:
        """Begin to load anew what the variant needs, at other addresses: the next workers are forked from that."""
        for launcher in self._launchers.values():
            self._imported_s += launcher.import_s
            launcher.close()
        self._launchers.clear()
        self.preload(variant)

    def preload(self, variant: Variant) -> None:
        """Begin to load what the variant needs, without waiting for it."""
        self._launcher(variant.backend).preload(self.job(variant))

    @property
    def import_s(self) -> float:
        """Wall time that launchers spent importing."""
        return self._imported_s + sum(launcher.import_s for launcher in self._launchers.values())

    def support(self, variant: Variant) -> Support:
        backend = next(backend for backend in BACKENDS if backend.name == variant.backend)
        reads = self.models[variant.model].reads
        return backend.support(reads, variant.mode, variant.precision, self.stack.packages, self._flags)

    def weights_origin(self, model: str) -> str:
        """Where the weights came from, in words; the model must have been run."""
        return self._assets.about(model)["origin"]

    def weights_kind(self, model: str) -> str:
        """Pretrained or seeded; the model must have been run."""
        return self._assets.about(model)["kind"]

    def check(self, variant: Variant, *, fault: str | None = None) -> Correctness:
        """Run the variant and hold its outputs against FP32's; its evidence is kept for ``evidence``."""
        return self.judged(variant, self.outputs(variant, fault=fault))

    def judged(self, variant: Variant, answer: Outputs) -> Correctness:
        """Hold outputs of the variant against FP32's."""
        from perfsuite.check.outputs import check

        reference = self.reference(variant)
        return check(
            variant,
            reference,
            answer,
            yields=self.models[variant.model].yields,
            weights_kind=self.weights_kind(variant.model),
            flags=self._flags,
        )

    @contextmanager
    def worker(self, variant: Variant, **how: Unpack[How]) -> Iterator[Worker]:
        """A worker of its own for the variant, its data made if need be, not yet prepared."""
        self._make_assets(variant.reference)
        with self._launcher(variant.backend).start(self.job(variant, **how)) as worker:
            yield worker

    def prepare(self, variant: Variant, worker: Worker) -> Any:
        """What the worker answers when it is ready; StaleArtefactError if it is to load one of other weights."""
        ready = worker.call("prepare", timeout_s=self._timeout_s(variant))
        weights_sha256, artefact_sha256 = ready["weights_sha256"], ready["artefact_sha256"]
        if artefact_sha256 not in (None, weights_sha256):
            raise StaleArtefactError(variant.id, weights_sha256=weights_sha256, artefact_sha256=artefact_sha256)
        return ready

    def outputs(self, variant: Variant, *, fault: str | None = None, observing: bool = True) -> Outputs:
        """The variant's outputs; a deployed one's come from a fresh process that loads its artefact.

        ``observing`` has the same worker's evidence kept for ``evidence``.
        """
        if fault is not None:
            return self._answer(variant, fault, observe=False)
        if variant not in self._answers:
            self._answers[variant] = self._answer(variant, None, observe=observing)
        return self._answers[variant]

    def forget(self, variant: Variant) -> None:
        """Give back what outputs and evidence take, when nobody will ask for them again."""
        self._answers.pop(variant, None)
        self._evidence.pop(variant, None)

    def _answer(self, variant: Variant, fault: str | None, *, observe: bool) -> Outputs:
        if variant.mode is not Mode.DEPLOYED:
            return self._outputs(variant, fault=fault, observe=observe)
        artefact = self._new_artefact(variant, fault)
        saved = self._outputs(variant, fault=fault, artefact=artefact, deployment="save")
        if fault is None:
            self._artefacts[variant] = artefact
        loaded = self._outputs(variant, artefact=artefact, deployment="load", observe=observe)
        return dataclasses.replace(loaded, prepared=saved.values)

    def reference(self, variant: Variant) -> Outputs:
        """The same stack's stock eager FP32 outputs on the same inputs."""
        reference = variant.reference
        if reference not in self._references:
            self._references[reference] = self._outputs(reference)
        return self._references[reference]

    def evidence(self, variant: Variant, *, fault: str | None = None) -> Evidence:
        """What really runs in one forward pass, seen in a worker that is not timed."""
        if fault is None and variant in self._evidence:
            return self._evidence[variant]
        artefact = self._artefact(variant) if variant.mode is Mode.DEPLOYED else None
        deployment = "load" if artefact else None
        with self.worker(variant, fault=fault, artefact=artefact, deployment=deployment, observe=True) as worker:
            found = self._observe(variant, worker, self.prepare(variant, worker), artefact)
        if fault is None:
            self._evidence[variant] = found
        return found

    def expectation(self, variant: Variant) -> Expectation:
        """What is expected of the variant's kernels."""
        return expectation(variant, self.models[variant.model].reads)

    def objections(self, variant: Variant, evidence: Evidence) -> tuple[Violation, ...]:
        """What of the expected the variant's kernels do not do on this machine, in this environment."""
        return violations(
            evidence,
            self.expectation(variant),
            cpu=read_cpu(),
            environ=self.worker_environment,
            require_amx=self.settings.require_isa == "amx",
        )

    def _observe(self, variant: Variant, worker: Worker, ready: Any, artefact: Path | None) -> Evidence:
        log = self._scratch.path / "observed.log"
        answer = worker.call("observe", timeout_s=self._timeout_s(variant), log=str(log))
        return build_evidence(
            answer,
            ready,
            log.read_text(errors="replace"),
            artefact_bytes=artefact.stat().st_size if artefact else None,
        )

    @contextmanager
    def timed(self, variant: Variant) -> Iterator[Timed]:
        """A worker of its own, prepared, that can be timed; a deployed one loads its artefact.

        The first of a variant calibrates for those that follow.
        """
        how = How(fault=self._planted, calibrated=self._scratch.path / f"{variant.id}.calibrated")
        if variant.mode is Mode.DEPLOYED:
            how |= How(artefact=self._artefact(variant), deployment="load")
        with self.worker(variant, **how) as worker:
            ready = self.prepare(variant, worker)
            yield Timed(
                variant,
                worker,
                ready,
                cpus=self.placement.cpus,
                timeout_s=self._timeout_s(variant),
                settings=self.settings,
            )

    def _outputs(self, variant: Variant, **how: Unpack[How]) -> Outputs:
        import numpy as np

        from perfsuite.check.outputs import Outputs

        path = self._scratch.path / "outputs.npz"
        with self.worker(variant, **how) as worker:
            ready = self.prepare(variant, worker)
            worker.call("outputs", timeout_s=self._timeout_s(variant), path=str(path))
            if how.get("observe"):
                self._evidence[variant] = self._observe(variant, worker, ready, how.get("artefact"))
        with np.load(path) as stored:
            return Outputs(
                values=stored["outputs"],
                mask=stored.get("mask"),
                digests=Digests(weights_sha256=ready["weights_sha256"], inputs_sha256=ready["inputs_sha256"]),
            )

    def _artefact(self, variant: Variant) -> Path:
        """The deployed variant's artefact, saved by one process for all replicates of the session."""
        if variant not in self._artefacts:
            path = self._new_artefact(variant, None)
            with self.worker(variant, artefact=path, deployment="save") as worker:
                self.prepare(variant, worker)
            self._artefacts[variant] = path
        return self._artefacts[variant]

    def _new_artefact(self, variant: Variant, fault: str | None) -> Path:
        suffix = "pt2" if variant.backend == "stock" else "pt"
        return self._scratch.path / f"{variant.id}{f'-{fault}' if fault else ''}.{suffix}"

    def _timeout_s(self, variant: Variant) -> float:
        return self.settings.step_timeout_s or workload(variant.workload).step_timeout_s

    def _launcher(self, backend: str) -> Launcher:
        if backend not in self._launchers or self._launchers[backend].closed:
            launcher = Launcher(
                python=self.other_python or Path(sys.executable),
                backend=backend,
                environment=self.worker_environment,
                cpus=self.placement.cpus,
                logs=self._scratch.path / "logs",
            )
            self._launchers[backend] = launcher
        return self._launchers[backend]

    def job(self, variant: Variant, **how: Unpack[How]) -> Job:
        """What a worker is told of the variant."""
        artefact, calibrated = how.get("artefact"), how.get("calibrated")
        return Job(
            model=variant.model,
            model_target=self.settings.models.get(variant.model),
            backend=variant.backend,
            mode=variant.mode.value,
            precision=variant.precision.value,
            workload=variant.workload,
            assets=str(self._assets.folder(variant.model)),
            photographs=str(self._assets.sources.photographs),
            minilm=str(self._assets.sources.minilm),
            fault=how.get("fault"),
            artefact=str(artefact) if artefact else None,
            deployment=how.get("deployment"),
            calibrated=str(calibrated) if calibrated else None,
            observe=how.get("observe", False),
        )

    def _make_assets(self, maker: Variant) -> None:
        if self._assets.are_made(maker):
            return
        self._assets.folder(maker.model).mkdir(parents=True, exist_ok=True)
        with self._launcher(maker.backend).start(self.job(maker)) as worker:
            worker.call(
                "make_assets",
                timeout_s=self._timeout_s(maker),
                policy=self.settings.weights,
                workloads=[maker.workload],
            )


def _python_path(environ: Mapping[str, str]) -> str:
    """Lets another stack's interpreter find perfsuite, and nothing else of what is installed beside it."""
    package = Path(perfsuite.__file__).parent
    # The same path every time: bytecode is cached by it.
    folder = cache_folder() / "path" / hashlib.sha256(bytes(package)).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (folder / "perfsuite").symlink_to(package, target_is_directory=True)
    return os.pathsep.join(filter(None, (str(folder.absolute()), environ.get("PYTHONPATH"))))
