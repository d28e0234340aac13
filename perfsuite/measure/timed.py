"""A prepared worker that is timed, and that answers what its model does once that is over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfsuite.backends.registry import backend_named
from perfsuite.evidence.build import build_evidence
from perfsuite.records.measurement import Digests, Stages
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

    @property
    def items(self) -> int:
        """How many photographs or texts a pass has."""
        items: int = self._ready["items"]
        return items

    @property
    def once(self) -> bool:
        """Whether it takes minutes a pass, so that it had its warm-up while it was prepared."""
        return workload(self.variant.workload).once

    @property
    def warm_up_limit_s(self) -> float:
        return self._settings.warm_up_limit_s

    def stages(self, *, warm_up_s: float, timed_s: float) -> Stages:
        """Where its wall time went."""
        return Stages(
            import_s=self.worker.import_s,
            start_s=self.worker.start_s,
            load_s=self._ready["load_s"],
            prepare_s=self._ready["prepare_s"],
            first_inference_s=self._ready["first_inference_s"],
            cold_compile_s=self._ready["cold_compile_s"],
            warm_up_s=warm_up_s,
            timed_s=timed_s,
        )

    def outputs(self, file: Path) -> Outputs:
        """What the model answers, handed over in ``file``; nothing may be timed afterwards."""
        from perfsuite.check.outputs import Answer, Outputs
        from perfsuite.models.base import Yields

        found = self.answer(file)
        stored = read_outputs(file)
        answers = tuple(
            Answer(
                yields=Yields(one["yields"]),
                values=stored[one["array"]],
                mask=stored.get(one["mask"]),
                name=one["name"],
                shape=one["shape"],
            )
            for one in found
        )
        return Outputs(answers=answers, digests=self.digests)

    def answer(self, file: Path) -> Any:
        """Write what the model answers; the worker's list of it."""
        return self.call("outputs", path=str(file))["answers"]

    def evidence(self, log: Path, *, forward_s: float | None = None) -> Evidence:
        """What really runs in one forward pass, handed over in ``log``; nothing may be timed afterwards.

        ``forward_s`` is what a pass takes without instruments, where that was timed already.
        """
        answer = self.call("observe", log=str(log), forward_s=forward_s)
        return build_evidence(
            answer,
            self._ready,
            log.read_text(errors="replace"),
            artefact_bytes=self._artefact_bytes() if self._artefact else None,
        )

    def call(self, do: str, **arguments: object) -> Any:
        """Have the worker do something, and return its answer."""
        self.ask(do, **arguments)
        return self.answered()

    def ask(self, do: str, **arguments: object) -> None:
        """Have the worker do something, whose answer is waited for with ``answered``."""
        self.worker.ask(do, **arguments)

    def answered(self) -> Any:
        """The answer to what was asked; WorkerError if it fails."""
        return self.worker.answer(timeout_s=self._timeout_s)

    def _artefact_bytes(self) -> int:
        assert self._artefact is not None
        files = backend_named(self.variant.backend).artefact_files(self._artefact)
        return sum(file.stat().st_size for file in files)


def read_outputs(file: Path) -> dict[str, Any]:
    """The arrays that a worker wrote."""
    import numpy as np

    with np.load(file) as stored:
        return dict(stored)
