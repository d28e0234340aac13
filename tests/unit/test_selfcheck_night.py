"""What counts as found and as a false alarm, what is accepted between nights, and what is kept of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders import MACHINE, OTHER_VARIANT, STACK, VARIANT, measurement, session
from compare_builders import pair, speed
from evidence_builders import kernel, side

from perfsuite.backends.registry import slug_of
from perfsuite.errors import UsageError
from perfsuite.explain.causes import explain
from perfsuite.judge.colour import Status
from perfsuite.judge.outcome import judge_variant
from perfsuite.options import Run
from perfsuite.records.baseline import Baseline, Missing
from perfsuite.records.confirmation import Confirmation, Finding
from perfsuite.records.measurement import Measurement
from perfsuite.records.outcome import Outcome
from perfsuite.records.pair import Pairing
from perfsuite.records.speed import Verdict
from perfsuite.records.violation import Kind, Violation
from perfsuite.selfcheck import night as nights
from perfsuite.selfcheck.night import Night, Request, Series, fault, run
from perfsuite.selfcheck.odds import odds_lines
from perfsuite.selfcheck.record import NightRecord, Plant, Record, night_record, read_record, write_record
from perfsuite.selfcheck.simulation import SLOWDOWNS
from perfsuite.settings import Settings
from perfsuite.spec import Variant

PLANT = Plant(variant=VARIANT, slowdown=0.05)
EXPLAINED = {VARIANT: explain(side(20, kernel(10)), side(21, kernel(11)))}
SLOW = speed(Verdict.REGRESSED, 1.05)
FINE = judge_variant(VARIANT, speed=speed())
OTHER_FINE = judge_variant(OTHER_VARIANT, speed=dataclasses.replace(speed(), variant=OTHER_VARIANT))
OTHER_RED = judge_variant(OTHER_VARIANT, speed=dataclasses.replace(SLOW, variant=OTHER_VARIANT))
COSTLY = (Violation(kind=Kind.PEAK_MEMORY, expected=1, found=2),)


def _confirmed(finding: Finding, verdict: Verdict = Verdict.REGRESSED, **changes: Any) -> Outcome:
    confirmation = Confirmation(finding=finding, stored=speed(), pairs=8)
    return judge_variant(VARIANT, speed=speed(verdict, 1.05), confirmation=confirmation, **changes)


def _record(plant: Plant | None = None, wall_s: float = 600.0) -> NightRecord:
    return NightRecord(plant=plant, latencies=(), pairs=(), wall_s=wall_s, confirm_s=100.0)


def _night(*outcomes: Outcome, plant: Plant | None = None, explained: bool = True) -> Night:
    return Night(
        record=_record(plant),
        outcomes={one.variant: one for one in outcomes},
        explanations=EXPLAINED if explained else {},
    )


FOUND = _confirmed(Finding.REGRESSION)


@pytest.mark.parametrize(
    ("night", "found"),
    [
        pytest.param(_night(FOUND, OTHER_FINE, plant=PLANT), True, id="confirmed and explained"),
        pytest.param(_night(FOUND, OTHER_FINE, plant=PLANT, explained=False), False, id="not explained"),
        pytest.param(_night(FOUND, OTHER_RED, plant=PLANT), False, id="another is red as well"),
        pytest.param(_night(FINE, OTHER_RED, plant=PLANT), False, id="another is red instead"),
        pytest.param(_night(FINE, OTHER_FINE, plant=PLANT), False, id="nothing is red"),
        pytest.param(
            _night(_confirmed(Finding.NOT_REPRODUCED, Verdict.UNCHANGED, costs=COSTLY), plant=PLANT), False,
            id="red by what it costs alone",
        ),
        pytest.param(_night(judge_variant(VARIANT, failure="died"), plant=PLANT), False, id="it crashed"),
        pytest.param(_night(FOUND, OTHER_FINE), False, id="nothing was planted"),
    ],
)  # fmt: skip
def test_a_slowdown_is_found_by_its_own_confirmed_regression_alone(night: Night, found: bool) -> None:
    assert night.is_found is found


def test_a_false_alarm_is_all_that_is_red_and_was_not_planted() -> None:
    assert _night(FOUND, OTHER_RED).false_alarms == (VARIANT, OTHER_VARIANT)
    assert _night(FOUND, OTHER_RED, plant=PLANT).false_alarms == (OTHER_VARIANT,)
    assert not _night(FINE, OTHER_FINE).false_alarms


def test_slowdowns_are_faults_that_workers_know() -> None:
    faults = pytest.importorskip("perfsuite.worker.faults")  # with --stack, pytest's interpreter may have no torch
    for slowdown in SLOWDOWNS:
        assert faults.find(fault(slowdown)).name == f"slower-{round(slowdown * 100)}-percent"


class _Series(Series):
    """Nights that come as planned."""

    def __init__(self, planned: Iterator[Night]) -> None:
        self._planned = planned
        self._nights: list[NightRecord] = []
        self._slugs = "stack", "machine"
        self.asked: list[tuple[tuple[Variant, ...], Plant | None]] = []

    def night(self, variants: Any, plant: Plant | None = None) -> Night:
        self.asked.append((tuple(variants), plant))
        night = dataclasses.replace(next(self._planned), record=_record(plant))
        self._nights.append(night.record)
        return night


GREEN = _night(FINE, OTHER_FINE)


@pytest.mark.parametrize(
    ("variants", "alike", "least_found", "status"),
    [
        pytest.param([], [], 0.0, Status.UNTOLD, id="nothing is selected"),
        pytest.param([VARIANT, OTHER_VARIANT], [_night(FOUND, OTHER_RED)], 0.0, Status.UNTOLD, id="all red by itself"),
        pytest.param([VARIANT, OTHER_VARIANT], [GREEN, GREEN, GREEN], 0.01, Status.FINE, id="all found"),
        pytest.param([VARIANT, OTHER_VARIANT], [GREEN, GREEN, GREEN], 0.05, Status.FINE, id="5 % and more found"),
        pytest.param([VARIANT, OTHER_VARIANT], [GREEN, GREEN, GREEN], 0.10, Status.WORSE, id="5 % missed"),
        pytest.param([VARIANT, OTHER_VARIANT], [GREEN, GREEN, _night(FINE, OTHER_RED)], 0.01, Status.WORSE, id="alarm"),
    ],
)
def test_what_the_check_exits_with(
    variants: list[Variant],
    alike: list[Night],
    least_found: float,
    status: Status,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    planned = iter(alike)
    series = _Series(planned)
    whole = _Series.night

    def night(self: _Series, variants: Any, plant: Plant | None = None) -> Night:
        if plant is None:
            return whole(self, variants)
        assert plant.variant in variants
        slow = dataclasses.replace(FOUND if plant.slowdown >= least_found else FINE, variant=plant.variant)
        outcomes = {one: dataclasses.replace(FINE, variant=one) for one in variants} | {plant.variant: slow}
        explanations = dict.fromkeys(variants, EXPLAINED[VARIANT])
        return Night(record=_record(plant), outcomes=outcomes, explanations=explanations)

    monkeypatch.setattr(_Series, "night", night)
    monkeypatch.setattr(nights, "_variants", lambda *_: variants)
    monkeypatch.setattr(nights, "Series", lambda *_: series)
    request = Request(nights=2, planted=1, fits=lambda variant: True, record=tmp_path / "record.json")
    assert run(Settings(), request) is status


def test_what_is_red_by_itself_is_left_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    series = _Series(iter([_night(FINE, OTHER_RED), _night(FINE)]))
    monkeypatch.setattr(nights, "_variants", lambda *_: [VARIANT, OTHER_VARIANT])
    monkeypatch.setattr(nights, "Series", lambda *_: series)
    assert run(Settings(), Request(nights=1, planted=0, fits=lambda variant: True)) is Status.FINE
    assert series.asked == [((VARIANT, OTHER_VARIANT), None), ((VARIANT,), None)]
    assert f"left out, for it is red by itself: {OTHER_VARIANT.id}" in capsys.readouterr().out


class _Stages:
    """Stands in for the stages of a run: every variant is measured and as planned."""

    def __init__(self, red: dict[int, Variant]) -> None:
        self.red = red
        self.found: list[int] = []
        self.number = 0

    def night(self, run: Run, rig: Any, variants: list[Variant]) -> None:
        measured = {one: measurement(1000, variant=one) for one in variants}
        begun_at = f"2026-01-0{self.number + 1}T00:00:00+00:00"
        head = session(*measured.values(), begun_at=begun_at).head
        run.journal = SimpleNamespace(header=head, of=lambda kind: [])  # type: ignore[assignment]
        held = run.baselines.find(measured[variants[0]])
        assert isinstance(held, Baseline | Missing)
        self.found.append(len(held.accepted) if isinstance(held, Baseline) else 0)
        run.results = dict(measured)
        run.outcomes = {one: dataclasses.replace(FINE, variant=one) for one in variants}
        if red := self.red.get(self.number):
            run.outcomes[red] = dataclasses.replace(FOUND, variant=red)
        self.number += 1


@contextmanager
def _rig(*_: object, **planted: object) -> Iterator[Any]:
    yield SimpleNamespace(stack=STACK, machine=MACHINE)


@pytest.mark.parametrize(
    ("plants", "red", "found"),
    [
        pytest.param([None, None, None], {}, [0, 1, 2], id="each green night joins"),
        pytest.param([None, PLANT, None], {}, [0, 1, 1], id="a planted one does not"),
        pytest.param([None, None, None], {1: VARIANT}, [0, 1, 1], id="nor does what is red"),
        pytest.param([None, None, None], {1: OTHER_VARIANT}, [0, 1, 2], id="but what is green beside it does"),
    ],
)
def test_green_nights_join_the_baseline(
    plants: list[Plant | None],
    red: dict[int, Variant],
    found: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stages = _Stages(red)
    monkeypatch.setattr(nights, "stages", stages)
    monkeypatch.setattr(nights, "Rig", _rig)
    series = Series(Settings(), tmp_path)
    for plant in plants:
        series.night([VARIANT, OTHER_VARIANT], plant)
    assert stages.found == found
    assert [one.plant for one in series.record.nights] == plants
    assert series.record.stack_slug == slug_of(STACK)


def _measured(latency_ns: int, variant: Variant = VARIANT) -> Measurement:
    return measurement(latency_ns, variant=variant)


PAIRING, OTHER_PAIRING = (Pairing(baseline=one, candidate=one) for one in (VARIANT, OTHER_VARIANT))
RECORD = Record(
    stack_slug="stack",
    machine_slug="machine",
    nights=(
        night_record(None, [_measured(1000), _measured(2000, OTHER_VARIANT)], [], wall_s=300.0, confirm_s=0.0),
        night_record(
            None,
            [_measured(1100), _measured(2000, OTHER_VARIANT)],
            [pair(1.0, pairing=PAIRING) for _ in range(5)] + [pair(1.1, pairing=OTHER_PAIRING)],
            wall_s=600.0,
            confirm_s=60.0,
        ),
        night_record(
            PLANT,
            [_measured(9000), _measured(2000, OTHER_VARIANT)],
            [pair(1.5, pairing=PAIRING), pair(1.2, pairing=OTHER_PAIRING)],
            wall_s=600.0,
            confirm_s=20.0,
        ),
    ),
)


def test_pairs_of_one_launch_stay_together_and_those_of_the_slowed_variant_are_left_out() -> None:
    launches = RECORD.launches()
    assert [len(group) for group in launches[VARIANT]] == [2, 2, 1]
    assert [[round(math.exp(one), 6) for one in group] for group in launches[OTHER_VARIANT]] == [[1.1], [1.2]]
    assert len(RECORD.log_ratios()[VARIANT]) == 5


def test_a_variant_without_pairs_is_kept_in_mind() -> None:
    first = dataclasses.replace(RECORD, nights=RECORD.nights[:1])
    assert first.log_ratios() == {VARIANT: [], OTHER_VARIANT: []}
    assert first.pair_s is None


def test_a_pair_takes_what_confirming_took() -> None:
    assert RECORD.pair_s == pytest.approx(80 / 8)


def test_sessions_vary_by_what_unslowed_variants_do() -> None:
    # One of two sessions by log(1.1), another's three by nothing.
    assert RECORD.session_spread == pytest.approx(math.log(1.1) / math.sqrt(2) / math.sqrt(3))
    assert dataclasses.replace(RECORD, nights=RECORD.nights[:1]).session_spread is None


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_record(tmp_path / "record.json", RECORD)
    assert read_record(tmp_path / "record.json") == RECORD


@pytest.mark.parametrize("content", [b"", b"{}", b'{"nights": 3}', None])
def test_what_is_no_record_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"record\.json"):
        read_record(path)


def test_nothing_is_simulated_of_a_record_without_pairs() -> None:
    bare = dataclasses.replace(RECORD, nights=RECORD.nights[:1])
    assert list(odds_lines(bare, Settings())) == ["by simulation: nothing, for no variant has two pairs"]


def test_a_simulation_tells_false_nights_what_is_found_and_the_smallest(monkeypatch: pytest.MonkeyPatch) -> None:
    from perfsuite.selfcheck import odds, simulation

    monkeypatch.setattr(odds, "simulate", lambda scene, **_: simulation.simulate(scene, nights=2, planted_nights=2))
    monkeypatch.setattr(odds, "smallest_found", lambda scene, variant: 0.031)
    spread = [pair(ratio, pairing=PAIRING) for ratio in (0.99, 1.01, 1.02, 0.98, 1.0, 0.97)]
    one = night_record(None, [_measured(1000)], spread, wall_s=600.0, confirm_s=60.0)
    lines = list(odds_lines(dataclasses.replace(RECORD, nights=(one,)), Settings()))
    text = "\n".join(lines)
    assert "--confirm suspects, 18 pairs a night" in text
    assert "--confirm all, 18 pairs a night" in text
    assert text.count("false nights: 0.0% of 2 (0.0% to 84.2% at 95%)") == 2
    assert "slower by 10%: found in " in text
    assert f"{VARIANT.id}: 1.8" in lines[-1]
    assert lines[-1].endswith("3.1%, 3.1%")
