"""Where a run's wall time goes beside measuring."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from perfsuite.records.chore import Chore


class Ledger:
    """Wall time by chore, in seconds; what a chore needs of another one is the other's alone."""

    def __init__(self) -> None:
        self.spent_s: dict[Chore, float] = defaultdict(float)
        self._inner_s = [0.0]

    @contextmanager
    def spending(self, chore: Chore) -> Iterator[None]:
        """All that is done inside belongs to the chore, but what belongs to another."""
        begun_s = time.perf_counter()
        self._inner_s.append(0.0)
        try:
            yield
        finally:
            whole_s = time.perf_counter() - begun_s
            self.spent_s[chore] += whole_s - self._inner_s.pop()
            self._inner_s[-1] += whole_s

    def spend(self, chore: Chore, duration_s: float) -> None:
        """Note what took so long just now."""
        self.spent_s[chore] += duration_s
        self._inner_s[-1] += duration_s
