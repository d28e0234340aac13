"""What a model must say of itself. Imports no torch: the matrix is listed without it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from perfsuite.models.ask import Ask, Sources
from perfsuite.spec import Precision, Shape, Workload

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[np.float32]]


class Reads(StrEnum):
    """What a model's inputs are made of, and so what its work is: backends and expectations go by it."""

    IMAGES = "images"  # convolutions, laid out channels-last
    TEXT = "text"  # linear layers over tokens
    TENSORS = "tensors"  # anything else, mostly linear layers


class Yields(StrEnum):
    """What an output means, and so how two of them are compared."""

    LOGITS = "logits"  # (batch, classes): the highest decides
    SCORES = "scores"  # (batch, ...): numbers as such, a regression's
    TOKENS = "tokens"  # (batch, tokens, features): a sample's tokens are added up, and its nearest other decides
    EMBEDDINGS = "embeddings"  # (batch, features): the nearest other decides
    BOXES = "boxes"  # (batch, boxes, 4): left, top, right, bottom; each that overlaps its FP32 by half stays
    FIGURES = "figures"  # whatever ``Model.figures`` makes of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A state dict that fits what ``build`` makes, and where it came from, in words."""

    state: Mapping[str, torch.Tensor]
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of the model's own, how right an answer is, and the least and the most that it may be."""

    name: str
    value: float
    least: float | None = None
    most: float | None = None


class Model(ABC):
    """A network, its inputs, its weights. Every method that needs torch imports it itself."""

    name: ClassVar[str]
    reads: ClassVar[Reads]
    #: Of its outputs: one meaning for all, or one for each name, the others being SCORES. An output is named as its
    #: field or its key, or by its place (0, 1, ...), and those inside others with dots: ``hidden_states.3``.
    yields: ClassVar[Yields | Mapping[str, Yields]]
    #: The name of the input, (batch, tokens), that is 0 where an output's tokens are nobody's answer; none if empty.
    mask: ClassVar[str] = ""
    #: What ``build`` imports: launchers import it once for all their workers.
    imports: ClassVar[tuple[str, ...]] = ()
    #: What weights and inputs are made from beside code, a checkpoint say: paths from the folder of the model's file.
    files: ClassVar[tuple[str, ...]] = ()

    def shapes(self, workload: Workload) -> tuple[Shape, ...]:
        """The shapes that the workload has it run at, in turn; none if it cannot."""
        return workload.images if self.reads is Reads.IMAGES else workload.text

    @abstractmethod
    def build(self, sources: Sources) -> torch.nn.Module:
        """The architecture, its weights not yet set. It returns tensors in tuples, lists, mappings or dataclasses."""

    @abstractmethod
    def inputs(self, ask: Ask, sources: Sources) -> Sequence[Any]:
        """A batch for each call: a tuple of positional arguments, a mapping of keyword arguments, or one tensor.

        Arguments are tensors or numpy's arrays, plain values that are the same in all batches, or lists, tuples and
        mappings of these.
        """

    def weights(self, sources: Sources) -> Weights | None:
        """A checkpoint's weights, a package's, what ``build`` initialised; None: perfsuite draws them.

        Raises AssetError, with the reason, where they cannot be had here: then perfsuite draws them too. Those in
        half precision are kept so, and computed with as the variant's precision says.
        """
        return None

    def adjust_seeded(self, module: torch.nn.Module) -> None:  # noqa: B027  most models need none
        """Change what makes seeded weights unlike trained ones; nothing, for most models."""

    def figures(self, reference: Arrays, answer: Arrays, precision: Precision) -> Iterable[Figure]:
        """How right ``answer`` is, held against FP32's, by the outputs' names; each (inputs, batch, ...)."""
        return ()


class Images(Model):
    """A model of perfsuite's photographs: one argument, (batch, 3, pixels, pixels), normalised as ImageNet's are."""

    reads = Reads.IMAGES

    def inputs(self, ask: Ask, sources: Sources) -> Sequence[Any]:
        from perfsuite.models.images import image_batches

        return list(image_batches(ask, sources))


class Sentences(Model):
    """A model of perfsuite's sentences: ``input_ids`` and ``attention_mask``, (batch, tokens), by BERT's vocabulary."""

    reads = Reads.TEXT
    mask = "attention_mask"

    def inputs(self, ask: Ask, sources: Sources) -> Sequence[Any]:
        from perfsuite.models.text import token_batches

        ids, masks = token_batches(ask, sources)
        return [{"input_ids": ids[n], "attention_mask": masks[n]} for n in range(ask.count)]
