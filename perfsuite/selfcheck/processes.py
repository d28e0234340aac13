"""The processes that live on this machine, as /proc has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One that runs, sleeps or is stopped; its parent and the leader of its session are process numbers."""

    pid: int
    parent: int
    session: int
    command: str


def living() -> Iterator[Process]:
    """Every process that has not ended."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (found := _process(folder)):
            yield found


def _process(folder: Path) -> Process | None:
    """None for one that has ended, whether or not anybody has waited for it."""
    try:
        state, parent, _, session, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return None
    if state in "ZX":
        return None
    return Process(pid=int(folder.name), parent=int(parent), session=int(session), command=command)


def of_run(mark: str, sessions: frozenset[int] = frozenset()) -> list[Process]:
    """Those with the variable ``mark``, NAME=VALUE, in their environment, and those of the sessions."""
    return [one for one in living() if one.session in sessions or _is_marked(one.pid, mark.encode())]


def _is_marked(pid: int, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is another user's
        return False
