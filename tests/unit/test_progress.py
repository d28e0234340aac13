"""The progress bar is drawn when it is told something, and by no thread: the CPUs are being timed."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from builders import VARIANT

from perfsuite.measure.clock import Clock
from perfsuite.report.progress import stepwise, within_budget


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("begin", "step"),
    [
        (lambda: stepwise(2, lambda variant, size: variant.id if variant else ""), VARIANT),
        (lambda: within_budget(Clock(60.0)), VARIANT.id),
        (lambda: within_budget(Clock(60.0), lambda text, size: text), VARIANT.id),
    ],
    ids=["steps", "time", "time-drawn"],
)
def test_a_bar_is_drawn_at_each_step_alone(
    begin: Callable[[], AbstractContextManager[Callable[[object], None]]], step: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "__stderr__", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    before = threading.active_count()
    with begin() as told:
        assert threading.active_count() == before
        assert VARIANT.id not in terminal.getvalue()
        told(step)
        drawn = terminal.getvalue()
        assert VARIANT.id in drawn
        time.sleep(0.3)  # three of the thread's turns
        assert terminal.getvalue() == drawn


def test_without_a_terminal_there_are_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = io.StringIO()
    monkeypatch.setattr(sys, "__stderr__", plain)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)
    with stepwise(2, lambda variant, size: "never drawn") as step:
        step(VARIANT)
        step(None)
    with within_budget(Clock(60.0), lambda text, size: "never drawn") as say:
        say("confirming it, pair 1")
    assert plain.getvalue() == f"measuring 1/2: {VARIANT.id}\nconfirming it, pair 1\n"
