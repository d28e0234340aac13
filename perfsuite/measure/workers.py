"""One stack's workers: the launchers that they are forked from, what each is told, and its data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypedDict, Unpack

from perfsuite.errors import StaleArtefactError
from perfsuite.measure.assets import Assets
from perfsuite.measure.code import Code
from perfsuite.measure.crew import Crew
from perfsuite.measure.launch import Launcher, Worker
from perfsuite.measure.ledger import Ledger
from perfsuite.measure.timed import Timed
from perfsuite.records.chore import Chore
from perfsuite.records.placement import Binding, Placement
from perfsuite.settings import Settings
from perfsuite.spec import Variant, workload
from perfsuite.worker.protocol import Job


class How(TypedDict, total=False):
    """What a job may say besides its variant; each is a field of ``Job``."""

    fault: str | None
    artefact: Path | None
    deployment: str | None
    calibrated: Path


class Workers:
    """Starts workers of the interpreter ``python``; a backend's launcher starts when it is first needed.

    Instances have a launcher each; who is alone, as what makes data and answers for outputs, has the first's seat.
    They run in the folder ``project``, where ``code`` is checked out if it is another commit than the user's own.

    The first that calibrates does so for all that follow in any mode, but for those whose fault changes what is found.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        python: Path,
        environment: Mapping[str, str],
        code: Code | None,
        project: str,
        placement: Placement,
        folder: Path,
        ledger: Ledger,
    ) -> None:
        self._settings = settings
        self._python = python
        self._environment = dict(environment)
        self._project = project
        self._placement = placement
        self._folder = folder
        self._ledger = ledger
        #: By backend and the number of the seat.
        self._launchers: dict[tuple[str, int], Launcher] = {}
        self.assets = Assets(settings.weights, settings.models, code)

    def close(self) -> None:
        """End every process."""
        for launcher in self._launchers.values():
            launcher.close()
        self._launchers.clear()

    def preload(self, variant: Variant) -> None:
        """Begin to load what the variant needs, without waiting for it."""
        self._launcher(variant.backend, 0).preload(self.job(variant))

    def preload_crew(self, variant: Variant) -> None:
        """As ``preload``, for the instances beside the first."""
        for seat in range(1, self._placement.instances):
            self._launcher(variant.backend, seat).preload(self.job(variant))

    def settle(self) -> None:
        """Wait until nothing is loaded any more: it would be on the CPUs of what is timed."""
        with self._ledger.spending(Chore.IMPORTING):
            for launcher in self._launchers.values():
                launcher.settle()

    @contextmanager
    def start(self, variant: Variant, **how: Unpack[How]) -> Iterator[Worker]:
        """A worker of its own for the variant, its data made if need be, not yet prepared."""
        self._make_assets(variant.reference)
        with self._fork(variant, **how) as worker:
            yield worker

    @contextmanager
    def ready(self, variant: Variant, **how: Unpack[How]) -> Iterator[Timed]:
        """A worker of its own for the variant, prepared."""
        with self.start(variant, **how) as worker:
            yield self._timed(variant, worker, self.prepare(variant, worker), seat=0, **how)

    @contextmanager
    def crew(self, variant: Variant, **how: Unpack[How]) -> Iterator[Crew]:
        """A worker on each seat, prepared: the first alone, for it may calibrate or compile for the others."""
        self.preload_crew(variant)
        with ExitStack() as alive:
            members = [alive.enter_context(self.ready(variant, **how))]
            others = [
                alive.enter_context(self._fork(variant, seat=seat, **how))
                for seat in range(1, self._placement.instances)
            ]
            for worker in others:
                worker.ask("prepare")
            for seat, worker in enumerate(others, start=1):
                ready = self._prepared(variant, worker)
                members.append(self._timed(variant, worker, ready, seat=seat, **how))
            yield Crew(members)

    def prepare(self, variant: Variant, worker: Worker) -> Any:
        """What the worker answers when it is ready; StaleArtefactError if it is to load one of other weights."""
        worker.ask("prepare")
        return self._prepared(variant, worker)

    def _prepared(self, variant: Variant, worker: Worker) -> Any:
        ready = worker.answer(timeout_s=self._timeout_s(variant))
        weights_sha256, artefact_sha256 = ready["weights_sha256"], ready["artefact_sha256"]
        if artefact_sha256 not in (None, weights_sha256):
            raise StaleArtefactError(variant.id, weights_sha256=weights_sha256, artefact_sha256=artefact_sha256)
        return ready

    def job(self, variant: Variant, **how: Unpack[How]) -> Job:
        """What a worker is told of the variant."""
        artefact, calibrated = how.get("artefact"), how.get("calibrated")
        if calibrated is None:
            # In whichever mode it is to run, the same module is calibrated, on the same data.
            names = (variant.model, variant.backend, variant.precision, variant.workload)
            calibrated = self._folder / f"{'-'.join(names)}.calibrated"
        return Job(
            model=variant.model,
            model_target=self._settings.models.get(variant.model),
            backend=variant.backend,
            mode=variant.mode.value,
            precision=variant.precision.value,
            workload=variant.workload,
            assets=str(self.assets.folder(variant.model)),
            photographs=str(self.assets.sources.photographs),
            minilm=str(self.assets.sources.minilm),
            fault=how.get("fault"),
            artefact=str(artefact) if artefact else None,
            deployment=how.get("deployment"),
            calibrated=str(calibrated) if calibrated else None,
        )

    def _timed(self, variant: Variant, worker: Worker, ready: Any, *, seat: int, **how: Unpack[How]) -> Timed:
        return Timed(
            variant,
            worker,
            ready,
            cpus=self._placement.seats[seat].cpus,
            timeout_s=self._timeout_s(variant),
            settings=self._settings,
            artefact=how.get("artefact"),
        )

    def _fork(self, variant: Variant, *, seat: int = 0, **how: Unpack[How]) -> Worker:
        launcher = self._launcher(variant.backend, seat)
        worker = launcher.start(self.job(variant, **how))
        self._ledger.spend(Chore.IMPORTING, worker.waited_s)
        self._ledger.spend(Chore.STARTING, worker.start_s)
        return worker

    def _make_assets(self, maker: Variant) -> None:
        if self.assets.are_made(maker):
            return
        with self._ledger.spending(Chore.DATA), self.assets.lock(maker.model):
            if self.assets.are_made(maker):  # by the process that was waited for
                return
            with self._fork(maker) as worker:
                worker.call(
                    "make_assets",
                    timeout_s=self._timeout_s(maker),
                    policy=self._settings.weights,
                    workloads=[maker.workload],
                )

    def _timeout_s(self, variant: Variant) -> float:
        return self._settings.step_timeout_s or workload(variant.workload).step_timeout_s

    def _launcher(self, backend: str, seat: int) -> Launcher:
        key = (backend, seat)
        if key not in self._launchers or self._launchers[key].closed:
            self._launchers[key] = Launcher(
                python=self._python,
                backend=backend,
                environment=self._environment,
                project=self._project,
                seat=self._placement.seats[seat],
                bound=self._placement.binding is Binding.BOUND,
                instance=seat + 1 if self._placement.instances > 1 else None,
                logs=self._folder / "logs",
            )
        return self._launchers[key]
