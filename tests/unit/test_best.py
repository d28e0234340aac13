"""The choice of each stack's best mode, where a comparison is resumed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from builders import VARIANT
from test_compare_schedule import HEADER

from perfsuite.compare.best import pair_best, wrong_modes
from perfsuite.compare.pairings import Party
from perfsuite.compare.request import Request
from perfsuite.compare.schedule import Journal
from perfsuite.errors import WorkerError
from perfsuite.measure.clock import Clock
from perfsuite.records.comparison import Screening
from perfsuite.spec import Support, Variant


class _Rig:
    """Runs one mode, whose worker may be killed; ``tried`` counts."""

    models = (VARIANT.model,)

    def __init__(self, *, killed: bool) -> None:
        self.killed = killed
        self.tried = 0

    def support(self, variant: Variant) -> Support:
        return Support(reason=None if variant == VARIANT else "not here")

    def check(self, variant: Variant) -> Any:
        self.tried += 1
        if self.killed:
            raise WorkerError("worker 7 killed by SIGKILL")
        return SimpleNamespace(violations=())

    def evidence(self, variant: Variant) -> Any:
        return SimpleNamespace(forward_s=0.1)


def _choose(folder: Path, *, killed: bool, resume: bool) -> tuple[int, int, int]:
    """How many pairings and wrong modes there are, and how many modes were tried."""
    journal = (Journal.resume if resume else Journal.create)(folder, HEADER)
    rigs = [_Rig(killed=False), _Rig(killed=killed)]
    one, other = (
        Party(name=name, backend=VARIANT.backend, rig=cast(Any, rig)) for name, rig in zip("AB", rigs, strict=True)
    )
    request = Request(fits=VARIANT.__eq__, selection=(), workloads=(VARIANT.workload,), resolution=0.02, best=True)
    pairings, _ = pair_best(one, other, request, journal, Clock(1e6), lambda _: None)
    return len(pairings), len(wrong_modes(one, other, journal)), sum(rig.tried for rig in rigs)


def test_a_mode_that_failed_is_tried_again_when_the_comparison_is_resumed(tmp_path: Path) -> None:
    assert _choose(tmp_path, killed=True, resume=False) == (0, 1, 2)
    assert _choose(tmp_path, killed=True, resume=True) == (0, 1, 1)
    assert _choose(tmp_path, killed=False, resume=True) == (1, 0, 1)
    assert _choose(tmp_path, killed=True, resume=True) == (1, 0, 0)
    assert len(Journal.resume(tmp_path, HEADER).of(Screening)) == 4
