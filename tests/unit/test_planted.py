"""Which workers have a fault in them when they are timed, and what they hand on to others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from builders import OTHER_VARIANT, VARIANT

from perfsuite.measure.rig import Rig
from perfsuite.measure.workers import Workers
from perfsuite.settings import Settings
from perfsuite.spec import Mode, Variant


@pytest.mark.parametrize(
    ("planted", "expected"),
    [
        (None, [None, None]),
        ("slower-3-percent", ["slower-3-percent", "slower-3-percent"]),
        ({VARIANT: "slower-3-percent"}, ["slower-3-percent", None]),
    ],
    ids=["nothing", "in every worker", "in those of one variant"],
)
def test_a_fault_is_planted(
    planted: Mapping[Variant, str] | str | None, expected: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = []

    @contextmanager
    def crew(workers: Workers, variant: Variant, **how: Any) -> Iterator[None]:
        faults.append(how["fault"])
        yield

    monkeypatch.setattr(Workers, "crew", crew)
    with Rig(Settings(), planted=planted) as rig:
        for variant in (VARIANT, OTHER_VARIANT):
            with rig.crew(variant):
                pass
    assert faults == expected


def test_what_was_calibrated_is_for_every_mode(tmp_path: Path) -> None:
    one, other = VARIANT, dataclasses.replace(VARIANT, mode=Mode.DEPLOYED)
    with Rig(Settings()) as rig:
        kept = {rig.job(variant).calibrated for variant in (one, other)}
        assert len(kept) == 1
        for different in (OTHER_VARIANT, one.reference, dataclasses.replace(one, workload="smoke")):
            assert rig.job(different).calibrated not in kept
        # The worker knows which faults change it: tests/suite/test_faults.py.
        assert rig.job(one, fault="calibration-8x-wide").calibrated in kept
        assert rig.job(one, calibrated=tmp_path / "own").calibrated == str(tmp_path / "own")
