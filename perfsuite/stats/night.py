"""A night of pairs: a few of every variant (``screening``), then fresh ones of the suspects alone (``confirming``).

A pair's log-ratio is candidate over baseline. Why the error stays what is stated:

- Whether a suspect is slower is told from fresh pairs alone, so that what made it a suspect has no say, and the
  error is shared by the suspects alone (Bonferroni).
- It is looked at after fixed numbers of its own pairs, and each look spends its own part (``sequential``). Whose
  pair comes next may therefore depend on anything, the screening and all fresh pairs included.
- Its variance may use the screening's residuals, each sample's around its own mean: residuals of normal pairs
  know nothing of the mean that is judged, nor of the one that selected. The bound that selects does know the
  variance: the noisier a variant looks, the sooner it is a suspect, which errs to the safe side.

Simulated, 24 variants whose spreads differ by a quarter, 150 pairs, what matters 1 %, one variant slow; how many
nights in 100 find it (two_stage: three pairs each, ten suspects, the rest dealt out equally). 4,000 nights each:

    spread of a pair        1 %              1.5 %               3 %
    slower by             2    3    5      2    3     5       2    3    5
    two_stage            84   99  100     37   84  99.7     2.5   12   64
    here               99.7 99.9  100   96.4 99.6  99.9      55   83   98

False nights were 0.1 in 100 at most (two_stage: 0.5 to 0.9), for Boole's inequality gives away what most suspects
never reach. At spreads of 1, 1.5 and 3 %, 2,000 nights or more each:

    found, 3 % slower: two or five slow variants     99.8  99.5  77;  99.8  98.4  54
    found: a pair in 20 three to five times as far   99.4  98.4  70
    found: some processes 2 % slower, on either side 99.8  98.5  79
    found: 100 variants, 350 pairs; 4, 25 pairs       100  98.8  66;  99.9  96.7  48
    false, nobody slower, all of it matters           0.1   0.2   0.2  (heavy tails, two kinds, 100 variants: 0.3,
                                                                       4 variants: 0.6 at most)
    regressed, all slower by half of what matters     2     4     4    (two_stage: 10, 5, 2)
    unchanged, of those no slower                    18     8     4    (three pairs of screening: 32, 15, 6)
    unchanged, slower by just what matters            1.5   1.5   1.6

Unchanged asks for more pairs than a slowdown does: who allows ``missed`` 0.2 has 74, 34 and 17, and finds as much.
Successive pairs of one variant that are correlated by 0.1 make 0.5 false nights in 100, by 0.2 1.6, by 0.3 5.

What it comes from: giving each pair to the suspect for which most speaks (``evidence``: the rule of Cohen and
Zhao 2015, "Active hypothesis testing for anomaly detection", IEEE Transactions on Information Theory 61). Dealt
out in turn, pairs find 1 and 33 where they now find 83 and 99.6 (3 % slower; spread 3 and 1.5 %), with hopeless
suspects dropped 3 and 90. The highest upper bound, or the fewest pairs to be expected, find up to 10 less in one
column or another; Thompson's draws 16 to 36 less at 3 %.

Tried, and no better (1,000 nights or more each): the error over all variants, and all pairs judged, screening
included (alike; of five slow ones at 3 % 4 more, with five times the false nights); inverse normal combination of
both p-values, the first times the variants (up to 6 less); shares of the error by suspicion (up to 2 more at 3 %,
again five times the false nights); Holm's (0.3 more); six suspects (2 to 11 less) or twelve (up to 2 less); three
pairs of screening (as good up to 1.5 %, 2 to 6 less at 3 %) or four (7 to 15). Variances that nobody moderates find
1 to 4 less. Pairs cut off at 2.5 spreads find 77 instead of 69 under heavy tails at 3 %, nothing elsewhere, and
hide what slows a quarter of the processes by 10 %: 17 instead of 51 at 1 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from perfsuite.stats.moderated import Moderation, Variance, moderation_by

#: The least slowdown that is sought where all matters: of 24 variants whose pairs vary by 1.5 %, a night of
#: 150 pairs finds 2 % in 19 of 20 nights.
_LEAST_SOUGHT = math.log(1.02)
#: What the common variance may count for: variants whose spreads differ by a quarter have 9 (trigamma(9/2) is
#: 0.25, as 4 x 0.25^2), and a night is too short to learn more (``moderation_by``).
_MOST_FREEDOM = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NightPlan:
    """What a night is asked: ratios from ``matters`` on, and how often it may be wrong.

    ``false_alarm`` is the probability that any variant that is no slower is called regressed, ``missed`` that of
    calling unchanged a variant that is slower by what matters or more. With ``improvements`` both hold on the
    other side as well, each side by itself. ``fresh_pairs`` is how many the suspects can have together: settled
    before the first one, for the looks depend on it.
    """

    matters: float
    fresh_pairs: int
    false_alarm: float = 0.01
    missed: float = 0.05
    improvements: bool = False

    def __post_init__(self) -> None:
        if not self.matters >= 1:
            raise ValueError(f"matters is a ratio of at least 1, not {self.matters}")
        for name, error in (("false_alarm", self.false_alarm), ("missed", self.missed)):
            if not 0 < error < 1:
                raise ValueError(f"{name} is a probability between 0 and 1, not {error}")

    @property
    def bound(self) -> float:
        """The logarithm of what matters."""
        return math.log(self.matters)

    @property
    def sought(self) -> float:
        """The logarithm of the slowdown that a night spends its pairs on."""
        return max(2 * self.bound, _LEAST_SOUGHT)

    @property
    def phase_error(self) -> float:
        """The part of ``missed`` that screening may make, and again confirming, on either side."""
        return self.missed / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The log-ratios of some pairs of one variant: how many, their mean, and their squared deviations from it."""

    count: int
    mean: float
    squares: float

    @classmethod
    def of(cls, log_ratios: Sequence[float]) -> Sample:
        """A sample; the mean of none is 0."""
        count = len(log_ratios)
        mean = math.fsum(log_ratios) / count if count else 0.0
        return cls(count=count, mean=mean, squares=math.fsum((one - mean) ** 2 for one in log_ratios))


#: No pairs.
NOTHING = Sample.of(())


def variance_within(screened: Sample, fresh: Sample = NOTHING) -> Variance:
    """A variant's variance, each sample's around its own mean; without degrees of freedom where none has two pairs."""
    freedom = max(screened.count - 1, 0) + max(fresh.count - 1, 0)
    return Variance(value=(screened.squares + fresh.squares) / max(freedom, 1), freedom=float(freedom))


def night_moderation(own: Sequence[Variance]) -> Moderation:
    """What all variants of a night say of one's variance."""
    return moderation_by(own, most_freedom=_MOST_FREEDOM)


def deviation_bound(variance: Variance, count: int, error: float) -> float:
    """How far, but for this error, the mean of so many pairs exceeds the truth (Student); infinite if nobody knows."""
    from scipy.special import stdtrit  # 0.3 s to import, so only when something is judged

    if count == 0 or variance.freedom == 0:
        return math.inf
    return -float(stdtrit(variance.freedom, error)) * math.sqrt(variance.value / count)


def evidence(screened: Sample, fresh: Sample, variance: Variance, plan: NightPlan) -> float:
    """The logarithm of how much likelier a variant's pairs are if it is slower by what is sought than if it is not.

    With ``improvements`` that of the likelier of slower and faster. 0 where nothing is known.
    """
    if variance.freedom == 0:
        return 0.0
    count = screened.count + fresh.count
    total = screened.count * screened.mean + fresh.count * fresh.mean
    total = abs(total) if plan.improvements else total
    return plan.sought * (total - count * plan.sought / 2) / variance.value
