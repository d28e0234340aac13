"""What long measurements show while they run; plain lines where there is no terminal.

It is drawn when a step is told and never in between: rich's thread would do so several times a second, on the CPUs
that are timed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from perfsuite.report.live import NightScreen, Size

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfsuite.measure.clock import Clock
    from perfsuite.spec import Variant

#: Without a terminal, say where the run is this often.
_PLAIN_EVERY_S = 30.0


@contextmanager
def stepwise(total: int, screen: NightScreen) -> Iterator[Callable[[Variant | None], None]]:
    """Yields what a campaign tells of each step: the variant that starts, None at the end.

    ``total`` steps are planned; what follows them are measured again.
    """
    console = Console(file=sys.__stderr__)
    if not console.is_terminal:
        yield _plain(total, screen)
        return
    with _screen(console) as show:
        yield lambda variant: show(lambda size: screen.measuring(variant, size))


@contextmanager
def within_budget(
    clock: Clock, draw: Callable[[str, Size], RenderableType] | None = None
) -> Iterator[Callable[[str], None]]:
    """Yields what is told each thing that is about to be done; by default a bar shows how much of the time is spent."""
    console = Console(file=sys.__stderr__)
    if not console.is_terminal:
        yield _plain_words()
    elif draw:
        with _screen(console) as show:
            yield lambda text: show(lambda size: draw(text, size))
    else:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn(f"of {clock.budget_s:.0f} s"),
        )
        with Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
            task = bar.add_task("starting", total=clock.budget_s)
            yield lambda text: bar.update(task, completed=clock.spent_s, description=text, refresh=True)


@contextmanager
def _screen(console: Console) -> Iterator[Callable[[Callable[[Size], RenderableType]], None]]:
    """Yields what draws, in the place of what was drawn before; at the end nothing of it is left."""
    with Live(console=console, transient=True, auto_refresh=False) as live:
        yield lambda draw: live.update(draw(Size(width=console.width, height=console.height)), refresh=True)


def _plain_words() -> Callable[[str], None]:
    said_s = time.monotonic() - _PLAIN_EVERY_S

    def say(text: str) -> None:
        nonlocal said_s
        if time.monotonic() - said_s >= _PLAIN_EVERY_S:
            said_s = time.monotonic()
            print(text, file=sys.__stderr__, flush=True)

    return say


def _plain(total: int, screen: NightScreen) -> Callable[[Variant | None], None]:
    said_s = time.monotonic() - _PLAIN_EVERY_S
    started = 0

    def step(variant: Variant | None) -> None:
        nonlocal said_s, started
        now_s = time.monotonic()
        if variant is not None and now_s - said_s >= _PLAIN_EVERY_S:
            said_s = now_s
            place = f"{started + 1}/{total}" if started < total else "again"
            print(f"measuring {place}: {variant.id}; {screen.left()}", file=sys.__stderr__, flush=True)
        started += 1

    return step
