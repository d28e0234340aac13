"""When a worker of one rig is the same process as one of another."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from builders import OTHER_VARIANT, STACK, VARIANT

from perfsuite.measure.rig import Rig
from perfsuite.measure.stack import ReadyStack
from perfsuite.settings import Settings

HERE = {"HOME": "/nowhere"}
SAME = ReadyStack(name="same", python=Path(sys.executable), environment={}, stack=STACK)


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        pytest.param({}, True, id="nothing"),
        pytest.param({"ready": SAME}, True, id="a stack of another name, of this interpreter"),
        pytest.param({"planted": {OTHER_VARIANT: "slower-3-percent"}}, True, id="a fault in another variant"),
        pytest.param({"planted": {VARIANT: "slower-3-percent"}}, False, id="a fault"),
        pytest.param({"planted": "slower-3-percent"}, False, id="a fault in all variants"),
        pytest.param({"environ": {**HERE, "ONEDNN_MAX_CPU_ISA": "AVX2"}}, False, id="a variable that decides speed"),
        pytest.param({"environ": {**HERE, "LD_LIBRARY_PATH": "/mine"}}, False, id="any other variable"),
        pytest.param({"environ": {**HERE, "PYTHONPATH": "/mine"}}, False, id="other modules"),
        pytest.param({"ready": dataclasses.replace(SAME, python=Path("/other"))}, False, id="an interpreter"),
        pytest.param({"ready": dataclasses.replace(SAME, environment={"A": "1"})}, False, id="a stack's variable"),
    ],
)
def test_whether_two_rigs_run_one_process(
    other: Mapping[str, Any], alike: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PERFSUITE_CACHE", str(tmp_path))
    monkeypatch.setattr("perfsuite.measure.rig.current_stack", lambda: STACK)
    with Rig(Settings(), environ=HERE) as one, Rig(Settings(), **{"environ": HERE, **other}) as two:
        assert one.runs_alike(two, VARIANT) is two.runs_alike(one, VARIANT) is alike
