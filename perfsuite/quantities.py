"""Shares, times and files as users write them on a command line: 2%, 90s, 1h30m."""

from __future__ import annotations

import os
import re
from argparse import ArgumentTypeError
from pathlib import Path


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


#: How a page's name may end.
HTML = (".html", ".htm")


def output(text: str) -> Path:
    """A file that can be written, found out before anything is measured for it; ArgumentTypeError if it cannot."""
    path = Path(text)
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"{text}: there is no folder {path.parent}")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ArgumentTypeError(f"{text} cannot be written")
    return path.absolute()


def html_output(text: str) -> Path:
    """The same, of a page."""
    if Path(text).suffix not in HTML:
        raise ArgumentTypeError(f"{text}: a page is a file that ends in {' or '.join(HTML)}")
    return output(text)


def part(text: str) -> tuple[int, int]:
    """Number and count of a shard, as 2/5; ArgumentTypeError, with what to give, for what is none."""
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count:
        raise ArgumentTypeError(f"{text} is no shard: give 2/5 for the second of five")
    return number, count
