"""The time that measuring may still take."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Wall time since it was made, of a budget; an interrupted run before it has ``spent_s`` of that."""

    def __init__(self, budget_s: float, *, spent_s: float = 0.0) -> None:
        self._start_s = time.monotonic() - spent_s
        self.budget_s = budget_s

    @property
    def spent_s(self) -> float:
        return time.monotonic() - self._start_s

    @property
    def left_s(self) -> float:
        return max(0.0, self.budget_s - self.spent_s)

    def allows(self, duration_s: float = 0.0) -> bool:
        return self.spent_s + duration_s < self.budget_s

    def count(self, measured_s: float) -> None:
        """Told how long something was warmed up and timed; wall time passes by itself."""


class MeasuringClock(Clock):
    """Time passes while something is warmed up or timed; starting processes is free."""

    def __init__(self, budget_s: float) -> None:
        super().__init__(budget_s)
        self._measured_s = 0.0

    @property
    def spent_s(self) -> float:
        return self._measured_s

    def count(self, measured_s: float) -> None:
        self._measured_s += measured_s


#: Told what is about to be done, in words.
Say = Callable[[str], None]
