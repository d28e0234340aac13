"""The rig: one stack on one machine, and what can be asked of a variant there."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

from perfsuite.backends.registry import slug_of, variant_support
from perfsuite.gates.expectations import Expectation, expectation
from perfsuite.gates.gate import violations
from perfsuite.machine.cpu import read_cpu
from perfsuite.machine.preload import preloaded
from perfsuite.measure.answers import Answers
from perfsuite.measure.artefacts import Artefacts
from perfsuite.measure.crew import Crew
from perfsuite.measure.environment import decisive, python_path, worker_environment
from perfsuite.measure.launch import Worker
from perfsuite.measure.ledger import Ledger
from perfsuite.measure.placement import class_of, place
from perfsuite.measure.scratch import Scratch
from perfsuite.measure.stack import current_stack, refuse_others_packages
from perfsuite.measure.workers import How, Workers
from perfsuite.models import load_models
from perfsuite.spec import Support, Variant
from perfsuite.worker.protocol import Job

if TYPE_CHECKING:
    from perfsuite.check.outputs import Correctness, Outputs
    from perfsuite.measure.stack import ReadyStack
    from perfsuite.records.evidence import Evidence
    from perfsuite.records.violation import Violation
    from perfsuite.settings import Settings


#: The variables that name folders of a rig's own.
_OWN_FOLDERS = frozenset({"TMPDIR", "PYTHONPATH"})


class Rig:
    """Runs variants of one stack, by default the current one; leaving its ``with`` block ends every process.

    ``environ`` stands in for the user's environment variables; ``planted`` is a fault in every
    worker that is timed, or in those of the variants that it names. Two rigs of one run share a ``ledger``.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        ready: ReadyStack | None = None,
        environ: Mapping[str, str] = os.environ,
        planted: Mapping[Variant, str] | str | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.settings = settings
        self.stack = ready.stack if ready else current_stack()
        self.environ = environ
        self._planted = planted
        #: The interpreter of another stack than the current one.
        self.other_python = ready.python if ready else None
        self.models = load_models(settings.models)
        self.placement = place(settings)
        self.machine = class_of(self.placement)
        self._flags = read_cpu().flags
        path = list(filter(None, environ.get("PYTHONPATH", "").split(os.pathsep)))
        if ready:
            refuse_others_packages(ready, path)
        self._scratch = Scratch()
        # Workers are killed, and libraries in them clean up at exit: what they leave goes with the run's folder.
        temporary = self._scratch.path / "tmp"
        temporary.mkdir()
        code, project = (ready.code if ready else None), os.getcwd()
        #: Of the user's project, where it is another than what lies in its folder.
        self.commit = code.commit if code else None
        self._checkout = contextlib.ExitStack()
        if code:
            checkout = self._checkout.enter_context(code.checkout(self._scratch.path / "code"))
            project = code.there(project, checkout)
            path = [code.there(one, checkout) for one in path]
        self._python = ready.python if ready else Path(sys.executable)
        fixed = {"PYTHONPATH": python_path(project, path), "TMPDIR": str(temporary)}
        given = {**environ, **(ready.environment if ready else {}), **fixed}
        self.worker_environment = worker_environment(
            preloaded(given, settings.preload, self._python),
            threads=self.placement.threads,
            stack_slug=slug_of(self.stack),
        )
        self.environment = decisive(self.worker_environment)
        self.ledger = ledger or Ledger()
        self._workers = Workers(
            settings,
            python=self._python,
            environment=self.worker_environment,
            code=code,
            project=project,
            placement=self.placement,
            folder=self._scratch.path,
            ledger=self.ledger,
        )
        self._artefacts = Artefacts(self._workers, self._scratch.path, self.ledger)
        self._answers = Answers(self._workers, self._artefacts, self._scratch.path, self.ledger)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.close()
        self._checkout.close()
        self._scratch.close()

    def relaunch(self, variant: Variant) -> None:
        """Begin to load anew what the variant needs, at other addresses: the next workers are forked from that."""
        self._workers.close()
        self._workers.preload(variant)
        self._workers.preload_crew(variant)

    def preload(self, variant: Variant) -> None:
        """Begin to load what the variant needs, without waiting for it."""
        self._workers.preload(variant)

    def support(self, variant: Variant) -> Support:
        return variant_support(self.models[variant.model], variant, self.stack.packages, self._flags)

    def runs_alike(self, other: Rig, variant: Variant) -> bool:
        """Whether workers of the variant are the same processes in both: interpreter, variables, code, fault, seats."""
        return self._process(variant) == other._process(variant) and self.placement.seats == other.placement.seats

    def _process(self, variant: Variant) -> tuple[Path, str | None, str | None, dict[str, str]]:
        # Of one path the user's part tells: perfsuite's own is the same, and a checkout's is told by its commit.
        variables = {name: value for name, value in self.worker_environment.items() if name not in _OWN_FOLDERS}
        variables["PYTHONPATH"] = self.environ.get("PYTHONPATH", "")
        return self._python, self.commit, self._fault(variant), variables

    def weights_origin(self, model: str) -> str:
        """Where the weights came from, in words; the model must have been run."""
        return self._workers.assets.about(model)["origin"]

    def weights_kind(self, model: str) -> str:
        """Pretrained or seeded; the model must have been run."""
        return self._workers.assets.about(model)["kind"]

    def job(self, variant: Variant, **how: Unpack[How]) -> Job:
        """What a worker is told of the variant."""
        return self._workers.job(variant, **how)

    @contextmanager
    def worker(self, variant: Variant, **how: Unpack[How]) -> Iterator[Worker]:
        """A worker of its own for the variant, its data made if need be, not yet prepared."""
        with self._workers.start(variant, **how) as worker:
            yield worker

    def prepare(self, variant: Variant, worker: Worker) -> Any:
        """What the worker answers when it is ready; StaleArtefactError if it is to load one of other weights."""
        return self._workers.prepare(variant, worker)

    @contextmanager
    def crew(self, variant: Variant) -> Iterator[Crew]:
        """Workers of its own for every seat, prepared, that can be timed; deployed ones load their artefact."""
        how = How(fault=self._fault(variant))
        how |= self._artefacts.loading(variant)
        with self._workers.crew(variant, **how) as crew:
            self._workers.settle()
            yield crew

    def answer(self, crew: Crew, *, observing: bool, forward_s: float | None) -> None:
        """Have the first of workers that were timed answer for ``outputs`` and, ``observing``, ``evidence``.

        ``forward_s`` is what a pass of it took alone, None where nobody knows; WorkerError if it fails. Its
        instruments stay: it is not to be timed again.
        """
        self._answers.keep(crew.first, observing=observing, forward_s=forward_s)

    def check(self, variant: Variant, *, fault: str | None = None) -> Correctness:
        """Run the variant and hold its outputs against FP32's; its evidence is kept for ``evidence``."""
        return self.judged(variant, self.outputs(variant, fault=fault))

    def judged(self, variant: Variant, answer: Outputs) -> Correctness:
        """Hold outputs of the variant against FP32's."""
        from perfsuite.check.outputs import check

        return check(
            variant,
            self.reference(variant),
            answer,
            weights_kind=self.weights_kind(variant.model),
            flags=self._flags,
            figures=self.models[variant.model].figures,
        )

    def outputs(self, variant: Variant, *, fault: str | None = None, observing: bool = True) -> Outputs:
        """The variant's outputs; a deployed one's come from a process that loads its artefact.

        ``observing`` has the same worker's evidence kept for ``evidence``.
        """
        return self._answers.outputs(variant, fault=fault, observing=observing)

    def reference(self, variant: Variant) -> Outputs:
        """The same stack's stock eager FP32 outputs on the same inputs."""
        return self._answers.reference(variant)

    def knows_reference(self, variant: Variant) -> bool:
        """Whether ``reference`` needs no worker any more."""
        return self._answers.knows_reference(variant)

    def evidence(self, variant: Variant, *, fault: str | None = None) -> Evidence:
        """What really runs in one forward pass, seen in a worker that is not timed any more."""
        return self._answers.evidence(variant, fault=fault)

    def forget(self, variant: Variant) -> None:
        """Give back what outputs and evidence take, when nobody will ask for them again."""
        self._answers.forget(variant)

    def expectation(self, variant: Variant) -> Expectation:
        """What is expected of the variant's kernels."""
        return expectation(variant, self.models[variant.model].reads, self.settings.limits(variant).kernels)

    def objections(self, variant: Variant, evidence: Evidence) -> tuple[Violation, ...]:
        """What of the expected the variant's kernels do not do on this machine, in this environment."""
        return violations(
            evidence,
            self.expectation(variant),
            cpu=read_cpu(),
            environ=self.worker_environment,
            require_amx=self.settings.require_isa == "amx",
        )

    def _fault(self, variant: Variant) -> str | None:
        if isinstance(self._planted, Mapping):
            return self._planted.get(variant)
        return self._planted
