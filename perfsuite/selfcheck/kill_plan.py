"""Whom to kill, by what and when: at random, and the same for the same seed."""

from __future__ import annotations

import dataclasses
import random
import signal
from dataclasses import dataclass
from enum import StrEnum


class Target(StrEnum):
    """Which process is killed."""

    PYTEST = "pytest"
    LAUNCHER = "launcher"
    WORKER = "worker"


#: All of a kind come equally often. SIGINT is Ctrl-C, SIGTERM what a CI service ends a job with.
_KINDS = (
    (Target.PYTEST, signal.SIGKILL),
    (Target.PYTEST, signal.SIGTERM),
    (Target.PYTEST, signal.SIGINT),
    (Target.LAUNCHER, signal.SIGKILL),
    (Target.WORKER, signal.SIGKILL),
)
#: How many kills meet the run that resumes the one before.
_AGAIN = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Whom by what, and when: after a share of the lines that the run will write, and a share of a line's time."""

    target: Target
    signal: signal.Signals
    lines_share: float
    delay_share: float
    #: Whether the run that resumes is killed as well, by the next one.
    again: bool

    @property
    def earlier(self) -> Kill:
        return dataclasses.replace(self, lines_share=self.lines_share / 2, delay_share=self.delay_share / 2)


def planned(count: int, seed: int) -> list[Kill]:
    """So many kills, the same ones for the same seed."""
    chance = random.Random(seed)
    kinds = [_KINDS[number % len(_KINDS)] for number in range(count)]
    chance.shuffle(kinds)
    return [
        Kill(
            target=target,
            signal=how,
            lines_share=chance.random(),
            delay_share=chance.random(),
            again=chance.random() < _AGAIN,
        )
        for target, how in kinds
    ]
