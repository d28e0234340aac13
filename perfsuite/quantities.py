"""Shares and times as users write them on a command line: 2%, 90s, 1h30m."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError


def share(text: str) -> float:
    """A part of 1; ArgumentTypeError, with what to give, unless it lies between 0 and 1."""
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise ArgumentTypeError(f"{text} is not between 0 and 100 %: give 2% or 0.02")
    return number


def seconds(text: str) -> float:
    """ArgumentTypeError, with what to give, for what is no time."""
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text)
    if not parts or not any(parts.groups()):
        raise ArgumentTypeError(f"{text} is no time: give 90s, 20m or 1h30m")
    hours, minutes, rest = (int(part or 0) for part in parts.groups())
    return hours * 3600.0 + minutes * 60.0 + rest
