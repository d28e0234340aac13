"""Two layers, for what is tested around models: not one of ``MODELS``, a project names it in its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfsuite.errors import AssetError
from perfsuite.models.base import Model, Reads, Sources, Weights, Yields

if TYPE_CHECKING:
    import torch


class Tiny(Model):
    """It trains nobody, and one forward pass takes 0.1 ms."""

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


TINY = Tiny()
