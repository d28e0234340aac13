"""What variants answered and what was seen of them: each asked of a worker once, and kept until it is given back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from perfsuite.measure.artefacts import Artefact, Artefacts
from perfsuite.measure.ledger import Ledger
from perfsuite.measure.workers import How, Workers
from perfsuite.records.chore import Chore
from perfsuite.spec import Mode, Variant

if TYPE_CHECKING:
    from perfsuite.check.outputs import Outputs
    from perfsuite.measure.timed import Timed
    from perfsuite.records.evidence import Evidence


class Answers:
    """Outputs and evidence of a stack's variants, by workers that are not timed any more or never were."""

    def __init__(self, workers: Workers, artefacts: Artefacts, folder: Path, ledger: Ledger) -> None:
        self._workers = workers
        self._artefacts = artefacts
        self._file = folder / "outputs.npz"
        self._log = folder / "observed.log"
        self._ledger = ledger
        self._outputs: dict[Variant, Outputs] = {}
        self._references: dict[Variant, Outputs] = {}
        self._evidence: dict[Variant, Evidence] = {}

    def keep(self, timed: Timed, *, observing: bool, forward_s: float | None) -> None:
        """Have a worker answer after it was timed, a pass of which took ``forward_s``; WorkerError if it fails.

        None: it is timed anew, for beside other instances it took longer.

        Eager FP32's outputs are the reference of its model from then on.
        """
        variant = timed.variant
        artefact = self._artefacts.of(variant) if variant.mode is Mode.DEPLOYED else None
        answer = self._answer(timed, artefact, observing=observing, forward_s=forward_s)
        self._outputs[variant] = answer
        if variant == variant.reference:
            self._references.setdefault(variant, answer)

    def outputs(self, variant: Variant, *, fault: str | None, observing: bool) -> Outputs:
        """The variant's outputs; a deployed one's come from a fresh process that loads its artefact."""
        if fault is None and variant in self._outputs:
            return self._outputs[variant]
        how, artefact = How(fault=fault), None
        if variant.mode is Mode.DEPLOYED:
            artefact = self._artefacts.of(variant) if fault is None else self._artefacts.save(variant, fault)
            how = How(artefact=artefact.path, deployment="load")
        with self._workers.ready(variant, **how) as worker:
            answer = self._answer(worker, artefact, observing=observing and fault is None)
        if fault is None:
            self._outputs[variant] = answer
        return answer

    def reference(self, variant: Variant) -> Outputs:
        """The same stack's stock eager FP32 outputs on the same inputs."""
        reference = variant.reference
        if reference not in self._references:
            with self._ledger.spending(Chore.REFERENCES), self._workers.ready(reference) as worker:
                self._references[reference] = worker.outputs(self._file)
        return self._references[reference]

    def knows_reference(self, variant: Variant) -> bool:
        """Whether no worker need answer it any more."""
        return variant.reference in self._references

    def evidence(self, variant: Variant, *, fault: str | None) -> Evidence:
        """What really runs in one forward pass of the variant."""
        if fault is None and variant in self._evidence:
            return self._evidence[variant]
        how = How(fault=fault, **self._artefacts.loading(variant))
        with self._workers.ready(variant, **how) as worker:
            found = worker.evidence(self._log)
        if fault is None:
            self._evidence[variant] = found
        return found

    def forget(self, variant: Variant) -> None:
        """Give back what outputs and evidence take."""
        self._outputs.pop(variant, None)
        self._evidence.pop(variant, None)

    def _answer(
        self, worker: Timed, artefact: Artefact | None, *, observing: bool, forward_s: float | None = None
    ) -> Outputs:
        with self._ledger.spending(Chore.OUTPUTS):
            answer = worker.outputs(self._file)
        if observing:
            with self._ledger.spending(Chore.OBSERVING):
                self._evidence[worker.variant] = worker.evidence(self._log, forward_s=forward_s)
        return artefact.prepared(answer) if artefact else answer
