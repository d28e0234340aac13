"""Where built stacks are kept: one folder each in the user's cache, its completion record, one lock for each name."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from filelock import lock_descriptor

from perfsuite.errors import StackError
from perfsuite.measure.environment import cache_folder
from perfsuite.stacks.definitions import StackDefinition, pinned_text

_RECORD = "built.json"
_FOLDER = re.compile(r"(.+)-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The completion record: written last, so that a folder without one is an interrupted build."""

    python: str
    python_version: str
    packages: dict[str, str]
    torch_backend: str | None
    size_bytes: int
    build_s: float
    #: ISO 8601, UTC.
    built_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Bytes under a folder; ``shared_bytes`` of them are hard links, to uv's cache or other stacks."""

    size_bytes: int
    shared_bytes: int


def stacks_folder() -> Path:
    return cache_folder().absolute() / "stacks"


def stack_folder(definition: StackDefinition, torch_backend: str | None) -> Path:
    """The folder of this very definition: other pins, Python or torch backend have another."""
    # Wheels of another torch backend have other hashes and versions than those pinned.
    pinned = pinned_text(definition) if torch_backend is None else None
    parts = (
        pinned if pinned is not None else "\n".join(definition.requirements),
        definition.python or f"{sys.version_info.major}.{sys.version_info.minor}",
        torch_backend or "",
    )
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
    return stacks_folder() / f"{definition.name}-{digest}"


def kept_folders() -> list[tuple[str, Path]]:
    """Every stack folder there is, whatever its state, with the name of its stack."""
    if not stacks_folder().is_dir():
        return []
    found = ((_FOLDER.fullmatch(path.name), path) for path in sorted(stacks_folder().iterdir()) if path.is_dir())
    return [(match.group(1), path) for match, path in found if match]


def read_record(folder: Path) -> Built | None:
    """None unless the folder holds a whole stack, its interpreter included."""
    try:
        record = msgspec.json.decode((folder / _RECORD).read_bytes(), type=Built)
    except (OSError, msgspec.MsgspecError):
        return None
    return record if os.access(record.python, os.X_OK) else None


def write_record(folder: Path, record: Built) -> None:
    partial = folder / f"{_RECORD}.partial"
    with partial.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(record), indent=1))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / _RECORD)


def discard(folder: Path) -> Usage:
    """Remove a stack's folder, its record first; returns what it took. StackError while a process runs in it."""
    if running := _running_in(folder):
        raise StackError(f"{folder.name} is in use by process {', '.join(map(str, running))}: let it end first")
    used = usage(folder)
    (folder / _RECORD).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=not folder.exists())
    return used


def _running_in(folder: Path) -> list[int]:
    """The processes that were started with an interpreter of the folder, and those forked from them."""
    start = os.fsencode(folder) + b"/"
    found = []
    for command_line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            if command_line.read_bytes().startswith(start):
                found.append(int(command_line.parent.name))
    return sorted(found)


def usage(folder: Path) -> Usage:
    """What a folder takes on disk, as du counts it."""
    size_bytes = shared_bytes = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            status = os.lstat(os.path.join(parent, name))
            size_bytes += status.st_blocks * 512  # st_blocks counts 512 bytes, whatever the file system's block
            if status.st_nlink > 1:
                shared_bytes += status.st_blocks * 512
    return Usage(size_bytes=size_bytes, shared_bytes=shared_bytes)


@contextmanager
def stack_lock(name: str, say: Callable[[str], None]) -> Iterator[int]:
    """Only one process at a time builds or removes a stack; the kernel frees the lock of one that dies.

    Yields the lock's descriptor: a child that inherits it holds the lock too, until it ends.
    """
    stacks_folder().mkdir(parents=True, exist_ok=True)
    with _lock_file(name).open("w") as file:
        if not lock_descriptor(file.fileno(), blocking=False):
            say(f"stack {name}: another process is building or removing it; waiting for that to end")
            lock_descriptor(file.fileno())
        yield file.fileno()


def is_locked(name: str) -> bool:
    """Whether some process builds or removes the stack right now."""
    try:
        with _lock_file(name).open() as file:
            # Shared, which filelock's native locks never are: two that look at once must not see each other.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _lock_file(name: str) -> Path:
    return stacks_folder() / f"{name}.lock"
