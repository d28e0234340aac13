"""A progress bar for long measurements; plain lines where there is no terminal.

The bar is drawn when a step is told and never in between: rich's thread would do so ten times a second, on the
CPUs that are timed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfsuite.measure.clock import Clock
    from perfsuite.spec import Variant

#: Without a terminal, say where the run is this often.
_PLAIN_EVERY_S = 30.0


@contextmanager
def progress(total: int) -> Iterator[Callable[[Variant | None], None]]:
    """Yields what a campaign tells of each step: the variant that starts, None at the end."""
    console = Console(file=sys.__stderr__)
    if not console.is_terminal:
        yield _plain(total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task("measuring", total=total)
        started = 0

        def step(variant: Variant | None) -> None:
            nonlocal started
            bar.update(task, completed=started, description=variant.id if variant else "done", refresh=True)
            started += 1

        yield step


@contextmanager
def within_budget(clock: Clock) -> Iterator[Callable[[str], None]]:
    """Yields what is told each thing that is about to be done; the bar shows how much of the time is spent."""
    console = Console(file=sys.__stderr__)
    if not console.is_terminal:
        yield _plain_words()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn(f"of {clock.budget_s:.0f} s"),
    )
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task("starting", total=clock.budget_s)
        yield lambda text: bar.update(task, completed=clock.spent_s, description=text, refresh=True)


def _plain_words() -> Callable[[str], None]:
    said_s = time.monotonic() - _PLAIN_EVERY_S

    def say(text: str) -> None:
        nonlocal said_s
        if time.monotonic() - said_s >= _PLAIN_EVERY_S:
            said_s = time.monotonic()
            print(text, file=sys.__stderr__, flush=True)

    return say


def _plain(total: int) -> Callable[[Variant | None], None]:
    begun_s = time.monotonic()
    said_s = begun_s - _PLAIN_EVERY_S
    started = 0

    def step(variant: Variant | None) -> None:
        nonlocal said_s, started
        now_s = time.monotonic()
        if variant is not None and now_s - said_s >= _PLAIN_EVERY_S:
            said_s = now_s
            left = (
                f", about {(now_s - begun_s) / started * (total - started):.0f} s left" if 0 < started < total else ""
            )
            print(f"measuring {started + 1}/{total}: {variant.id}{left}", file=sys.__stderr__, flush=True)
        started += 1

    return step
