"""The progress bar is drawn when it is told something, and by no thread: the CPUs are being timed."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from builders import OTHER_VARIANT, VARIANT
from test_campaign import HEADER
from test_live import night_screen

from perfsuite.measure.campaign import Journal
from perfsuite.measure.clock import Clock
from perfsuite.report.live import NightScreen
from perfsuite.report.progress import stepwise, within_budget


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("begin", "step"),
    [
        (lambda screen: stepwise(2, screen), VARIANT),
        (lambda _: within_budget(Clock(60.0)), VARIANT.id),
        (lambda _: within_budget(Clock(60.0), lambda text, size: text), VARIANT.id),
    ],
    ids=["steps", "time", "time-drawn"],
)
def test_a_bar_is_drawn_at_each_step_alone(
    begin: Callable[[NightScreen], AbstractContextManager[Callable[[object], None]]],
    step: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = night_screen(Journal.create(tmp_path, HEADER))
    terminal = _Terminal()
    monkeypatch.setattr(sys, "__stderr__", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    before = threading.active_count()
    with begin(screen) as told:
        assert threading.active_count() == before
        assert VARIANT.id not in terminal.getvalue()
        told(step)
        drawn = terminal.getvalue()
        assert VARIANT.id in drawn
        time.sleep(0.3)  # three of the thread's turns
        assert terminal.getvalue() == drawn


def test_without_a_terminal_there_are_plain_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = io.StringIO()
    monkeypatch.setattr(sys, "__stderr__", plain)
    monkeypatch.setattr("perfsuite.report.progress._PLAIN_EVERY_S", 0.0)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)
    with stepwise(2, night_screen(Journal.create(tmp_path, HEADER))) as step:
        for variant in (VARIANT, OTHER_VARIANT, VARIANT, None):
            step(variant)
    with within_budget(Clock(60.0), lambda text, size: "never drawn") as say:
        say("confirming it, pair 1")
    left = "about 48 s left to measure, then at most 3 min to confirm"
    assert plain.getvalue().splitlines() == [
        f"measuring 1/2: {VARIANT.id}; {left}",
        f"measuring 2/2: {OTHER_VARIANT.id}; {left}",
        f"measuring again: {VARIANT.id}; {left}",
        "confirming it, pair 1",
    ]
