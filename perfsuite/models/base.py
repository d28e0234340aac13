"""What a model must say of itself. Imports no torch: the matrix is listed without it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from perfsuite.spec import Shape, Workload

if TYPE_CHECKING:
    import torch


class Reads(StrEnum):
    """What a model's inputs are made of."""

    IMAGES = "images"
    TEXT = "text"


class Yields(StrEnum):
    """What a model's output means, and so how two outputs are compared."""

    LOGITS = "logits"  # (batch, classes)
    TOKENS = "tokens"  # (batch, tokens, features)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Folders of real data that perfsuite fetched; see ``perfsuite.measure.packages``."""

    photographs: Path
    minilm: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A state dict and where it came from, in words."""

    state: dict[str, torch.Tensor]
    origin: str


class Model(ABC):
    """A network, its inputs, its weights. Every method that needs torch imports it itself."""

    name: ClassVar[str]
    reads: ClassVar[Reads]
    yields: ClassVar[Yields]
    #: What ``build`` imports: launchers import it once for all their workers.
    imports: ClassVar[tuple[str, ...]] = ()

    def shape(self, workload: Workload) -> Shape:
        return workload.images if self.reads is Reads.IMAGES else workload.text

    @abstractmethod
    def build(self, sources: Sources) -> torch.nn.Module:
        """The architecture, its weights not yet set."""

    @abstractmethod
    def pretrained(self, sources: Sources) -> Weights:
        """Published weights from a package, the local cache or the network.

        Raises AssetError, with the reason, where none of them has them.
        """

    def adjust_seeded(self, module: torch.nn.Module) -> None:  # noqa: B027  most models need none
        """Change what makes seeded weights unlike trained ones; nothing, for most models."""
