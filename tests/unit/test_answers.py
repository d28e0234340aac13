"""Which worker answers for what, by stand-ins for workers: none is started twice for the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from builders import VARIANT, outputs_of
from evidence_builders import evidence, kernel, operator

from perfsuite.check.outputs import Outputs
from perfsuite.measure.answers import Answers
from perfsuite.measure.artefacts import Artefacts
from perfsuite.measure.ledger import Ledger
from perfsuite.measure.timed import Timed
from perfsuite.measure.workers import Workers
from perfsuite.records.evidence import Evidence
from perfsuite.spec import Mode, Variant

DEPLOYED = dataclasses.replace(VARIANT, mode=Mode.DEPLOYED)
REFERENCE = VARIANT.reference
OUTPUTS = outputs_of(np.ones((1, 2, 10), np.float32))
SEEN = evidence([kernel()], [operator()])


class _Workers:
    """Notes each worker that is started, and what it is asked."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    @contextmanager
    def ready(self, variant: Variant, **how: Any) -> Iterator[Any]:
        deployment, fault = how.get("deployment"), how.get("fault")
        self.told.append(("start", variant.mode, *filter(None, (deployment, fault))))
        yield self.worker(variant)

    def worker(self, variant: Variant) -> Any:
        return SimpleNamespace(variant=variant, answer=self._answer, outputs=self._outputs, evidence=self._evidence)

    def _answer(self, file: Path) -> None:
        self.told.append(("answer",))
        np.savez(file, output_0_0=np.full((1, 2, 10), 2, np.float32))

    def _outputs(self, file: Path) -> Outputs:
        self.told.append(("outputs",))
        return OUTPUTS

    def _evidence(self, log: Path, *, forward_s: float | None = None) -> Evidence:
        self.told.append(("evidence", forward_s))
        return SEEN


@pytest.fixture
def workers() -> _Workers:
    return _Workers()


@pytest.fixture
def answers(workers: _Workers, tmp_path: Path) -> Answers:
    ledger, own = Ledger(), cast(Workers, workers)
    return Answers(own, Artefacts(own, tmp_path, ledger), tmp_path, ledger)


def _timed(workers: _Workers, variant: Variant) -> Timed:
    return cast(Timed, workers.worker(variant))


@pytest.mark.parametrize("observing", [False, True])
def test_a_worker_that_was_timed_answers_and_no_other_is_started(
    observing: bool, workers: _Workers, answers: Answers
) -> None:
    answers.keep(_timed(workers, VARIANT), observing=observing, forward_s=0.25)
    assert answers.outputs(VARIANT, fault=None, observing=observing) is OUTPUTS
    if observing:
        assert answers.evidence(VARIANT, fault=None) is SEEN
    assert workers.told == [("outputs",), ("evidence", 0.25)][: 1 + observing]


def test_what_is_forgotten_is_asked_again(workers: _Workers, answers: Answers) -> None:
    answers.keep(_timed(workers, VARIANT), observing=False, forward_s=0.25)
    answers.forget(VARIANT)
    answers.outputs(VARIANT, fault=None, observing=False)
    assert workers.told[1:] == [("start", VARIANT.mode), ("outputs",)]


def test_eager_fp32_that_was_timed_is_the_reference_even_when_its_answer_is_forgotten(
    workers: _Workers, answers: Answers
) -> None:
    assert not answers.knows_reference(VARIANT)
    answers.keep(_timed(workers, REFERENCE), observing=False, forward_s=0.25)
    answers.forget(REFERENCE)
    assert answers.knows_reference(VARIANT)
    assert answers.reference(VARIANT) is OUTPUTS
    assert workers.told == [("outputs",)]


def test_a_reference_is_asked_of_one_worker(workers: _Workers, answers: Answers) -> None:
    for _ in range(2):
        answers.reference(VARIANT)
    assert workers.told == [("start", REFERENCE.mode), ("outputs",)]


def test_an_artefact_is_saved_once_by_a_process_that_answers_too(workers: _Workers, answers: Answers) -> None:
    found = answers.outputs(DEPLOYED, fault=None, observing=True)
    answers.forget(DEPLOYED)
    answers.evidence(DEPLOYED, fault=None)
    answers.keep(_timed(workers, DEPLOYED), observing=False, forward_s=0.25)
    for one in (found, answers.outputs(DEPLOYED, fault=None, observing=False)):
        assert one.answers[0].prepared is not None
        assert one.answers[0].prepared.max() == 2
    load = ("start", Mode.DEPLOYED, "load")
    assert workers.told == [
        ("start", Mode.DEPLOYED, "save"),
        ("answer",),
        load,
        ("outputs",),
        ("evidence", None),
        load,
        ("evidence", None),
        ("outputs",),
    ]


def test_a_fault_is_planted_in_the_process_that_saves_and_answers_are_not_kept(
    workers: _Workers, answers: Answers
) -> None:
    for _ in range(2):
        answers.outputs(DEPLOYED, fault="scaled-layer", observing=True)
    once = [
        ("start", Mode.DEPLOYED, "save", "scaled-layer"),
        ("answer",),
        ("start", Mode.DEPLOYED, "load"),
        ("outputs",),
    ]
    assert workers.told == once * 2
