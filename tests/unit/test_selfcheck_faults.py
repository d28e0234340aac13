"""A planted fault counts as found by the violations it is for, and by nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from builders import STACK, VARIANT

from perfsuite.check.outputs import Correctness
from perfsuite.errors import StaleArtefactError, WorkerError
from perfsuite.measure.rig import Rig
from perfsuite.measure.stack import ReadyStack
from perfsuite.records.measurement import Stack
from perfsuite.records.violation import Kind, Violation
from perfsuite.selfcheck.faults import PLANTS, Plant, run, violations
from perfsuite.settings import Settings
from perfsuite.spec import Precision, Variant

WITHOUT_IPEX = Stack(python="3.11.7", packages={"torch": "2.8.0"})
WITH_IPEX = Stack(python="3.11.7", packages={**STACK.packages, "torchao": "0.14.1"})
#: Two that every CPU can run.
TWO = tuple(plant for plant in PLANTS if plant.variant.precision is Precision.FP32)[:2]


@pytest.fixture
def rig_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Stack], Rig]]:
    """A real rig of a stack; no process starts before a worker is asked for."""
    rigs = []

    def make(stack: Stack) -> Rig:
        ready = ReadyStack(name="some", python=Path("/no/such/python"), environment={}, stack=stack)
        rigs.append(Rig(Settings(), ready=ready))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.__exit__(None, None, None)


def _answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], Correctness]) -> None:
    def check(rig: Rig, variant: Variant, *, fault: str) -> Correctness:
        return answer(fault)

    monkeypatch.setattr(Rig, "check", check)


def _wrong(*kinds: Kind) -> Correctness:
    return Correctness(accuracy=None, violations=tuple(Violation(kind=kind, expected=1.0, found=0.5) for kind in kinds))


def _raise(error: Exception) -> NoReturn:
    raise error


def test_without_ipex_nothing_is_found_and_nothing_passes(
    rig_of: Callable[[Stack], Rig], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(rig_of(WITHOUT_IPEX)) == 3
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == f"0 of 0 planted faults found, {len(PLANTS)} have no place in this stack"
    assert said.count("not planted") == len(PLANTS)


@pytest.mark.parametrize(
    ("answer", "status", "last"),
    [
        pytest.param(lambda _: _wrong(Kind.SQNR_LOW), 0, "2 of 2", id="found"),
        pytest.param(lambda _: _wrong(Kind.DIGEST, Kind.COSINE), 0, "2 of 2", id="found-beside-another"),
        pytest.param(lambda _: _wrong(Kind.DIGEST), 1, "0 of 2", id="something-else-is-wrong"),
        pytest.param(lambda _: _wrong(), 1, "0 of 2", id="nothing-is-wrong"),
        pytest.param(lambda _: _raise(WorkerError("no module named torch")), 1, "0 of 2", id="the-worker-crashed"),
        pytest.param(
            lambda _: _raise(StaleArtefactError("some", weights_sha256="a", artefact_sha256="b")),
            1,
            "0 of 2",
            id="stale-where-nothing-should-be",
        ),
    ],
)
def test_what_counts_as_found(
    answer: Callable[[str], Correctness],
    status: int,
    last: str,
    rig_of: Callable[[Stack], Rig],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("perfsuite.selfcheck.faults.PLANTS", TWO)
    _answering(monkeypatch, answer)
    assert run(rig_of(WITH_IPEX)) == status
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == f"{last} planted faults found, 0 have no place in this stack"
    assert said.count("NOT FOUND") == (2 if status else 0)


def test_one_that_is_missed_is_enough(rig_of: Callable[[Stack], Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([_wrong(Kind.SQNR_LOW), _wrong()])
    monkeypatch.setattr("perfsuite.selfcheck.faults.PLANTS", TWO)
    _answering(monkeypatch, lambda _: next(answers))
    assert run(rig_of(WITH_IPEX)) == 1


def test_a_stale_artefact_is_a_violation_of_its_own(
    rig_of: Callable[[Stack], Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    _answering(
        monkeypatch, lambda _: _raise(StaleArtefactError("some", weights_sha256="a" * 64, artefact_sha256="b" * 64))
    )
    (plant,) = [plant for plant in PLANTS if plant.fault == "artefact-stale"]
    (found,) = violations(rig_of(WITH_IPEX), plant)
    assert (found.kind, found.expected, found.found) == (Kind.STALE_ARTEFACT, "a" * 12, "b" * 12)
    assert plant.found_by([found])


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.id)
def test_every_plant_names_what_finds_it_and_not_a_mismatch_of_data(plant: Plant) -> None:
    assert plant.kinds
    assert plant.kinds.isdisjoint({Kind.DIGEST, Kind.SHAPE})


class _Preparing:
    """A worker that says it is ready with these digests."""

    def __init__(self, artefact_sha256: str | None) -> None:
        self._artefact_sha256 = artefact_sha256

    def ask(self, do: str) -> None:
        assert do == "prepare"

    def answer(self, *, timeout_s: float) -> dict[str, Any]:
        return {"weights_sha256": "a" * 64, "inputs_sha256": "c" * 64, "artefact_sha256": self._artefact_sha256}


@pytest.mark.parametrize("artefact_sha256", [None, "a" * 64], ids=["none", "of-the-same-weights"])
def test_a_worker_is_ready(artefact_sha256: str | None, rig_of: Callable[[Stack], Rig]) -> None:
    worker: Any = _Preparing(artefact_sha256)
    assert rig_of(WITH_IPEX).prepare(VARIANT, worker)["artefact_sha256"] == artefact_sha256


def test_a_worker_with_an_artefact_of_other_weights_is_not(rig_of: Callable[[Stack], Rig]) -> None:
    worker: Any = _Preparing("b" * 64)
    with pytest.raises(StaleArtefactError, match=r"stale artefact.*bbbb.*aaaa") as raised:
        rig_of(WITH_IPEX).prepare(VARIANT, worker)
    assert (raised.value.weights_sha256, raised.value.artefact_sha256) == ("a" * 64, "b" * 64)
