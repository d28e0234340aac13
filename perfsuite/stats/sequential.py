"""Looking at growing data more than once, and stopping when it shows enough, with the coverage that is stated.

The allowed error is spent look by look (Lan and DeMets 1983, Biometrika 70), in proportion to the
data seen (Kim and DeMets 1987, Biometrika 74, with exponent 1). Each look's interval misses the
truth with no more than its own share, so that all of them together miss it with no more than the
sum (Boole's inequality), whenever and for whatever reason one stops. The usual joint computation of
the looks would save some tenths of a width and needs normality of the whole path; this needs it of
each mean alone. Over a matrix of comparisons the allowed error is divided by their number, which
makes all the intervals of the matrix hold together (Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass

#: What a look spends of what is left when the time is over: not all, for with more time the same data may
#: grow (judgement: the interval after four pairs gets 4 % wider by it, after eight 2 %).
_LAST_SHARE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """After how many observations one looks, and how much error all looks of all comparisons may make.

    ``coverage`` is that of all intervals together: 0.95 means that with 95 % none of them misses.
    """

    counts: tuple[int, ...]
    coverage: float
    comparisons: int

    @property
    def total_error(self) -> float:
        """What all looks at one comparison may make together."""
        return (1 - self.coverage) / self.comparisons

    def error(self, count: int, spent: float) -> float | None:
        """The error that the look after ``count`` observations may make, of which ``spent`` was made before.

        None where no look is planned, and where earlier ones, when the time was over, have spent its part.
        """
        if count not in self.counts:
            return None
        left = self.total_error * count / self.counts[-1] - spent
        return left if left > 1e-6 * self.total_error else None  # else it is rounding

    def last_error(self, spent: float) -> float:
        """What a look may make when the time is over; the rest is for a run that resumes."""
        return _LAST_SHARE * (self.total_error - spent)
