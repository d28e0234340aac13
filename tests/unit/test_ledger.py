"""Where wall time goes: every second belongs to one chore."""

import itertools
import time

import pytest

from perfsuite.measure.ledger import Ledger
from perfsuite.records.chore import Chore


@pytest.fixture(autouse=True)
def _ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes each time that somebody looks."""
    ticks = itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(ticks)))


def test_what_a_chore_needs_of_another_is_the_other_s() -> None:
    ledger = Ledger()
    with ledger.spending(Chore.SAVING):  # 0
        with ledger.spending(Chore.OUTPUTS):  # 1 to 2
            pass
        with ledger.spending(Chore.OUTPUTS):  # 3 to 5
            time.perf_counter()
        ledger.spend(Chore.IMPORTING, 1.5)
    assert ledger.spent_s == {Chore.OUTPUTS: 3.0, Chore.IMPORTING: 1.5, Chore.SAVING: 6 - 3.0 - 1.5}


def test_what_ends_in_an_error_took_its_time() -> None:
    ledger = Ledger()
    with pytest.raises(ValueError, match="no"), ledger.spending(Chore.DATA):
        raise ValueError("no")
    assert ledger.spent_s == {Chore.DATA: 1.0}
