"""Simulated nights are a night's, err as seldom as it says, and show what breaks it."""

from __future__ import annotations

import dataclasses
import math
import random
import statistics
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import VARIANT
from compare_builders import pair

from perfsuite.confirm import night
from perfsuite.confirm.night import Aim
from perfsuite.measure.clock import Clock
from perfsuite.measure.journal import Journal
from perfsuite.records.confirmation import Shortlist
from perfsuite.records.pair import Pair, Pairing
from perfsuite.selfcheck import simulation
from perfsuite.selfcheck.simulation import (
    FEWEST_TO_DRAW,
    Noise,
    Rate,
    Scene,
    Storage,
    concluded,
    noises,
    regressed,
    simulate,
    smallest_found,
)
from perfsuite.spec import Variant
from perfsuite.stats import confirming

AIM = Aim(matters=1.02, false_alarm=0.01, missed=0.05)
#: All matters, and one night in five may be wrong: what breaks a rule shows in few nights.
SHARP = Aim(matters=1.0, false_alarm=0.2, missed=0.05)
STORAGE = Storage(spread=0.047, sessions=3, missed=0.2, seeming=0.05)


def _variants(count: int) -> list[Variant]:
    return [dataclasses.replace(VARIANT, model=f"model{number}") for number in range(count)]


def _scene(count: int = 8, *, spread: float = 0.01, pairs: int = 60, aim: Aim = AIM, **changes: Any) -> Scene:
    """Variants with the same normal noise."""
    noise = Noise(residuals=(), spread=spread, freedom=1000.0)
    return Scene(noises=dict.fromkeys(_variants(count), noise), aim=aim, pairs=pairs, **changes)


def _false(scene: Scene) -> int:
    return simulate(scene, nights=150, planted_nights=0).false.count


def test_enough_pairs_are_drawn_again_around_their_mean_and_as_far_apart() -> None:
    chance = random.Random(1)
    recorded = [0.05 + 0.01 * chance.gauss() for _ in range(FEWEST_TO_DRAW)]
    residuals = noises({VARIANT: recorded})[VARIANT].residuals
    assert statistics.fmean(residuals) == pytest.approx(0.0, abs=1e-12)
    assert statistics.pvariance(residuals) == pytest.approx(statistics.variance(recorded))


def test_of_few_pairs_all_variants_tell_how_much_they_vary() -> None:
    one, other, third, unmeasured = _variants(4)
    found = noises({one: [0.01, -0.01], other: [0.02, -0.02], third: [0.01, -0.02], unmeasured: []})
    assert not any(noise.residuals for noise in found.values())
    assert found[one].spread < found[other].spread
    assert found[unmeasured].spread > 0
    chance = random.Random(1)
    drawn = [abs(found[one].draw(chance)) for _ in range(4000)]
    # Three pairs of numbers know three degrees of freedom: half of Student's t lies within 0.765 spreads.
    assert statistics.median(drawn) == pytest.approx(0.765 * found[one].spread, rel=0.05)


def test_a_variant_of_which_nobody_knows_how_much_its_pairs_vary_is_left_out() -> None:
    one, other = _variants(2)
    assert noises({one: [0.01, 0.02], other: [0.01]}).keys() == {one}


@pytest.mark.parametrize(
    ("slowdown", "suspects"),
    [pytest.param(0.0, 0.69, id="no slower"), pytest.param(math.log(1.02), 0.8, id="by what matters"),
     pytest.param(math.log(1.1), 0.985, id="by 10 %")],
)  # fmt: skip
def test_stored_sessions_suspect_as_many_as_they_do_in_earnest(slowdown: float, suspects: float) -> None:
    chance = random.Random(1)
    found = [STORAGE.may_be_slower(STORAGE.ratio(slowdown, chance), math.log(1.02)) for _ in range(4000)]
    assert statistics.fmean(found) == pytest.approx(suspects, abs=0.02)


@pytest.mark.parametrize("storage", [pytest.param(None, id="all"), pytest.param(STORAGE, id="suspects")])
def test_nights_are_seldom_wrong_and_find_what_is_there(storage: Storage | None) -> None:
    found = simulate(_scene(storage=storage), nights=60, planted_nights=40)
    assert found.false.count <= 1
    shares = [rate.share for rate in found.found.values()]
    assert shares == sorted(shares)
    assert shares[0] <= 0.05
    assert shares[-1] > 0.9


def test_what_is_called_regressed_beside_the_slow_one_makes_it_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = _scene(2)
    others = _variants(2)
    monkeypatch.setattr(simulation, "regressed", lambda scene, slowed, chance: others if slowed else [])
    assert simulate(scene, nights=1, planted_nights=2).found[0.05].count == 0
    monkeypatch.setattr(simulation, "regressed", lambda scene, slowed, chance: list(slowed))
    assert simulate(scene, nights=1, planted_nights=2).found[0.05].count == 2


def test_the_same_seed_has_the_same_nights() -> None:
    scene = _scene(4, storage=STORAGE)
    assert simulate(scene, nights=5, planted_nights=5) == simulate(scene, nights=5, planted_nights=5)


def test_an_error_that_suspects_do_not_share_shows_as_false_nights(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = _scene(6, aim=SHARP)
    shared = _false(scene)
    whole = confirming._look_error
    monkeypatch.setattr(confirming, "_look_error", lambda *arguments, comparisons: whole(*arguments, comparisons=1))
    assert shared <= 15
    assert _false(scene) > 2 * shared + 5


def test_pairs_that_correlate_show_as_false_nights() -> None:
    scene = _scene(6, aim=SHARP)
    assert _false(dataclasses.replace(scene, correlation=0.9)) > 2 * _false(scene) + 8


def test_the_smallest_slowdown_is_found_in_four_nights_of_five() -> None:
    scene = _scene(3, pairs=30)
    slowdown = smallest_found(scene, _variants(1)[0], nights=100)
    chance = random.Random(7)
    slowed = {_variants(1)[0]: math.log1p(slowdown)}
    found = sum(regressed(scene, slowed, chance) == _variants(1) for _ in range(150))
    assert 0.68 < found / 150 < 0.92


def test_the_noisier_a_variant_the_larger_a_slowdown_of_it_must_be() -> None:
    quiet, noisy = (smallest_found(_scene(4, spread=spread, pairs=30), _variants(1)[0]) for spread in (0.005, 0.03))
    assert 1.5 * quiet < noisy


def test_a_share_has_its_interval() -> None:
    interval = Rate(count=0, nights=300).interval
    assert interval.low == 0
    assert interval.high == pytest.approx(0.0122, abs=1e-4)


@dataclasses.dataclass(frozen=True, slots=True)
class _Header:
    name: str = "here"


class _Journal(Journal[_Header]):
    header_type = _Header
    kinds = (Pair, Shortlist)


class _Given:
    """Noise that is known beforehand."""

    def __init__(self, values: list[float]) -> None:
        self._values = iter(values)

    def draw(self, chance: random.Random) -> float:
        return next(self._values)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("pairs", [7, 30, 70])
def test_a_simulated_night_comes_to_what_a_real_one_of_the_same_pairs_does(
    seed: int, pairs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    variants = _variants(5)
    values = {one: [0.01 * number + 0.015 * chance.gauss() for _ in range(80)] for number, one in enumerate(variants)}
    given = cast("dict[Variant, Noise]", {one: _Given(values[one]) for one in variants})
    simulated = concluded(Scene(noises=given, aim=AIM, pairs=pairs), {}, chance)

    taken = 0
    real = {one: iter(values[one]) for one in variants}

    class _PairClock(Clock):
        """A second each."""

        @property
        def spent_s(self) -> float:
            return float(taken)

    def measured(pairing: Pairing, *_: object, candidate_first: bool) -> Pair:
        nonlocal taken
        taken += 1
        return pair(math.exp(next(real[pairing.candidate])), pairing=pairing)

    monkeypatch.setattr(night, "measure_pair", measured)
    rig: Any = SimpleNamespace(relaunch=lambda variant: None)
    both = dataclasses.replace(AIM, improvements=True)
    trials = night.Night(
        variants, rig, dict.fromkeys(variants, rig), _Journal.create(tmp_path, _Header()), both,
        clock=_PairClock(pairs + 0.5), say=lambda words: None,
    ).run()  # fmt: skip
    found = {one: trial.conclusion for one, trial in trials.items() if trial.conclusion}
    assert {one: (told.conclusion, told.pairs) for one, told in simulated.items()} == {
        one: (told.conclusion, told.pairs) for one, told in found.items()
    }
