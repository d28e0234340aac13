"""Copied as a project's conftest.py: stderr is a terminal, and when it is drawn and when a block is timed is kept."""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from perfsuite.measure.crew import Crew
from perfsuite.records.measurement import Block

_FILE = Path("terminal.json")
#: What happened, when, and which threads there were.
_events: list[tuple[str, int, int]] = []


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        _keep("drawn")
        return super().write(text)


def _keep(what: str) -> None:
    _events.append((what, time.perf_counter_ns(), threading.active_count()))


_terminal = _Terminal()
_block = Crew.block


def _timed_block(self: Crew, **how: Any) -> Block:
    _keep("begin")
    try:
        return _block(self, **how)
    finally:
        _keep("end")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    setattr(sys, "__stderr__", _terminal)  # noqa: B010
    Crew.block = _timed_block  # type: ignore[method-assign]


def pytest_unconfigure() -> None:
    _FILE.write_text(json.dumps({"events": _events, "drawn": _terminal.getvalue()}))
