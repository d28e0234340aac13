"""The time in which several instances all run, and what each of them gets done in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """The passes of one instance, at least one, in order, on a clock that all instances share.

    ValueError if there is none, or not a duration for each start.
    """

    starts_ns: tuple[int, ...]
    latencies_ns: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.starts_ns or len(self.starts_ns) != len(self.latencies_ns):
            raise ValueError("passes need a start and a duration each, and there must be one")

    @property
    def end_ns(self) -> int:
        return self.starts_ns[-1] + self.latencies_ns[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From the latest first start to the earliest last end; ValueError if that is no time at all."""

    start_ns: int
    end_ns: int

    def __post_init__(self) -> None:
        if self.end_ns <= self.start_ns:
            raise ValueError("there is no time in which all instances ran")

    @classmethod
    def shared_by(cls, instances: Sequence[Passes]) -> Window:
        """In which all of them run; ValueError if there is none."""
        return cls(start_ns=max(one.starts_ns[0] for one in instances), end_ns=min(one.end_ns for one in instances))

    @property
    def duration_ns(self) -> int:
        return self.end_ns - self.start_ns

    def done(self, passes: Passes) -> float:
        """How many passes: of one that lies inside in part, that part.

        To count it wholly or not at all would be off by up to one pass, of the handful that a block has.
        """
        return sum(
            self._inside_ns(start_ns, latency_ns) / latency_ns
            for start_ns, latency_ns in zip(passes.starts_ns, passes.latencies_ns, strict=True)
        )

    def latencies_ns(self, passes: Passes) -> tuple[int, ...]:
        """Of every pass that lies inside, be it in part: all but the last began and ended under the load of all."""
        return tuple(
            latency_ns
            for start_ns, latency_ns in zip(passes.starts_ns, passes.latencies_ns, strict=True)
            if self._inside_ns(start_ns, latency_ns)
        )

    def _inside_ns(self, start_ns: int, latency_ns: int) -> int:
        return max(0, min(start_ns + latency_ns, self.end_ns) - max(start_ns, self.start_ns))
