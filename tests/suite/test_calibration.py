"""What calibrating found is handed on from worker to worker, and is the same model there."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from perfsuite.errors import WorkerError
from perfsuite.measure.rig import Rig
from perfsuite.spec import Mode, Precision, Variant


def _variant(backend: str, mode: Mode, precision: Precision) -> Variant:
    return Variant(model="minilm", backend=backend, mode=mode, precision=precision, workload="smoke")


@pytest.mark.parametrize(
    ("backend", "precision", "mode", "other", "reader"),
    [
        ("ipex", Precision.INT8_STATIC, Mode.TORCHSCRIPT, Mode.EAGER, "load_qconf_summary"),
        ("stock", Precision.INT8_STATIC, Mode.EAGER, Mode.DYNAMO, "Unpickl"),
        ("stock", Precision.INT8_DYNAMIC, Mode.EAGER, Mode.EAGER, "Unpickl"),
    ],
)
def test_what_another_worker_calibrated_makes_the_same_model_bit_for_bit(
    rig: Rig, tmp_path: Path, backend: str, precision: Precision, mode: Mode, other: Mode, reader: str
) -> None:
    variant, elsewhere = _variant(backend, mode, precision), _variant(backend, other, precision)
    if reason := rig.support(variant).reason or rig.support(elsewhere).reason:
        pytest.skip(f"unsupported: {reason}")
    own, kept = tmp_path / "own", tmp_path / "kept"
    found: list[NDArray[np.float32]] = []
    for one, calibrated in ((variant, own), (elsewhere, kept), (variant, kept)):
        assert calibrated.exists() is (len(found) == 2)
        with rig.worker(one, calibrated=calibrated) as worker:
            rig.prepare(one, worker)
            worker.call("outputs", timeout_s=300, path=str(tmp_path / "outputs.npz"))
        found.append(np.load(tmp_path / "outputs.npz")["output_0_0"])
    calibrates, _, reads = found
    assert np.array_equal(calibrates, reads)
    kept.write_text("not what a backend wrote")
    with pytest.raises(WorkerError, match=reader), rig.worker(variant, calibrated=kept) as worker:
        rig.prepare(variant, worker)
