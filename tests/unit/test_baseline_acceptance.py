"""What accepting a session does: its file, what counts beside it, what is given up, and which files go."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from builders import DIGESTS, MACHINE, OLD_STACK, OTHER_VARIANT, STACK, VARIANT, document, measurement
from evidence_builders import evidence, kernel

from perfsuite.backends.registry import slug_of
from perfsuite.errors import BaselineError
from perfsuite.records.baseline import Acceptance, Baseline
from perfsuite.records.evidence import Evidence
from perfsuite.records.measurement import Measurement, Stack
from perfsuite.spec import Variant
from perfsuite.store.baselines import Baselines

FIRST, SECOND = measurement(100, 110), measurement(200, 210)
OTHER = measurement(300, 310, variant=OTHER_VARIANT)
OTHER_WEIGHTS = measurement(400, digests=dataclasses.replace(DIGESTS, weights_sha256="c" * 64))
OTHER_VARIABLES = measurement(500, environment={"OMP_NUM_THREADS": "2"})
OBSERVED, SEEN_LATER = evidence([kernel(1)]), evidence([kernel(2)])
MOST = 3


@pytest.fixture
def baselines(tmp_path: Path) -> Baselines:
    return Baselines(tmp_path / "baselines", most=MOST)


def _day(day: int) -> str:
    return f"2026-01-{day:02}T00:00:00+00:00"


def _name(day: int, stack: Stack = STACK) -> str:
    return f"{MACHINE.slug}/{slug_of(stack)}/202601{day:02}T000000.000000Z.json"


def _accept(baselines: Baselines, day: int, *measurements: Measurement, **how: Any) -> Acceptance:
    """Accept a session of that day of January."""
    return baselines.accept(document(*measurements, begun_at=_day(day)), **{"only_new": False, **how})


def _days(baselines: Baselines) -> list[int]:
    return sorted(int(path.name[6:8]) for path in baselines.folder.glob("*/*/*.json"))


def _counted(baselines: Baselines, like: Measurement = FIRST) -> list[int]:
    """The days of the sessions that the measurement is held against, the newest first."""
    found = Baselines(baselines.folder, most=MOST).find(like)
    if not isinstance(found, Baseline):
        return []
    return [int(one.session.begun_at[8:10]) for one in found.accepted]


def test_each_session_is_a_file_of_its_own(baselines: Baselines) -> None:
    first = _accept(baselines, 1, FIRST, OTHER)
    assert first == Acceptance(name=_name(1), accepted=(VARIANT, OTHER_VARIANT), sessions=1)
    content = (baselines.folder / _name(1)).read_bytes()
    assert _accept(baselines, 2, SECOND) == Acceptance(name=_name(2), accepted=(VARIANT,), sessions=2)
    assert (baselines.folder / _name(1)).read_bytes() == content
    assert (_counted(baselines), _counted(baselines, OTHER)) == ([2, 1], [1])


def test_each_stack_has_its_folder(baselines: Baselines) -> None:
    old = dataclasses.replace(OTHER, stack=OLD_STACK)
    _accept(baselines, 1, FIRST)
    assert _accept(baselines, 1, old).name == _name(1, OLD_STACK)


def test_a_session_that_is_accepted_again_is_replaced(baselines: Baselines) -> None:
    """One that was interrupted while it was accepted is resumed, and accepted."""
    _accept(baselines, 1, FIRST)
    again = _accept(baselines, 1, SECOND)
    assert again == Acceptance(name=_name(1), accepted=(VARIANT,), sessions=1)
    assert (_days(baselines), _counted(baselines)) == ([1], [1])


@pytest.mark.parametrize(
    ("stored", "measured", "accepted"),
    [
        ([], [FIRST, OTHER], (VARIANT, OTHER_VARIANT)),
        ([FIRST], [SECOND, OTHER], (OTHER_VARIANT,)),
        ([FIRST], [OTHER_WEIGHTS], (VARIANT,)),
        ([OTHER_VARIABLES], [FIRST], ()),
        ([FIRST], [SECOND], ()),
    ],
    ids=["first", "another", "other-weights", "other-variables", "nothing"],
)
def test_only_what_has_no_baseline_is_new(
    baselines: Baselines, stored: list[Measurement], measured: list[Measurement], accepted: tuple[Variant, ...]
) -> None:
    if stored:
        _accept(baselines, 1, *stored)
    found = _accept(baselines, 2, *measured, only_new=True)
    assert found == (Acceptance(name=_name(2), accepted=accepted, sessions=1) if accepted else Acceptance())
    assert _days(baselines) == [1] * bool(stored) + [2] * bool(accepted)


def test_the_last_sessions_count_and_the_others_go(baselines: Baselines) -> None:
    for day in (1, 2, 3):
        assert _accept(baselines, day, FIRST).pruned == ()
    fourth = _accept(baselines, 4, FIRST)
    assert fourth == Acceptance(name=_name(4), accepted=(VARIANT,), sessions=3, pruned=(Path(_name(1)).name,))
    assert (_days(baselines), _counted(baselines)) == ([2, 3, 4], [4, 3, 2])


@pytest.mark.parametrize(
    "needing", [OTHER, OTHER_WEIGHTS, dataclasses.replace(FIRST, evidence=OBSERVED)], ids=["speed", "work", "evidence"]
)
def test_a_file_that_some_variant_needs_stays(baselines: Baselines, needing: Measurement) -> None:
    for day in range(1, 8):
        _accept(baselines, day, needing if day == 1 else FIRST)
    assert _days(baselines) == [1, 5, 6, 7]
    later = Baselines(baselines.folder, most=MOST)
    found = later.find(needing)
    assert isinstance(found, Baseline)
    assert found.measurement.evidence == needing.evidence
    assert later.evidence(VARIANT, MACHINE, STACK) == needing.evidence


def test_a_speed_that_was_accepted_begins_anew(baselines: Baselines) -> None:
    _accept(baselines, 1, FIRST, OTHER)
    found = _accept(baselines, 2, SECOND, OTHER, restarted=[VARIANT])
    assert (found.restarted, found.sessions) == ((VARIANT,), 1)
    _accept(baselines, 3, SECOND, OTHER)
    assert (_counted(baselines), _counted(baselines, OTHER)) == ([3, 2], [3, 2, 1])


@pytest.mark.parametrize("restarted", [[VARIANT], [OTHER_VARIANT]], ids=["nothing-older", "not-accepted"])
def test_what_has_no_earlier_sessions_does_not_begin_anew(baselines: Baselines, restarted: list[Variant]) -> None:
    _accept(baselines, 1, OTHER)
    assert _accept(baselines, 2, FIRST, restarted=restarted).restarted == ()


def test_sessions_in_another_environment_than_the_newest_do_not_count(baselines: Baselines) -> None:
    for day, one in enumerate((FIRST, OTHER_VARIABLES, SECOND), 1):
        _accept(baselines, day, one)
    assert _counted(baselines) == [3, 1]
    # The first of three that are kept is by now the other environment's.
    assert _accept(baselines, 4, OTHER_VARIABLES).sessions == 2


def test_sessions_of_other_work_do_not_count(baselines: Baselines) -> None:
    for day, one in enumerate((FIRST, OTHER_WEIGHTS, SECOND), 1):
        _accept(baselines, day, one)
    assert (_counted(baselines), _counted(baselines, OTHER_WEIGHTS)) == ([3, 1], [2])


@pytest.mark.parametrize("only_new", [False, True])
def test_what_was_given_up_is_there_no_more(baselines: Baselines, only_new: bool) -> None:
    _accept(baselines, 1, FIRST, OTHER)
    found = _accept(baselines, 2, SECOND, only_new=only_new, remove=[OTHER_VARIANT])
    assert found.removed == (OTHER_VARIANT,)
    assert found.accepted == (() if only_new else (VARIANT,))
    assert Baselines(baselines.folder, most=MOST).newest(MACHINE, STACK).keys() == {VARIANT}
    assert _counted(baselines, OTHER) == []


def test_what_was_given_up_stays_so_while_a_file_has_it(baselines: Baselines) -> None:
    """The second session is none of the last three, and what gives the other variant up."""
    _accept(baselines, 1, OTHER_WEIGHTS, OTHER)
    _accept(baselines, 2, FIRST, remove=[OTHER_VARIANT])
    for day in (3, 4, 5):
        _accept(baselines, day, FIRST)
    assert (_days(baselines), _counted(baselines, OTHER)) == ([1, 2, 3, 4, 5], [])
    # Nothing is left to be given up: both go.
    for day in (6, 7, 8):
        _accept(baselines, day, OTHER_WEIGHTS)
    assert (_days(baselines), _counted(baselines, OTHER)) == ([3, 4, 5, 6, 7, 8], [])


def test_what_was_given_up_may_come_back(baselines: Baselines) -> None:
    _accept(baselines, 1, FIRST, OTHER)
    _accept(baselines, 2, FIRST, remove=[OTHER_VARIANT])
    _accept(baselines, 3, OTHER, only_new=True)
    assert _counted(baselines, OTHER) == [3]


def test_what_is_not_there_is_not_given_up(baselines: Baselines) -> None:
    _accept(baselines, 1, FIRST)
    assert _accept(baselines, 2, FIRST, only_new=True, remove=[OTHER_VARIANT]) == Acceptance()


def _observed(one: Measurement, seen: Evidence = OBSERVED, **changes: Any) -> Measurement:
    return dataclasses.replace(one, evidence=seen, **changes)


ANOTHER_PACKAGE = Stack(python=STACK.python, packages={**STACK.packages, "triton": "3.4.0"})
ANOTHER_PYTHON = Stack(python="3.12.1", packages=STACK.packages)
#: Variants whose evidence is kept, and whose is dropped.
Became = tuple[tuple[Variant, ...], tuple[Variant, ...]]
KEPT: Became = ((VARIANT,), ())
DROPPED: Became = ((), (VARIANT,))


@pytest.mark.parametrize(
    ("stored", "measured", "became", "seen"),
    [
        (_observed(FIRST), SECOND, KEPT, OBSERVED),
        (_observed(FIRST), _observed(SECOND, SEEN_LATER), ((), ()), SEEN_LATER),
        (FIRST, SECOND, ((), ()), None),
        (FIRST, _observed(SECOND), ((), ()), OBSERVED),
        (_observed(FIRST), dataclasses.replace(SECOND, stack=ANOTHER_PACKAGE), DROPPED, None),
        (_observed(FIRST), dataclasses.replace(SECOND, stack=ANOTHER_PYTHON), DROPPED, None),
        (_observed(FIRST), OTHER_VARIABLES, DROPPED, None),
        (_observed(FIRST), dataclasses.replace(SECOND, environment={}), DROPPED, None),
        (_observed(FIRST, stack=ANOTHER_PACKAGE), _observed(SECOND, SEEN_LATER), ((), ()), SEEN_LATER),
    ],
    ids=[
        "kept", "newer", "none", "new", "other-package", "other-python", "other-threads", "variable-unset",
        "newer-of-another",
    ],
)  # fmt: skip
def test_evidence_is_kept_or_said_to_be_dropped(
    baselines: Baselines, stored: Measurement, measured: Measurement, became: Became, seen: Evidence | None
) -> None:
    _accept(baselines, 1, stored)
    accepted = _accept(baselines, 2, measured)
    assert (accepted.kept_evidence, accepted.dropped_evidence) == became
    found = baselines.find(measured)
    assert isinstance(found, Baseline)
    assert found.measurement == dataclasses.replace(measured, evidence=seen)
    assert baselines.evidence(VARIANT, MACHINE, STACK) == seen


def test_evidence_of_other_weights_stays_with_them(baselines: Baselines) -> None:
    _accept(baselines, 1, _observed(FIRST))
    _accept(baselines, 2, OTHER_WEIGHTS)
    found = [baselines.find(one) for one in (FIRST, OTHER_WEIGHTS)]
    assert [one.measurement.evidence for one in found if isinstance(one, Baseline)] == [OBSERVED, None]


def test_the_evidence_survives_an_accepted_slowdown(baselines: Baselines) -> None:
    _accept(baselines, 1, _observed(FIRST))
    _accept(baselines, 2, SECOND, restarted=[VARIANT])
    assert baselines.evidence(VARIANT, MACHINE, STACK) == OBSERVED
    assert (_counted(baselines), _days(baselines)) == ([2], [1, 2])


def test_a_document_without_a_session_is_not_accepted(baselines: Baselines) -> None:
    with pytest.raises(BaselineError, match="this session is not to be accepted"):
        baselines.accept(document(FIRST, perfsuite=None), only_new=False)
    assert not baselines.folder.exists()
