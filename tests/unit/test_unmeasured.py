"""What a run leaves unmeasured, and a run that resumes it measures."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_campaign import HEADER, A, B
from test_campaign_run import _at_once, _Rig, _run

from perfsuite.errors import WorkerError
from perfsuite.measure.campaign import Journal, unmeasured
from perfsuite.records.measurement import Measurement
from perfsuite.spec import Variant

__all__ = ["_at_once"]  # an autouse fixture: workers answer at once


def _unmeasured(journal: Journal, *, observing: bool = True) -> frozenset[Variant]:
    return unmeasured([A, B], _Rig.settings.replicates, journal, observing=observing)


@pytest.mark.parametrize(
    ("rig", "failed"),
    [
        pytest.param(_Rig(untimed=A), {A}, id="timing"),
        pytest.param(_Rig(unobserved=WorkerError("worker 7 was killed")), {A}, id="checking"),
        pytest.param(_Rig(), set(), id="nowhere"),
    ],
)
def test_what_failed_is_measured_by_the_next_that_resumes(tmp_path: Path, rig: _Rig, failed: set[Variant]) -> None:
    journal = Journal.create(tmp_path, HEADER)
    _run(journal, rig)
    assert _unmeasured(journal) == failed
    resumed = Journal.resume(tmp_path, HEADER)
    found, _ = _run(resumed, _Rig())
    assert all(isinstance(result, Measurement) and len(result.replicates) == 2 for result in found.values())
    assert _unmeasured(resumed) == set()


def test_what_was_not_observed_is_unmeasured_where_it_is_asked_for(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, HEADER)
    _run(journal, _Rig(), observing=False)
    assert _unmeasured(journal, observing=False) == set()
    assert _unmeasured(journal) == {A, B}


def test_what_is_checked_but_lacks_a_replicate_is_unmeasured(tmp_path: Path) -> None:
    """As where a run is resumed with more replicates, and a worker is killed then."""
    journal = Journal.create(tmp_path, HEADER)
    _run(journal, _Rig())
    assert unmeasured([A, B], _Rig.settings.replicates + 1, journal, observing=True) == {A, B}
