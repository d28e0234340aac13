"""Which workers have a fault in them when they are timed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from builders import OTHER_VARIANT, VARIANT

from perfsuite.measure.rig import Rig
from perfsuite.measure.workers import Workers
from perfsuite.settings import Settings
from perfsuite.spec import Variant


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
    def ready(workers: Workers, variant: Variant, **how: Any) -> Iterator[None]:
        faults.append(how["fault"])
        yield

    monkeypatch.setattr(Workers, "ready", ready)
    with Rig(Settings(), planted=planted) as rig:
        for variant in (VARIANT, OTHER_VARIANT):
            with rig.timed(variant):
                pass
    assert faults == expected
