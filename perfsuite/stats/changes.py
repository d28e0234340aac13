"""Where a series of values of one variant, over nights or versions, goes to a new level and stays there."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: Fewer values in a row are no level. Judgement: spikes come alone or in twos, and a real step is to be told soon.
SHORTEST_LEVEL = 5
#: Values seen at once to tell a spike from its neighbours, odd: two in a row are outvoted wherever they stand.
NEIGHBOURS = 7
#: From so many standard deviations off its neighbours' median on a value is a spike: Hampel's identifier.
SPIKE_DEVIATIONS = 3.0
#: A normal distribution's standard deviation in median absolute deviations, 1 / Φ⁻¹(3/4).
DEVIATIONS_PER_MAD = 1.4826
#: What a change must save of the squares of standardised values, in logarithms of their count: the 3 of Zhang and
#: Siegmund's modified BIC (2007). Yao's 2 (1988) finds a change in 12 % of quiet series of 60 values, 3 in 4 %.
PENALTY_LOGARITHMS = 3.0


def change_points(values: Sequence[float], *, ratios: bool = True, least_noise: float = 0.001) -> tuple[int, ...]:
    """Indices of the first value of each new level, ascending and never 0; values are oldest first.

    With ratios the logarithms of values are searched (latencies, bytes), without the values themselves (dB).
    least_noise, above 0, is the standard deviation that even values which all agree are taken to have: a ratio less 1,
    or in the unit of values. A spike of one or two values is no level; a slow drift is told as a stair of a few.
    Of fewer than ten values there are none. ValueError of values that are not finite, or not above 0 with ratios.
    """
    import numpy as np

    series = np.asarray(values, dtype=np.float64)
    if not np.isfinite(series).all() or (ratios and (series <= 0).any()):
        raise ValueError(f"change points need finite values{', above 0' if ratios else ''}")
    if len(series) < 2 * SHORTEST_LEVEL:
        return ()
    if ratios:
        series = np.log(series)
    # About 0, not about their median: of few distinct differences more than half may agree and yet not be 0.
    deviation = float(np.median(np.abs(np.diff(series))))
    noise = max(DEVIATIONS_PER_MAD * deviation / math.sqrt(2), least_noise)
    series = (series - np.median(series)) / noise
    medians = np.median(np.lib.stride_tricks.sliding_window_view(series, NEIGHBOURS), axis=1)
    usual = np.pad(medians, NEIGHBOURS // 2, mode="edge")
    calm = np.where(np.abs(series - usual) > SPIKE_DEVIATIONS, usual, series)

    from ruptures import KernelCPD

    search = KernelCPD(kernel="linear", min_size=SHORTEST_LEVEL).fit(calm.reshape(-1, 1))
    return tuple(int(index) for index in search.predict(pen=PENALTY_LOGARITHMS * math.log(len(calm)))[:-1])
