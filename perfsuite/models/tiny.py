"""Two layers, for what is tested around models: not one of ``MODELS``, a project names it in its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfsuite.models.ask import Sources
from perfsuite.models.base import Images, Yields

if TYPE_CHECKING:
    import torch


class Tiny(Images):
    """It trains nobody, and one forward pass takes 0.1 ms."""

    name = "tiny"
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


TINY = Tiny()
