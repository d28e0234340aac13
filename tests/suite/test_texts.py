"""Batches of sentences: padded at one end or the other, or full."""

import numpy as np
import pytest

pytest.importorskip("tokenizers")  # with --stack, the interpreter that runs pytest may do without
from perfsuite.measure.packages import fetch_sources
from perfsuite.models.ask import Ask, Role
from perfsuite.models.text import token_batches
from perfsuite.spec import Shape

PADDING, START, END = 0, 101, 102


@pytest.mark.parametrize(("tokens", "batch"), [(16, 1), (37, 3), (128, 1), (64, 8)])
def test_an_uneven_batch_has_full_rows_and_rows_padded_at_their_left(tokens: int, batch: int) -> None:
    ask = Ask(role=Role.MEASURED, shape=Shape(batch=batch, tokens=tokens, uneven=True), count=4)
    ids, masks = (part.reshape(-1, tokens) for part in token_batches(ask, fetch_sources()))
    assert len(ids) == 4 * batch
    lengths = masks.sum(axis=1)
    assert (lengths[1::2] == tokens).all()
    assert (lengths[0::2] < tokens).any()
    for row, mask, length in zip(ids, masks, lengths, strict=True):
        assert np.array_equal(mask, np.arange(tokens) >= tokens - length)
        assert np.array_equal(row != PADDING, mask == 1)
        assert (row[tokens - length], row[-1]) == (START, END)


def test_an_even_batch_is_padded_at_its_right_and_holds_whole_sentences() -> None:
    ask = Ask(role=Role.CALIBRATION, shape=Shape(batch=4, tokens=32), count=1)
    ids, masks = (part[0] for part in token_batches(ask, fetch_sources()))
    assert (np.diff(masks, axis=1) <= 0).all()
    assert all(row[mask.sum() - 1] == END for row, mask in zip(ids, masks, strict=True))


def test_other_roles_and_shapes_draw_otherwise() -> None:
    asks = [
        Ask(role=role, shape=Shape(batch=batch, tokens=tokens), count=1)
        for role in Role for batch in (1, 3) for tokens in (16, 37)
    ]  # fmt: skip
    assert len({ask.seed for ask in asks}) == len(asks)
    assert asks[0].seed == Ask(role=Role.MEASURED, shape=Shape(batch=1, tokens=16), count=7).seed
