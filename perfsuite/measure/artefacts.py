"""What deployed variants load: each saved once, by a process that answers what its model then does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from perfsuite.backends.registry import backend_named
from perfsuite.measure.ledger import Ledger
from perfsuite.measure.timed import read_outputs
from perfsuite.measure.workers import How, Workers
from perfsuite.records.chore import Chore
from perfsuite.spec import Mode, Variant

if TYPE_CHECKING:
    from perfsuite.check.outputs import Outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """A saved model, and the file with what the process that saved it answered."""

    path: Path
    answer: Path

    def prepared(self, outputs: Outputs) -> Outputs:
        """What a process that loaded it answers, beside what the process that saved it did."""
        saved = [array for name, array in read_outputs(self.answer).items() if name.startswith("output")]
        pairs = zip(outputs.answers, saved, strict=True)
        return replace(outputs, answers=tuple(replace(one, prepared=array) for one, array in pairs))


class Artefacts:
    """The artefacts of a run, in its folder."""

    def __init__(self, workers: Workers, folder: Path, ledger: Ledger) -> None:
        self._workers = workers
        self._folder = folder
        self._ledger = ledger
        self._saved: dict[Variant, Artefact] = {}

    def of(self, variant: Variant) -> Artefact:
        """The deployed variant's artefact, saved by one process for all workers of the run."""
        if variant not in self._saved:
            self._saved[variant] = self.save(variant)
        return self._saved[variant]

    def save(self, variant: Variant, fault: str | None = None) -> Artefact:
        """A new one, saved by a process with this fault in it."""
        suffix = backend_named(variant.backend).artefact_suffix
        path = self._folder / f"{variant.id}{f'-{fault}' if fault else ''}.{suffix}"
        saved = Artefact(path=path, answer=path.with_suffix(".npz"))
        with (
            self._ledger.spending(Chore.SAVING),
            self._workers.ready(variant, fault=fault, artefact=path, deployment="save") as process,
        ):
            process.answer(saved.answer)
        return saved

    def loading(self, variant: Variant) -> How:
        """How a worker of the variant is told to load what was saved; nothing for what is not deployed."""
        if variant.mode is not Mode.DEPLOYED:
            return How()
        return How(artefact=self.of(variant).path, deployment="load")
