"""How wide what commands print is."""

from __future__ import annotations

import io
import sys

import pytest

from perfsuite.report.console import output_console


@pytest.mark.parametrize(
    ("columns", "force_color", "width"),
    [(None, None, 100), (None, "1", 100), ("64", None, 64), ("200", "1", 200)],
    ids=["a pipe", "a pipe in colour", "a pipe of a width", "a pipe of a width in colour"],
)
def test_a_pipe_has_100_columns_unless_somebody_says(
    columns: str | None, force_color: str | None, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("COLUMNS", columns), ("FORCE_COLOR", force_color)):
        if value is not None:
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", io.StringIO())  # with -s it is the terminal
    assert output_console().width == width
