"""Tiny models for real workers: the good one, and one for each way in which a worker can fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfsuite.models.ask import Sources
from perfsuite.models.tiny import TINY, Tiny

if TYPE_CHECKING:
    import torch


class _Failing(Tiny):
    def build(self, sources: Sources) -> torch.nn.Module:
        from failing import FailingForward

        return FailingForward(self.name)


class Crash(_Failing):
    name = "crash"


class Hang(_Failing):
    name = "hang"


class Garbage(_Failing):
    name = "garbage"


class Memory(_Failing):
    name = "memory"


class Parent(_Failing):
    """Starts a process that outlives it, as Inductor's compilers may, and leaves a temporary folder."""

    name = "parent"


class Faulty(Tiny):
    """Right by itself; see ``FaultyForward`` for what it does where TORCH_FAULTY is set."""

    def __init__(self, name: str) -> None:
        self.name = name  # type: ignore[misc]

    def build(self, sources: Sources) -> torch.nn.Module:
        from failing import FaultyForward

        return FaultyForward(self.name)


__all__ = ["TINY"]

CRASH, HANG, GARBAGE, MEMORY, PARENT = Crash(), Hang(), Garbage(), Memory(), Parent()
DIES, DOUBLE, NEGATED = Faulty("dies"), Faulty("double"), Faulty("negated")
SLOW_SEAT = Faulty("slow-seat")
GROWS, LATE, SLOWS = Faulty("grows"), Faulty("late"), Faulty("slows")
STALLS, WRONG, WRONG_ALONE = Faulty("stalls"), Faulty("wrong"), Faulty("wrong-alone")
