"""The time that measuring may still take."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """The time that a comparison may still take."""

    def __init__(self, budget_s: float) -> None:
        self._start_s = time.monotonic()
        self.budget_s = budget_s

    @property
    def spent_s(self) -> float:
        return time.monotonic() - self._start_s

    def allows(self, duration_s: float = 0.0) -> bool:
        return self.spent_s + duration_s < self.budget_s


#: Told what is about to be done, in words.
Say = Callable[[str], None]
