"""What simulated nights make of the pairs that real ones recorded, in tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from perfsuite.confirm.night import Aim
from perfsuite.judge.stored import MISSED, SEEMING
from perfsuite.measure.plan import confirming_s
from perfsuite.selfcheck.simulation import (
    FEWEST_TO_DRAW,
    FOUND_SHARE,
    SLOWDOWNS,
    Noise,
    Rate,
    Scene,
    Storage,
    noises,
    simulate,
    smallest_found,
)
from perfsuite.stats.between import ASSUMED_SPREAD, FEWEST_SESSIONS
from perfsuite.stats.correlation import Correlation, intraclass_correlation

if TYPE_CHECKING:
    from perfsuite.selfcheck.record import Record
    from perfsuite.settings import Settings
    from perfsuite.spec import Variant

#: Whom simulated nights step beside the baseline.
_MODES = ("suspects", "all")


def odds_lines(record: Record, settings: Settings) -> Iterator[str]:
    """How often nights are wrong and what they find, by simulation; a line each, for it takes a minute or two."""
    pair_s, found = record.pair_s, noises(record.log_ratios())
    if pair_s is None or not found:
        yield "by simulation: nothing, for no variant has two pairs"
        return
    scenes = {confirm: scene(record, settings, confirm, found, pair_s) for confirm in _MODES}
    drawn = sum(bool(noise.residuals) for noise in found.values())
    spreads = sorted(noise.spread for noise in found.values())
    yield (
        f"by simulation: {len(found)} variants whose pairs vary by {spreads[0]:.2%} to {spreads[-1]:.2%} "
        f"(median {spreads[len(spreads) // 2]:.2%}), {drawn} of them drawn from {FEWEST_TO_DRAW} or more of their own; "
        f"a pair takes {pair_s:.1f} s; what matters is {settings.matters - 1:.1%}"
    )
    storage = scenes["suspects"].storage
    assert storage is not None
    measured = "" if record.session_spread is not None else " (assumed)"
    yield f"  stored sessions vary by {storage.spread:.1%}{measured}; suspects are told from {storage.sessions} of them"
    correlation = intraclass_correlation(list(record.launches().values()))
    yield f"  {_correlation_words(correlation)}"
    for confirm, one in scenes.items():
        yield from _mode_lines(confirm, one, correlation)
    yield f"smallest slowdown found in {FOUND_SHARE:.0%} of the nights: variant, spread of a pair, suspects, all"
    for variant, noise in sorted(found.items(), key=lambda item: item[1].spread):
        smallest = ", ".join(f"{smallest_found(one, variant):.1%}" for one in scenes.values())
        yield f"  {variant.id}: {noise.spread:.2%}: {smallest}"


def scene(record: Record, settings: Settings, confirm: str, found: Mapping[Variant, Noise], pair_s: float) -> Scene:
    """A night of all variants whose noise is known; its time is what a run of so many plans."""
    spread = record.session_spread
    storage = Storage(
        spread=ASSUMED_SPREAD if spread is None else spread,
        sessions=FEWEST_SESSIONS,
        missed=MISSED,
        seeming=SEEMING,
    )
    return Scene(
        noises=found,
        aim=Aim(matters=settings.matters, false_alarm=settings.false_alarm, missed=settings.missed),
        pairs=math.floor(confirming_s(len(found), confirm) / pair_s),
        storage=storage if confirm == "suspects" else None,
    )


def _mode_lines(confirm: str, scene: Scene, correlation: Correlation | None) -> Iterator[str]:
    found = simulate(scene)
    yield f"--confirm {confirm}, {scene.pairs} pairs a night"
    yield f"  false nights: {_rate_words(found.false)}"
    for slowdown in SLOWDOWNS:
        yield f"  slower by {slowdown:.0%}: found in {_rate_words(found.found[slowdown])}"
    if correlation and correlation.value > 0:
        correlated = simulate(replace(scene, correlation=correlation.value), planted_nights=0)
        yield f"  false nights if pairs of one launch correlate as recorded: {_rate_words(correlated.false)}"


def _rate_words(rate: Rate) -> str:
    interval = rate.interval
    return f"{rate.share:.1%} of {rate.nights} ({interval.low:.1%} to {interval.high:.1%} at {interval.coverage:.0%})"


def _correlation_words(found: Correlation | None) -> str:
    if found is None:
        return "successive pairs by processes of the same launchers: too few to tell their correlation"
    interval = found.interval
    return (
        f"successive pairs by processes of the same launchers correlate by {found.value:.2f} "
        f"({interval.low:.2f} to {interval.high:.2f} at {interval.coverage:.0%}, {found.groups} launches)"
    )
