"""Batches of real sentences, through BERT's own WordPiece vocabulary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from perfsuite.models.base import Sources

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SENTENCES = Path(__file__).parent / "data" / "sentences.txt"


def sentences() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The sentences to measure with and those to calibrate with; no sentence is in both."""
    lines = _SENTENCES.read_text(encoding="utf-8").splitlines()
    return tuple(lines[0::2]), tuple(lines[1::2])


def token_batches(
    sources: Sources, texts: tuple[str, ...], *, batch: int, tokens: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids and attention mask, each of shape (count, batch, tokens).

    Item i holds as many whole sentences as fit, from sentence i on; the rest is padding.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(sources.minilm / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    pieces = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    rows = []
    for item in range(count * batch):
        row = [start]
        following = item
        while len(row) + len(pieces[following % len(pieces)]) + 1 <= tokens:
            row += pieces[following % len(pieces)]
            following += 1
        rows.append([*row, end])
    ids = np.zeros((len(rows), tokens), dtype=np.int64)
    mask = np.zeros((len(rows), tokens), dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return ids.reshape(count, batch, tokens), mask.reshape(count, batch, tokens)
