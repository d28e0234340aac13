"""Batches of real sentences, through BERT's own WordPiece vocabulary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from perfsuite.models.ask import Ask, Role, Sources

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SENTENCES = Path(__file__).parent / "data" / "sentences.txt"


def sentences() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The sentences to measure with and those to calibrate with; no sentence is in both."""
    lines = _SENTENCES.read_text(encoding="utf-8").splitlines()
    return tuple(lines[0::2]), tuple(lines[1::2])


def token_batches(ask: Ask, sources: Sources) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids and attention mask, each of shape (count, batch, tokens).

    Item i holds as many whole sentences as fit, from sentence i on; the rest is padding. Of an uneven shape every other
    item is cut where its length ends, and the rest are padded at their left.
    """
    from tokenizers import Tokenizer

    texts = sentences()[0 if ask.role is Role.MEASURED else 1]
    batch, tokens, count = ask.shape.batch, ask.shape.tokens, ask.count
    assert tokens is not None
    tokenizer = Tokenizer.from_file(str(sources.minilm / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    pieces = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    rows = []
    for item in range(count * batch):
        row = [start]
        following = item
        is_full = ask.shape.uneven and item % 2
        while is_full or len(row) + len(pieces[following % len(pieces)]) + 1 <= tokens:
            row += pieces[following % len(pieces)]
            following += 1
            if len(row) >= tokens:
                break
        rows.append([*row[: tokens - 1], end])
    ids = np.zeros((len(rows), tokens), dtype=np.int64)
    mask = np.zeros((len(rows), tokens), dtype=np.int64)
    for index, row in enumerate(rows):
        place = slice(tokens - len(row), None) if ask.shape.uneven else slice(len(row))
        ids[index, place] = row
        mask[index, place] = 1
    return ids.reshape(count, batch, tokens), mask.reshape(count, batch, tokens)
