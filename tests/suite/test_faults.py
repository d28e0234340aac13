"""The correctness checks bite: each fault, planted in a real worker, is found."""

from pathlib import Path

import pytest

from perfsuite.errors import StaleArtefactError
from perfsuite.measure.rig import Rig
from perfsuite.report.violations import violation_lines
from perfsuite.selfcheck.faults import PLANTS, Plant, violations
from perfsuite.worker.timing import WINDOW_ITERATIONS


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.id)
def test_planted_fault_is_found(plant: Plant, rig: Rig) -> None:
    if not (support := rig.support(plant.variant)).supported:
        pytest.skip(f"unsupported: {support.reason}")
    found = violations(rig, plant)
    assert plant.found_by(found), f"{plant.fault} in {plant.variant.id} went unseen; {violation_lines(found)}"


def test_an_artefact_of_other_weights_is_not_even_loaded(rig: Rig, tmp_path: Path) -> None:
    (plant,) = [plant for plant in PLANTS if plant.fault == "artefact-stale"]
    if not (support := rig.support(plant.variant)).supported:
        pytest.skip(f"unsupported: {support.reason}")
    artefact = tmp_path / "any.pt"
    artefact.write_bytes(b"nothing that could be loaded")
    artefact.with_suffix(".sha256").write_text("f" * 64)
    with rig.worker(plant.variant, artefact=artefact, deployment="load") as worker, pytest.raises(StaleArtefactError):
        rig.prepare(plant.variant, worker)


def test_only_what_comes_after_calibrating_shares_what_was_calibrated() -> None:
    pytest.importorskip("torch")  # with --stack, the interpreter that runs pytest may do without
    from perfsuite.worker.faults import FAULTS, find

    after = ["channels-swapped", "outputs-of-another-input", "output-constant", "output-nan", "memory-leak"]
    after += ["length-baked-in", *(f"slower-{percent}-percent" for percent in (1, 2, 3, 5, 10))]
    assert find(None).calibrates_alike
    assert sorted(fault.name for fault in FAULTS if fault.calibrates_alike) == sorted(after)


def test_a_planted_slowdown_is_there_before_anything_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shortest warm-up after the first inference; one that came later left half of a pair as it was."""
    torch = pytest.importorskip("torch")  # with --stack, the interpreter that runs pytest may do without
    from perfsuite.worker import faults

    products: list[object] = []
    monkeypatch.setattr("torch.mm", lambda *factors: products.append(factors))
    forward = faults.find("slower-3-percent").on_forward(lambda: torch.zeros(1))
    for _ in range(1 + WINDOW_ITERATIONS):
        forward()
    products.clear()
    forward()
    assert products
