"""How surely a session differs from earlier ones of another hour: sessions vary by more than what one shows inside.

Logarithms of latencies are taken for mean + session + replicate: what a session adds (the machine's state, its
neighbours, where memory came to lie) all its replicates share. A ratio of two sessions therefore varies by both.

Simulated, 24 variants, two replicates a session, sessions with a standard deviation of 5 %, replicates of 2 %, 600
sessions each; of 100 variants, what a permissive bound (``LogRatio.upper``) makes suspects that may be slower by 2 %:

    earlier sessions                                  1     2     3     8
    intervals of 95 % that miss                     6.3   6.3   4.5   4.9
    suspects of those no slower, error 0.05          90    90    91    90
                                 error 0.2           71    69    70    69
                                 error 0.3           59    57    58    57
    no suspects of those 5 % slower, error 0.05     2.4   2.3   1.7   1.5
                                     error 0.2       12    11     9     9
                                     error 0.3       19    17    16    15
    no suspects of those 10 % slower, error 0.2     3.3   2.3   1.7   1.5

Where sessions and replicates vary by 1 %, 29 of 100 no slower are suspects after three sessions and 25 after eight,
and of those 5 % slower 0.2 and 0.1 are none; until the spread is known, 98 and 0.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from perfsuite.stats.intervals import Interval, ratio_interval
from perfsuite.stats.moderated import Variance, moderated

#: So many sessions are the fewest whose spread is believed (judgement: from two, with one degree of freedom, an
#: interval of 95 % is three times as wide as from three).
FEWEST_SESSIONS = 3
#: The standard deviation between sessions while they are fewer. 19 sessions of BERT on an idle machine reached over
#: 19 % (domain sheet, section 6), and the range of 19 normal draws is 3.69 standard deviations (Tippett 1925):
#: log(1.19) / 3.69. ResNet50's sessions, one outlier aside, reached over 4 to 5 %.
ASSUMED_SPREAD = 0.047


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Logarithms of latencies by replicate: the candidate's, and those of each earlier session."""

    candidate: Sequence[float]
    sessions: Sequence[Sequence[float]]

    @property
    def means(self) -> list[float]:
        """Of each earlier session."""
        return [statistics.fmean(session) for session in self.sessions]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRatio:
    """The candidate over the mean of the sessions, and its variance."""

    value: float
    variance: Variance

    def interval(self, *, error: float, coverage: float) -> Interval:
        """Student's, which misses the truth with ``error``."""
        variance = self.variance
        return ratio_interval(
            self.value, squared_error=variance.value, freedom=variance.freedom, error=error, coverage=coverage
        )

    def upper(self, error: float) -> float:
        """The logarithm that the truth exceeds with ``error``."""
        return self.value + self._reach(error)

    def lower(self, error: float) -> float:
        """The logarithm that the truth falls below with ``error``."""
        return self.value - self._reach(error)

    @property
    def errors(self) -> float:
        """How many standard errors above 0 it lies."""
        return self.value / math.sqrt(self.variance.value)

    def _reach(self, error: float) -> float:
        from scipy.special import stdtrit  # 0.3 s to import, so only when something is judged

        return -float(stdtrit(self.variance.freedom, error)) * math.sqrt(self.variance.value)


def log_ratios(sides: Sequence[Sides]) -> list[LogRatio | None]:
    """Of each variant; None where nobody knows how much replicates vary: one a side, and few sessions.

    How much sessions and replicates vary, all variants tell together.
    """
    within = moderated([_within(one) for one in sides])
    between = moderated([_between(one) for one in sides if len(one.sessions) >= FEWEST_SESSIONS])
    known = iter(between)
    return [
        _log_ratio(one, inside, next(known) if len(one.sessions) >= FEWEST_SESSIONS else None)
        for one, inside in zip(sides, within, strict=True)
    ]


def _log_ratio(sides: Sides, within: Variance, between: Variance | None) -> LogRatio | None:
    count = len(sides.sessions)
    mine = 1 / len(sides.candidate)
    theirs = [1 / len(session) for session in sides.sessions]
    if between is None:
        if within.freedom == 0 or all(len(one) == 1 for one in (sides.candidate, *sides.sessions)):
            return None
        apart = Variance(value=ASSUMED_SPREAD**2 * (1 + 1 / count), freedom=math.inf)
        inside = Variance(value=within.value * (mine + sum(theirs) / count**2), freedom=within.freedom)
    else:
        # What sessions' means vary by holds what replicates do; the candidate may have fewer of them.
        apart = Variance(value=between.value * (1 + 1 / count), freedom=between.freedom)
        more = max(0.0, mine - statistics.fmean(theirs)) if within.freedom else 0.0
        inside = Variance(value=within.value * more, freedom=within.freedom)
    value = statistics.fmean(sides.candidate) - statistics.fmean(sides.means)
    return LogRatio(value=value, variance=_sum(apart, inside))


def _sum(*parts: Variance) -> Variance:
    """Of independent ones, with the degrees of freedom of Satterthwaite 1946 (Biometrics Bulletin 2)."""
    value = math.fsum(part.value for part in parts)
    doubt = math.fsum(part.value**2 / part.freedom for part in parts if part.value)
    return Variance(value=value, freedom=value**2 / doubt if doubt else math.inf)


def _within(sides: Sides) -> Variance:
    """Within sessions, ddof 1 each, their squares added up: replicates of one variant vary alike in all."""
    every = (sides.candidate, *sides.sessions)
    freedom = sum(len(one) - 1 for one in every)
    squares = sum(statistics.variance(one) * (len(one) - 1) for one in every if len(one) > 1)
    return Variance(value=squares / freedom if freedom else 0.0, freedom=float(freedom))


def _between(sides: Sides) -> Variance:
    """Of sessions' means, ddof 1."""
    return Variance(value=statistics.variance(sides.means), freedom=float(len(sides.sessions) - 1))
