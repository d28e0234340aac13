"""A plant is found by its own violation and its own cause; what its check exits with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, cast

import pytest
from builders import VARIANT
from evidence_builders import FP32, kernel, side

from perfsuite.explain.causes import explain
from perfsuite.measure.rig import Rig
from perfsuite.records.explanation import Cause
from perfsuite.records.violation import Kind, Violation
from perfsuite.selfcheck import kernels
from perfsuite.selfcheck.kernels import PLANTS, Outcome, Plant

_CAPPED = Plant(
    name="capped",
    variant=VARIANT,
    gate=Kind.ISA,
    cause=Cause.PRECISION,
    environment={"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
)
_QUANTISER = Plant(name="quantiser", variant=VARIANT, gate=Kind.PRECISION, cause=Cause.PRECISION)
_THREADS = Plant(name="threads", variant=VARIANT, gate=None, cause=Cause.PRECISION)
_ISA = Violation(kind=Kind.ISA, subject="bf16", why="switched off by ONEDNN_MAX_CPU_ISA=AVX512_CORE")
_BY_VARIABLE = Violation(kind=Kind.ISA, subject="bf16", variable="ONEDNN_MAX_CPU_ISA")
_PRECISION = Violation(kind=Kind.PRECISION, subject="int8")
_EXPLAINED = explain(side(20, kernel(10)), side(40, kernel(30, **FP32)))


@pytest.mark.parametrize(
    ("plant", "violations", "found"),
    [
        (_CAPPED, (_PRECISION, _BY_VARIABLE), True),
        # Of the same kind, but by something else, whatever its words say.
        (_CAPPED, (_ISA,), False),
        (_CAPPED, (Violation(kind=Kind.ISA, variable="ATEN_CPU_CAPABILITY"),), False),
        (_CAPPED, (Violation(kind=Kind.REQUIRED_ISA, variable="ONEDNN_MAX_CPU_ISA"),), False),
        (_CAPPED, (), False),
        (_QUANTISER, (_PRECISION,), True),
        (_QUANTISER, (_BY_VARIABLE,), False),
        (_THREADS, (), True),
    ],
)
def test_only_the_plant_s_own_violation_counts(plant: Plant, violations: tuple[Violation, ...], found: bool) -> None:
    assert Outcome(violations=violations, explanation=_EXPLAINED).found(plant) is found


def test_the_explanation_must_name_the_cause_as_well() -> None:
    unexplained = explain(side(20, kernel(10)), side(20, kernel(10)))
    assert not Outcome(violations=(_PRECISION,), explanation=unexplained).found(_QUANTISER)


def test_every_plant_says_which_violation_is_its_own() -> None:
    assert len({plant.id for plant in PLANTS}) == len(PLANTS)
    gates = {Kind.ISA, Kind.PRECISION, Kind.GRAPH_BREAKS, Kind.CREATIONS, Kind.MEMORY_GROWTH, None}
    assert {plant.gate for plant in PLANTS} == gates
    assert all(plant.gate in (Kind.ISA, Kind.CREATIONS) for plant in PLANTS if plant.environment)
    assert all(plant.gate or plant.cause for plant in PLANTS)


@pytest.mark.parametrize(
    ("places", "violations", "status"),
    [
        ({_QUANTISER.id}, (_PRECISION,), 0),
        ({_QUANTISER.id, _CAPPED.id}, (_PRECISION,), 1),
        ({_QUANTISER.id, _CAPPED.id}, (_PRECISION, _BY_VARIABLE), 0),
        (set(), (_PRECISION,), 3),
    ],
    ids=["named", "one unnamed", "both named", "none planted"],
)
def test_exit_status(
    places: set[str],
    violations: tuple[Violation, ...],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @contextlib.contextmanager
    def planted(rig: Rig, plant: Plant) -> Iterator[Rig]:
        yield rig

    monkeypatch.setattr(kernels, "PLANTS", (_QUANTISER, _CAPPED))
    monkeypatch.setattr(kernels, "obstacle", lambda rig, plant: None if plant.id in places else "not here")
    monkeypatch.setattr(kernels, "planted", planted)
    monkeypatch.setattr(
        kernels, "check", lambda rig, other, plant: Outcome(violations=violations, explanation=_EXPLAINED)
    )
    assert kernels.run(cast(Any, None)) == status
    out = capsys.readouterr().out
    assert f"{2 - len(places)} have no place here" in out
    assert ("NOT NAMED" in out) is (status == 1)
    assert ("precision lost: int8" in out) is bool(places)
