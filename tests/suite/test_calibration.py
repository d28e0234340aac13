"""What calibrating found is handed on from worker to worker, and is the same model there."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from perfsuite.errors import WorkerError
from perfsuite.measure.rig import Rig
from perfsuite.spec import Mode, Precision, Variant

VARIANT = Variant(
    model="resnet50", backend="ipex", mode=Mode.TORCHSCRIPT, precision=Precision.INT8_STATIC, workload="smoke"
)
EAGER = dataclasses.replace(VARIANT, mode=Mode.EAGER)


def test_a_calibration_of_another_mode_makes_the_same_model_bit_for_bit(rig: Rig, tmp_path: Path) -> None:
    if reason := rig.support(VARIANT).reason:
        pytest.skip(f"unsupported: {reason}")
    own, kept, found = tmp_path / "own", tmp_path / "kept", []
    for variant, calibrated in ((VARIANT, own), (EAGER, kept), (VARIANT, kept)):
        with rig.worker(variant, calibrated=calibrated) as worker:
            rig.prepare(variant, worker)
            worker.call("outputs", timeout_s=60, path=str(tmp_path / "outputs.npz"))
        found.append(np.load(tmp_path / "outputs.npz")["output_0_0"])
    calibrates, _, reads = found
    assert np.array_equal(calibrates, reads)
    kept.write_text("not what ipex wrote")
    with pytest.raises(WorkerError, match="load_qconf_summary"), rig.worker(VARIANT, calibrated=kept) as worker:
        rig.prepare(VARIANT, worker)
