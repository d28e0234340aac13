"""Nights over and over, of pairs that vary as this machine's did: how often they are wrong, and what they find.

A simulated night is ``confirm/night``'s, with the same statistics; only its pairs are drawn and not measured. What
the slowest quarter of the iterations says is left out.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean

from perfsuite.confirm.night import PAIRS_A_LAUNCH, Aim
from perfsuite.spec import Variant
from perfsuite.stats.confirming import Conclusion, Confirmation, allot, confirmed
from perfsuite.stats.intervals import Interval
from perfsuite.stats.night import NightPlan, Sample, night_moderation, variance_within
from perfsuite.stats.screening import SCREENING_PAIRS, suspects

#: Pairs of a variant from which on its own are drawn again; of fewer, Student's t is drawn. The furthest of ten lies
#: 1.5 standard deviations out on average (Tippett 1925), and a night that is to be wrong once in a hundred is decided
#: further out than fewer ever show.
FEWEST_TO_DRAW = 10
#: The slowdowns that are planted.
SLOWDOWNS = (0.01, 0.02, 0.03, 0.05, 0.10)
#: Nights of the same stack, of which none may be wrong to say "at most 1 in 100" with 95 %: log(0.05) / log(0.99).
NIGHTS = 300
#: Nights of each planted slowdown: what is found in 80 % is known to 8 % then.
PLANTED_NIGHTS = 100
#: "Found" of the smallest slowdown that is found: in so many nights.
FOUND_SHARE = 0.8
#: Nights to seek it in, for each variant; and by how much of its logarithm the first of them moves it. Simulated, 24
#: variants, spreads of 1 %: what comes of it varies by a fiftieth where all are stepped. Where stored sessions choose
#: it varies by a fifth, for what is found depends little on the slowdown there (67 % of 2.25 %, 80 % of 3 %).
_SEEKING_NIGHTS = 40
_SEEKING_STEP = 0.5
_COVERAGE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What the log-ratios of one variant's pairs vary by when neither side is slower.

    ``residuals`` are those recorded, around their mean; none where they are too few: then Student's t with that
    ``spread`` and ``freedom`` stands for them, as what is known of one variant and of all tells.
    """

    residuals: tuple[float, ...]
    spread: float
    freedom: float

    def draw(self, chance: random.Random) -> float:
        """One more."""
        if self.residuals:
            return chance.choice(self.residuals)
        return self.spread * chance.gauss() / math.sqrt(chance.gammavariate(self.freedom / 2, 2 / self.freedom))


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """How stored sessions raise suspicion, their means drawn from a normal distribution whose ``spread`` is known.

    ``sessions`` is how many there are, ``missed`` and ``seeming`` are what their bounds err with.
    """

    spread: float
    sessions: int
    missed: float
    seeming: float

    def ratio(self, slowdown: float, chance: random.Random) -> float:
        """A night's log-ratio of one variant that is slower by so much."""
        return slowdown + self._spread * chance.gauss()

    def may_be_slower(self, ratio: float, bound: float) -> bool:
        return ratio + self._reach(self.missed) >= bound

    def seems_faster(self, ratio: float, bound: float) -> bool:
        return ratio + self._reach(self.seeming) < 0 and ratio < -bound

    @property
    def _spread(self) -> float:
        return self.spread * math.sqrt(1 + 1 / self.sessions)

    def _reach(self, error: float) -> float:
        return NormalDist().inv_cdf(1 - error) * self._spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a night is simulated of: each variant's noise, its aim, and the ``pairs`` that its time holds.

    ``storage`` chooses whom to step beside its baseline; without it all are. ``correlation`` is that of two pairs of
    a variant by processes of the same launchers.
    """

    noises: Mapping[Variant, Noise]
    aim: Aim
    pairs: int
    storage: Storage | None = None
    correlation: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """In how many of some nights it happened."""

    count: int
    nights: int

    @property
    def share(self) -> float:
        return self.count / self.nights

    @property
    def interval(self) -> Interval:
        """Of the probability, 95 % (Clopper and Pearson 1934)."""
        from scipy.stats import binomtest  # 0.5 s to import, so only when something is told

        found = binomtest(self.count, self.nights).proportion_ci(_COVERAGE, method="exact")
        return Interval(low=float(found.low), high=float(found.high), coverage=_COVERAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Nights with any regression where nothing is slower; with that of the slowed variant alone, by its slowdown."""

    false: Rate
    found: Mapping[float, Rate]


def noises(recorded: Mapping[Variant, Sequence[float]]) -> dict[Variant, Noise]:
    """Of each variant by its log-ratios of pairs of one stack.

    Where three variants or more have two pairs, they tell of those that have fewer; else these are left out.
    """
    samples = {variant: Sample.of(ratios) for variant, ratios in recorded.items()}
    own = {variant: variance_within(sample) for variant, sample in samples.items()}
    moderation = night_moderation(list(own.values()))
    found = {}
    for variant, ratios in recorded.items():
        known = moderation.of(own[variant])
        if known.freedom == 0:
            continue
        found[variant] = Noise(
            residuals=_residuals(ratios) if len(ratios) >= FEWEST_TO_DRAW else (),
            spread=math.sqrt(known.value),
            freedom=known.freedom,
        )
    return found


def _residuals(ratios: Sequence[float]) -> tuple[float, ...]:
    """Around their mean, which takes one degree of freedom from them."""
    mean, count = fmean(ratios), len(ratios)
    return tuple((ratio - mean) * math.sqrt(count / (count - 1)) for ratio in ratios)


def simulate(scene: Scene, *, nights: int = NIGHTS, planted_nights: int = PLANTED_NIGHTS, seed: int = 0) -> Simulation:
    """Nights of one stack, then nights in which one variant is slower, every variant in its turn."""
    chance = random.Random(seed)
    alike = [regressed(scene, {}, chance) for _ in range(nights)]
    variants = list(scene.noises)
    found = {}
    for slowdown in SLOWDOWNS:
        slow = [variants[number % len(variants)] for number in range(planted_nights)]
        count = sum(_is_found(scene, variant, slowdown, chance) for variant in slow)
        found[slowdown] = Rate(count=count, nights=planted_nights)
    return Simulation(false=Rate(count=sum(map(bool, alike)), nights=nights), found=found)


def smallest_found(scene: Scene, variant: Variant, *, seed: int = 0, nights: int = _SEEKING_NIGHTS) -> float:
    """The slowdown (0.03 is 3 %) of the variant that is found in ``FOUND_SHARE`` of the nights.

    By stochastic approximation (Robbins and Monro 1951, Annals of Mathematical Statistics 22), on its logarithm.
    """
    chance = random.Random(seed)
    slowdown = scene.aim.matters - 1 + scene.noises[variant].spread
    for number in range(1, nights + 1):
        found = _is_found(scene, variant, slowdown, chance)
        slowdown *= math.exp(_SEEKING_STEP / number * (FOUND_SHARE - found))
    return slowdown


def _is_found(scene: Scene, variant: Variant, slowdown: float, chance: random.Random) -> bool:
    """Whether a night calls the slowed variant regressed, and no other."""
    return regressed(scene, {variant: math.log1p(slowdown)}, chance) == [variant]


def regressed(scene: Scene, slowed: Mapping[Variant, float], chance: random.Random) -> list[Variant]:
    """Whom one night calls regressed; ``slowed`` are the log-ratios of variants that are slower."""
    found = concluded(scene, slowed, chance)
    return [variant for variant, one in found.items() if one.conclusion is Conclusion.REGRESSED]


def concluded(scene: Scene, slowed: Mapping[Variant, float], chance: random.Random) -> dict[Variant, Confirmation]:
    """What one night's pairs make of each variant that it steps beside its baseline."""
    scene = replace(scene, aim=replace(scene.aim, improvements=True)) if scene.storage is None else scene
    stepped = list(scene.noises)
    if scene.storage is not None:
        bound = math.log(scene.aim.matters)
        ratios = {one: scene.storage.ratio(slowed.get(one, 0.0), chance) for one in stepped}
        slower = [one for one in stepped if scene.storage.may_be_slower(ratios[one], bound)]
        faster = [one for one in stepped if scene.storage.seems_faster(ratios[one], bound)]
        stepped = sorted(slower, key=lambda one: ratios[one], reverse=True) + faster
        scene = replace(scene, aim=replace(scene.aim, improvements=bool(faster)))
    return _Night(scene, stepped, slowed, chance).concluded() if stepped else {}


class _Night:
    """The pairs of one night, in the order of ``confirm/night``."""

    def __init__(
        self, scene: Scene, stepped: Sequence[Variant], slowed: Mapping[Variant, float], chance: random.Random
    ) -> None:
        self._scene = scene
        self._stepped = stepped
        self._slowed = slowed
        self._chance = chance
        self._taken = 0
        self._shared: dict[tuple[Variant, int], float] = {}

    def concluded(self) -> dict[Variant, Confirmation]:
        screened: dict[Variant, list[float]] = defaultdict(list)
        for number in range(SCREENING_PAIRS):
            for variant in self._stepped[::-1] if number % 2 else self._stepped:
                if self._taken < self._scene.pairs:
                    screened[variant].append(self._pair(variant))
        aim, left = self._scene.aim, self._scene.pairs - self._taken
        plan = NightPlan(
            matters=aim.matters,
            fresh_pairs=left,
            false_alarm=aim.false_alarm,
            missed=aim.missed,
            improvements=aim.improvements,
        )
        fresh: dict[Variant, list[float]] = {variant: [] for variant in suspects(screened, plan)}
        for _ in range(left):
            suspect = allot(screened, fresh, plan)
            if suspect is None:
                break
            fresh[suspect].append(self._pair(suspect))
        return confirmed(screened, fresh, plan)

    def _pair(self, variant: Variant) -> float:
        """Its log-ratio; a part of what it varies by is all pairs' of its launchers."""
        noise, correlation = self._scene.noises[variant], self._scene.correlation
        own = noise.draw(self._chance)
        if correlation:
            launch = variant, self._taken // PAIRS_A_LAUNCH
            if launch not in self._shared:
                self._shared[launch] = noise.draw(self._chance)
            own = math.sqrt(correlation) * self._shared[launch] + math.sqrt(1 - correlation) * own
        self._taken += 1
        return self._slowed.get(variant, 0.0) + own
