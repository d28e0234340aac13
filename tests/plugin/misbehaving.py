"""Tiny models for real workers: a good one, and one for each way in which a worker can fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfsuite.errors import AssetError
from perfsuite.models.base import Model, Reads, Sources, Weights, Yields

if TYPE_CHECKING:
    import torch


class Tiny(Model):
    """Two layers that train nobody: what is tested is everything around them."""

    name = "tiny"
    reads = Reads.IMAGES
    yields = Yields.LOGITS

    def build(self, sources: Sources) -> torch.nn.Module:
        import torch

        return torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 7, stride=16),
            torch.nn.ReLU(),
            torch.nn.AdaptiveAvgPool2d(4),
            torch.nn.Flatten(),
            torch.nn.Linear(128, 10),
        )

    def pretrained(self, sources: Sources) -> Weights:
        raise AssetError("nobody ever trained it")


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


TINY, CRASH, HANG, GARBAGE, MEMORY, PARENT = Tiny(), Crash(), Hang(), Garbage(), Memory(), Parent()
DIES, DOUBLE, NEGATED = Faulty("dies"), Faulty("double"), Faulty("negated")
GROWS, LATE, SLOWS = Faulty("grows"), Faulty("late"), Faulty("slows")
STALLS, WRONG, WRONG_ALONE = Faulty("stalls"), Faulty("wrong"), Faulty("wrong-alone")
