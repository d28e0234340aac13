"""Pairs of a night's suspects: a few of each, then fresh ones of those that may still be slower.

Screening and confirming are ``stats/night``'s; here is who is measured when. A variant's first pairs screen it,
all later ones are fresh.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perfsuite.errors import StandError, WorkerError
from perfsuite.measure.clock import Clock, Say
from perfsuite.measure.stepping import measure_pair
from perfsuite.records.confirmation import Shortlist
from perfsuite.records.pair import Pair, Pairing
from perfsuite.spec import Variant
from perfsuite.stats.confirming import LOOKS, Confirmation, allot, confirmed
from perfsuite.stats.night import NightPlan
from perfsuite.stats.screening import SCREENING_PAIRS, suspects

if TYPE_CHECKING:
    from perfsuite.measure.journal import Journal
    from perfsuite.measure.rig import Rig

#: Pairs by processes of the same launchers, before these are started anew, at other addresses. Successive ones of a
#: launch correlate by 0.50 (0.23 to 0.68 at 95 %, 25 launches of three variants on a two-core AMX Xeon, where a launch
#: takes 12 s and a pair 6 s): 2 a launch tell in the same time as much as 10.7 independent pairs, 4 as much as 8.
PAIRS_A_LAUNCH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What the pairs are to tell: from which ratio on a slowdown matters, and how often the answer may be wrong.

    ``improvements``: whether faster matters too. ``false_alarm`` and ``missed`` are probabilities, of a night.
    """

    matters: float
    false_alarm: float
    missed: float
    improvements: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one variant: its pairs in their order, and what the fresh ones tell, or else the screening ones.

    ``told`` are those of its pairs that tell it, ``failure`` is why there are no more, ``crash`` the same where the
    candidate's worker failed.
    """

    pairs: tuple[Pair, ...] = ()
    told: tuple[Pair, ...] = ()
    conclusion: Confirmation | None = None
    failure: str = ""
    crash: str = ""


class Night:
    """The pairs of one night, of which ``journal`` may hold some.

    ``baselines`` are the rigs that run each variant in its baseline's stack.
    """

    def __init__(
        self,
        variants: Sequence[Variant],
        candidate: Rig,
        baselines: Mapping[Variant, Rig],
        journal: Journal[Any],
        aim: Aim,
        *,
        clock: Clock,
        say: Say,
    ) -> None:
        self._variants = variants
        self._candidate = candidate
        self._baselines = baselines
        self._journal = journal
        self._aim = aim
        self._clock = clock
        self._say = say
        self._pairs: dict[Variant, list[Pair]] = defaultdict(list)
        for pair in journal.of(Pair):
            self._pairs[pair.pairing.candidate].append(pair)
        self._failures: dict[Variant, str] = {}
        #: Of them those whose candidate failed, and not its baseline.
        self._crashes: dict[Variant, str] = {}
        self._launched = 0
        self._took_s: list[float] = []

    def run(self) -> dict[Variant, Trial]:
        """Measure until all is clear or the time is over, and say what became of each variant."""
        for number in range(SCREENING_PAIRS):
            ordered = self._variants[::-1] if number % 2 else self._variants
            for variant in ordered:
                if len(self._pairs[variant]) <= number and self._clock.allows():
                    self._measure(variant, f"screening {variant.id}, pair {number + 1} of {SCREENING_PAIRS}")
        shortlist = self._shortlist()
        plan = self._plan(shortlist.fresh_pairs)
        while self._clock.allows(self._usual_s):
            suspect = allot(self._screened, self._fresh(shortlist), plan)
            if suspect is None:
                break
            count = len(self._pairs[suspect]) - SCREENING_PAIRS
            self._measure(suspect, f"confirming {suspect.id}, pair {count + 1}")
        return self._trials(shortlist, plan)

    def _measure(self, variant: Variant, words: str) -> None:
        """One more pair; a worker that fails costs its own variant only."""
        baseline = self._baselines[variant]
        pairing = Pairing(baseline=variant, candidate=variant)
        pairs = self._pairs[variant]
        self._say(words)
        start_s = self._clock.spent_s
        if self._launched % PAIRS_A_LAUNCH == 0:
            # Side by side: importing takes 5 to 25 s, of one core.
            baseline.relaunch(variant)
            self._candidate.relaunch(variant)
        self._launched += 1
        candidate_first = len(pairs) % 2 == 1
        try:
            pair = measure_pair(pairing, baseline, self._candidate, candidate_first=candidate_first)
        except StandError as error:
            # Whoever starts has number 0.
            if (error.number == 1) != candidate_first:
                self._crashes[variant] = str(error)
            self._failures[variant] = str(error)
            return
        except WorkerError as error:
            self._failures[variant] = str(error)
            return
        self._journal.append(pair)
        pairs.append(pair)
        self._clock.count(pair.measured_s)
        self._took_s.append(self._clock.spent_s - start_s)

    @property
    def _usual_s(self) -> float:
        """What a pair has taken, starting included."""
        return sum(self._took_s) / len(self._took_s) if self._took_s else 0.0

    @property
    def _screened(self) -> dict[Variant, list[float]]:
        found = {variant: self._pairs[variant][:SCREENING_PAIRS] for variant in self._variants}
        return {variant: [pair.log_ratio for pair in pairs] for variant, pairs in found.items() if pairs}

    def _fresh(self, shortlist: Shortlist) -> dict[Variant, list[float]]:
        return {
            variant: [pair.log_ratio for pair in self._pairs[variant][SCREENING_PAIRS:]]
            for variant in shortlist.suspects
            if variant not in self._failures
        }

    def _shortlist(self) -> Shortlist:
        """As an earlier run settled it, for the looks depend on it; or else what there is time for now."""
        settled = [one for one in self._journal.of(Shortlist) if one.matters == self._aim.matters]
        if settled:
            return settled[-1]
        left_s = self._clock.left_s
        fresh_pairs = int(left_s / self._usual_s) if self._took_s else LOOKS[0]
        ranked = tuple(suspects(self._screened, self._plan(fresh_pairs)))
        found = Shortlist(matters=self._aim.matters, suspects=ranked, fresh_pairs=fresh_pairs)
        self._journal.append(found)
        return found

    def _plan(self, fresh_pairs: int) -> NightPlan:
        aim = self._aim
        return NightPlan(
            matters=aim.matters,
            fresh_pairs=fresh_pairs,
            false_alarm=aim.false_alarm,
            missed=aim.missed,
            improvements=aim.improvements,
        )

    def _trials(self, shortlist: Shortlist, plan: NightPlan) -> dict[Variant, Trial]:
        concluded = confirmed(self._screened, self._fresh(shortlist), plan)
        return {
            variant: Trial(
                pairs=tuple(pairs := self._pairs[variant]),
                told=tuple(pairs[SCREENING_PAIRS:] if variant in shortlist.suspects else pairs[:SCREENING_PAIRS]),
                conclusion=concluded.get(variant),
                failure=self._failures.get(variant, ""),
                crash=self._crashes.get(variant, ""),
            )
            for variant in self._variants
        }
