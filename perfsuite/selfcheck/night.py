"""Does a night call nothing slower where nothing is, and what is slower where something is?

Real nights, as ``pytest --benchmark-only`` runs them, baselines and all: of one stack, and of it with one variant
slowed by a few percent of real work after each forward pass.
"""

from __future__ import annotations

import itertools
import os
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from perfsuite import session as stages
from perfsuite.backends.registry import slug_of, variants
from perfsuite.judge.colour import Status, colour
from perfsuite.measure.rig import Rig
from perfsuite.measure.scratch import Scratch
from perfsuite.models import load_models
from perfsuite.options import TIMED_WORKLOAD, Run
from perfsuite.records.confirmation import Finding
from perfsuite.records.explanation import Explanation
from perfsuite.records.measurement import Measurement
from perfsuite.records.outcome import Colour, Outcome, Policy
from perfsuite.records.pair import Pair
from perfsuite.records.speed import Verdict
from perfsuite.report.explain import explanation_lines
from perfsuite.report.outcome import outcome_lines, speed_line
from perfsuite.selfcheck.odds import odds_lines
from perfsuite.selfcheck.record import NightRecord, Plant, Record, night_record, write_record
from perfsuite.selfcheck.simulation import SLOWDOWNS
from perfsuite.spec import Variant
from perfsuite.store.baselines import Baselines
from perfsuite.store.documents import KEY, head_fields, measurement_fields

if TYPE_CHECKING:
    from perfsuite.settings import Settings

#: From this slowdown on a night that does not find it has failed (the issue's; 3 % and less are told by simulation).
_MUST_FIND = 0.05
_POLICY = Policy()
#: It counts as one that decides speed, as all that begin so.
_NIGHT_VARIABLE = "TORCH_SELFCHECK_NIGHT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How many nights of one stack, and of each slowdown; which variants; where the record goes."""

    nights: int
    planted: int
    slowdowns: tuple[float, ...] = SLOWDOWNS
    fits: Callable[[Variant], bool]
    record: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What came of one night."""

    record: NightRecord
    outcomes: Mapping[Variant, Outcome]
    explanations: Mapping[Variant, Explanation]

    @property
    def red(self) -> tuple[Variant, ...]:
        """Whatever fails it: slower, costlier, wrong, lost, or no outcome at all."""
        return tuple(one for one, outcome in self.outcomes.items() if colour(outcome, _POLICY) is Colour.RED)

    @property
    def is_found(self) -> bool:
        """Whether the slowed variant's regression was confirmed and explained, and nothing else is red."""
        plant = self.record.plant
        if plant is None or self.red != (plant.variant,):
            return False
        confirmation = self.outcomes[plant.variant].confirmation
        confirmed = confirmation is not None and confirmation.finding is Finding.REGRESSION
        return confirmed and plant.variant in self.explanations

    @property
    def false_alarms(self) -> tuple[Variant, ...]:
        """What is red and was not planted."""
        plant = self.record.plant
        return tuple(one for one in self.red if plant is None or one != plant.variant)


class Series:
    """Nights of one stack in a folder of their own: each is held against the green ones before it."""

    def __init__(self, settings: Settings, root: Path) -> None:
        self._settings = replace(settings, baselines=root / "baselines")
        self._root = root
        self._baselines = Baselines(self._settings.baselines, most=settings.sessions)
        self._nights: list[NightRecord] = []
        self._slugs = "", ""

    @property
    def record(self) -> Record:
        """All that the nights have shown so far."""
        stack_slug, machine_slug = self._slugs
        return Record(stack_slug=stack_slug, machine_slug=machine_slug, nights=tuple(self._nights))

    def night(self, variants: Sequence[Variant], plant: Plant | None = None) -> Night:
        """One more; where nothing is planted, what is not red of it is accepted."""
        run = Run(
            settings=self._settings,
            workloads=(TIMED_WORKLOAD,),
            timing=True,
            observing=True,
            update=False,
            update_new=False,
            baseline_stack=None,
            policy=_POLICY,
            resume=False,
            baselines=self._baselines,
            root=self._root,
        )
        planted = {plant.variant: fault(plant.slowdown)} if plant else {}
        # Of the very same software nothing is stepped side by side; a variable that nobody reads makes it another.
        environ = {**os.environ, _NIGHT_VARIABLE: str(len(self._nights))}
        with Rig(self._settings, planted=planted, environ=environ) as rig:
            stages.night(run, rig, variants)
            self._slugs = slug_of(rig.stack), rig.machine.slug
        night = _night(run, plant)
        self._nights.append(night.record)
        if plant is None:
            self._accept(run, night.red)
        return night

    def _accept(self, run: Run, red: Sequence[Variant]) -> None:
        assert run.journal is not None
        moved = [one for one, found in run.outcomes.items() if found.speed and found.speed.verdict is Verdict.IMPROVED]
        green = [one for one in _measured(run) if one.variant not in red]
        document = {
            "benchmarks": [{"extra_info": {KEY: measurement_fields(one)}} for one in green],
            "datetime": datetime.now(UTC).isoformat(),
            KEY: head_fields(run.journal.header),
        }
        self._baselines.accept(document, only_new=False, restarted=moved)


def fault(slowdown: float) -> str:
    """The name of the fault that slows by so much."""
    return f"slower-{slowdown * 100:.0f}-percent"


def run(settings: Settings, request: Request) -> Status:
    """Print what came of each night, and of simulated ones.

    WORSE on a false alarm or where a slowdown that must be found is not, UNTOLD if nothing could be run.
    """
    variants = _variants(settings, request.fits)
    if not variants:
        print("nothing to run: no variant that is supported here is selected; see `perfsuite matrix`")
        return Status.UNTOLD
    with Scratch() as root:
        series = Series(settings, root)
        try:
            status = _run(series, variants, request)
        finally:  # an interruption, too, leaves what hours have recorded
            if request.record and series.record.nights:
                write_record(request.record, series.record)
    for line in odds_lines(series.record, settings):
        print(line, flush=True)
    return status


def _run(series: Series, variants: Sequence[Variant], request: Request) -> Status:
    first = series.night(variants)
    print(f"the baseline: {_time_words(first)}", flush=True)
    for variant in first.red:
        _tell([f"left out, for it is red by itself: {line}" for line in outcome_lines(first.outcomes[variant])[:1]])
    usable = [variant for variant in variants if variant not in first.red]
    if not usable:
        return Status.UNTOLD
    alike = []
    for number in range(1, request.nights + 1):
        alike.append(night := series.night(usable))
        print(f"night {number} of {request.nights}: {_alike_words(night)}, {_time_words(night)}", flush=True)
        _tell_alarms(night)
    planted: dict[float, list[Night]] = {slowdown: [] for slowdown in request.slowdowns}
    turn = _turns(usable)
    for slowdown, nights in planted.items():
        for _ in range(request.planted):
            plant = Plant(variant=next(turn), slowdown=slowdown)
            nights.append(night := series.night(usable, plant))
            _tell_planted(night, plant)
    return _summary(alike, planted, len(usable))


def _summary(alike: Sequence[Night], planted: Mapping[float, Sequence[Night]], variants: int) -> Status:
    every = [*alike, *(night for nights in planted.values() for night in nights)]
    alarms = sum(bool(night.false_alarms) for night in every)
    print(f"false alarms in {alarms} of {len(every)} nights of {variants} variants")
    for slowdown, nights in planted.items():
        if nights:
            print(f"slower by {slowdown:.0%}: found in {sum(night.is_found for night in nights)} of {len(nights)}")
    if every:
        walls_s = [night.record.wall_s for night in every]
        print(
            f"a night took {statistics.median(walls_s) / 60:.1f} min, at most {max(walls_s) / 60:.1f} min", flush=True
        )
    must = (night for slowdown, nights in planted.items() if slowdown >= _MUST_FIND for night in nights)
    if not every:
        return Status.UNTOLD
    return Status.WORSE if alarms or not all(night.is_found for night in must) else Status.FINE


def _variants(settings: Settings, fits: Callable[[Variant], bool]) -> list[Variant]:
    every = variants(load_models(settings.models), (TIMED_WORKLOAD,))
    with Rig(settings) as rig:
        return [variant for variant in every if fits(variant) and rig.support(variant).reason is None]


def _turns(variants: Sequence[Variant]) -> Iterator[Variant]:
    """Every variant in its turn, in an order in which models and modes mix."""
    return itertools.cycle(random.Random(0).sample(variants, len(variants)))


def _night(run: Run, plant: Plant | None) -> Night:
    assert run.journal is not None
    record = night_record(plant, _measured(run), run.journal.of(Pair), wall_s=run.campaign_s, confirm_s=run.confirm_s)
    return Night(record=record, outcomes=run.outcomes, explanations=run.explanations)


def _measured(run: Run) -> list[Measurement]:
    return [one for one in run.results.values() if isinstance(one, Measurement)]


def _alike_words(night: Night) -> str:
    verdicts = Counter(outcome.verdict for outcome in night.outcomes.values())
    told = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict if verdicts[verdict])
    return f"{'FALSE ALARM' if night.red else 'no alarm'}: {told}"


def _time_words(night: Night) -> str:
    record = night.record
    stepped = len({pair.variant for pair in record.pairs})
    words = f"{record.wall_s / 60:.1f} min"
    if stepped:
        words += f" ({record.confirm_s / 60:.1f} min of them {len(record.pairs)} pairs of {stepped} variants)"
    return words


def _tell_planted(night: Night, plant: Plant) -> None:
    outcome = night.outcomes[plant.variant]
    told = speed_line(outcome.speed) if outcome.speed else outcome.verdict
    word = "found" if night.is_found else "NOT FOUND"
    print(f"{plant.variant.id} slower by {plant.slowdown:.0%}: {word}: {told}, {_time_words(night)}", flush=True)
    if explanation := night.explanations.get(plant.variant):
        _tell(explanation_lines(explanation))
    _tell_alarms(night)


def _tell_alarms(night: Night) -> None:
    for variant in night.false_alarms:
        _tell([f"FALSE ALARM: {line}" for line in outcome_lines(night.outcomes[variant])])


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        print(f"  {line}", flush=True)
