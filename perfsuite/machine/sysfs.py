"""Reading what the kernel shows under /proc and /sys."""

from __future__ import annotations

from pathlib import Path


def text_of(path: Path) -> str:
    """The stripped text of a kernel file; empty where this machine lacks it or a sandbox refuses it."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def parse_cpu_list(text: str) -> tuple[int, ...]:
    """The numbers of a kernel cpu list such as `0-3,8`."""
    numbers: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return tuple(numbers)
