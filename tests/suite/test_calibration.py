"""What calibrating found is handed on from worker to worker, and is the same model there."""

from pathlib import Path

import numpy as np
import pytest

from perfsuite.errors import WorkerError
from perfsuite.measure.rig import Rig
from perfsuite.spec import Mode, Precision, Variant

VARIANT = Variant(
    model="resnet50", backend="ipex", mode=Mode.TORCHSCRIPT, precision=Precision.INT8_STATIC, workload="smoke"
)


def test_a_kept_calibration_makes_the_same_model_bit_for_bit(rig: Rig, tmp_path: Path) -> None:
    if reason := rig.support(VARIANT).reason:
        pytest.skip(f"unsupported: {reason}")
    kept, found = tmp_path / "calibrated", []
    for name in ("calibrates.npz", "reads.npz"):
        with rig.worker(VARIANT, calibrated=kept) as worker:
            rig.prepare(VARIANT, worker)
            worker.call("outputs", timeout_s=60, path=str(tmp_path / name))
        found.append(np.load(tmp_path / name)["outputs"])
    assert np.array_equal(*found)
    kept.write_text("not what ipex wrote")
    with pytest.raises(WorkerError, match="load_qconf_summary"), rig.worker(VARIANT, calibrated=kept) as worker:
        rig.prepare(VARIANT, worker)
