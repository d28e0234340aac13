"""Measuring a whole comparison: examinations, then pair after pair of what is still undecided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from perfsuite.compare.examine import examine
from perfsuite.compare.pairings import Party
from perfsuite.errors import WorkerError
from perfsuite.judge.paired import judge_pairs, settled
from perfsuite.measure import journal as journals
from perfsuite.measure.clock import Clock, Say
from perfsuite.measure.stepping import measure_pair
from perfsuite.records.comparison import Examination, Look, PairingFailure, Screening
from perfsuite.records.measurement import Stack
from perfsuite.records.pair import Pair, Pairing
from perfsuite.records.speed import Speed, Verdict
from perfsuite.stats.sequential import Looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a journal's records have in common; only an equal header may be resumed."""

    baseline: Stack
    candidate: Stack
    commits: tuple[str | None, str | None]
    backends: tuple[str, str]
    machine_slugs: tuple[str, str]
    environments: tuple[dict[str, str], dict[str, str]]
    resolution: float
    best: bool
    selection: tuple[str, ...]


class Journal(journals.Journal[Header]):
    """All that a comparison has measured."""

    header_type = Header
    kinds = (Screening, Examination, Pair, PairingFailure, Look)


class Schedule:
    """What is measured when, and what is decided so far; ``journal`` may hold what an earlier run measured."""

    def __init__(
        self,
        baseline: Party,
        candidate: Party,
        pairings: Sequence[Pairing],
        journal: Journal,
        *,
        looks: Looks,
        resolution: float,
        clock: Clock,
        say: Say,
    ) -> None:
        self._baseline, self._candidate = baseline, candidate
        self._pairings = pairings
        self._journal = journal
        self._looks = looks
        self._resolution = resolution
        self._clock = clock
        self._say = say
        #: In this run: what an earlier one failed with, a worker that somebody killed say, is tried again.
        self._failed: set[Pairing] = set()
        self._pairs: dict[Pairing, list[Pair]] = defaultdict(list)
        for pair in journal.of(Pair):
            self._pairs[pair.pairing].append(pair)
        self._spent: dict[Pairing, float] = defaultdict(float)
        self._took_s: dict[Pairing, float] = {}
        #: None: not yet decided, or never.
        self.decided: dict[Pairing, Speed | None] = dict.fromkeys(pairings)
        for look in journal.of(Look):
            self._spent[look.pairing] += look.error
            if look.pairing in self.decided and self.decided[look.pairing] is None:
                self.decided[look.pairing] = self._decision(look)

    def examine(self) -> None:
        """Both sides' outputs and evidence of every pairing, as long as there is time."""
        examined = {record.pairing for record in self._journal.of(Examination)}
        left = [pairing for pairing in self._pairings if pairing not in examined and pairing not in self._failed]
        for pairing in left[:1]:  # four imports of 5 to 25 s, side by side
            for rig, variant in ((self._baseline.rig, pairing.baseline), (self._candidate.rig, pairing.candidate)):
                rig.preload(variant)
                rig.preload(variant.reference)
        for pairing in left:
            if not self._clock.allows():
                break
            number = self._pairings.index(pairing) + 1
            self._say(f"examining {pairing.id} ({number} of {len(self._pairings)})")
            with self._failing(pairing):
                self._journal.append(examine(pairing, self._baseline.rig, self._candidate.rig))

    def measure(self) -> None:
        """Pairs of processes, pass by pass, until each pairing is decided or the time is up."""
        for number in range(self._looks.counts[-1]):
            # Before launchers are started, which import for 5 to 25 s and may then find no time left.
            fitting = [pairing for pairing in self._undecided() if self._fits(pairing)]
            if not fitting:
                break
            self._pass(fitting[::-1] if number % 2 else fitting)
        for pairing in self._undecided(full=True):
            if (count := len(self._pairs[pairing])) > 1:
                error = self._looks.last_error(self._spent[pairing])
                self.decided[pairing] = self._look(Look(pairing=pairing, count=count, error=error, last=True))

    def _fits(self, pairing: Pairing) -> bool:
        """Whether the time that is left holds another pair, as long as its last one."""
        return self._clock.allows(self._took_s.get(pairing, 0.0))

    def _pass(self, pairings: Sequence[Pairing]) -> None:
        """One pair of each, by processes that are loaded anew: libraries lie at other addresses then.

        One pass runs backwards after the other, so that a bad minute of the machine is not one
        variant's regression.
        """
        # Side by side: importing takes 5 to 25 s, of one core.
        self._baseline.rig.relaunch(pairings[0].baseline)
        self._candidate.rig.relaunch(pairings[0].candidate)
        for pairing in pairings:
            if not self._fits(pairing):
                continue
            start_s = self._clock.spent_s
            pairs = self._pairs[pairing]
            decided = sum(found is not None for found in self.decided.values())
            self._say(f"pair {len(pairs) + 1} of {pairing.id}; {decided} of {len(self._pairings)} decided")
            with self._failing(pairing):
                pair = measure_pair(
                    pairing, self._baseline.rig, self._candidate.rig, candidate_first=len(pairs) % 2 == 1
                )
                self._journal.append(pair)
                pairs.append(pair)
                self._clock.count(pair.measured_s)
                error = self._looks.error(len(pairs), self._spent[pairing])
                if error is not None:
                    look = Look(pairing=pairing, count=len(pairs), error=error, last=False)
                    self.decided[pairing] = self._look(look)
            self._took_s[pairing] = self._clock.spent_s - start_s

    def _look(self, look: Look) -> Speed | None:
        """What the look shows; journalled before anybody knows, so that no run spends its error twice."""
        self._journal.append(look)
        self._spent[look.pairing] += look.error
        found = self._seen(look)
        return found if look.last else self._settled(found)

    def _decision(self, look: Look) -> Speed | None:
        """What an earlier run's look decided; when the time was over it left open what is inconclusive."""
        found = self._seen(look)
        if look.last:
            return None if found.verdict is Verdict.INCONCLUSIVE else found
        return self._settled(found)

    def _seen(self, look: Look) -> Speed:
        pairs = self._pairs[look.pairing][: look.count]
        return judge_pairs(pairs, look.error, resolution=self._resolution, coverage=self._looks.coverage)

    def _settled(self, found: Speed) -> Speed | None:
        assert found.interval is not None
        return found if settled(found.interval, self._resolution) else None

    @contextmanager
    def _failing(self, pairing: Pairing) -> Iterator[None]:
        """A worker that fails costs its own pairing only."""
        try:
            yield
        except WorkerError as error:
            self._journal.append(PairingFailure(pairing=pairing, reason=str(error)))
            self._failed.add(pairing)

    def _undecided(self, *, full: bool = False) -> list[Pairing]:
        """Those that more pairs may decide; ``full``: those that have all their pairs as well."""
        return [
            pairing
            for pairing in self._pairings
            if self.decided[pairing] is None
            and pairing not in self._failed
            and (full or len(self._pairs[pairing]) < self._looks.counts[-1])
        ]
