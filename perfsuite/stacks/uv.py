"""Running uv: its progress where there is a terminal, and its reason, in short, where it fails."""

from __future__ import annotations

import ctypes
import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import termios
from collections.abc import Sequence
from pathlib import Path

from uv import find_uv_bin

from perfsuite.measure.environment import cache_folder

#: Would change what is installed, from outside the stack's definition. Indexes, caches and proxies stay the user's.
_MEDDLING = (
    "UV_TORCH_BACKEND", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_REQUIRE_HASHES", "UV_RESOLUTION",
    "UV_PRERELEASE", "UV_SYSTEM_PYTHON", "UV_VENV_SEED",
)  # fmt: skip
_PR_SET_PDEATHSIG = 1  # Linux, include/uapi/linux/prctl.h
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# A failed build prints its whole log: the first lines name the package, the last the cause.
_FIRST_LINES, _LAST_LINES = 6, 6


class UvError(Exception):
    """uv failed; the message is its reason, shortened."""


def run_uv(
    arguments: Sequence[str], *, cwd: Path, stdin: str = "", keep_fds: Sequence[int] = (), quiet: bool = False
) -> str:
    """What uv prints to stdout; UvError if it fails.

    uv dies with this process. It holds ``keep_fds`` open, and with them a lock, for as long as it lives.
    """
    command = [find_uv_bin(), "--project", str(_neutral_project()), "--color", "never", *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in _MEDDLING}
    on_terminal = not quiet and sys.__stderr__ is not None and sys.__stderr__.isatty()
    reader, writer = _terminal_like(sys.__stderr__.fileno()) if on_terminal and sys.__stderr__ else os.pipe()
    libc = ctypes.CDLL(None)
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed, open(reader, "rb", 0) as said:
        given.write(stdin.encode())
        given.seek(0)
        try:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=given,
                stdout=printed,
                stderr=writer,
                pass_fds=keep_fds,
                preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
            )
        finally:
            os.close(writer)
        heard = bytearray()
        try:
            for piece in iter(lambda: _read(said.fileno()), b""):
                heard += piece
                if on_terminal and sys.__stderr__:
                    sys.__stderr__.buffer.write(piece)
                    sys.__stderr__.flush()
            process.wait()
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            raise UvError(_reason(heard.decode(errors="replace")) or f"uv ended with status {process.returncode}")
        printed.seek(0)
        return printed.read().decode()


def _neutral_project() -> Path:
    """A folder whose empty uv.toml is the nearest that uv finds: constraints in [tool.uv] of the project around
    are not the stack's. The user's own uv.toml still holds."""
    folder = cache_folder().absolute() / "stacks"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "uv.toml").touch()
    return folder


def _terminal_like(terminal_fd: int) -> tuple[int, int]:
    """A terminal of the same size, so that uv draws its progress and we still hear what it says."""
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, fcntl.ioctl(terminal_fd, termios.TIOCGWINSZ, bytes(8)))
    return reader, writer


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 1 << 16)
    except OSError:  # EIO: how a terminal whose other side is closed ends
        return b""


def _reason(said: str) -> str:
    """uv's error without what it said before, and without the middle of a long log."""
    lines = [line.rstrip() for line in _ESCAPES.sub("", said).splitlines() if line.strip()]
    first = next((number for number, line in enumerate(lines) if line.startswith("error:")), 0)
    lines = [re.sub(r"^\s*(error|cause): ", "", line) for line in lines[first:]]
    if len(lines) > _FIRST_LINES + _LAST_LINES:
        lines[_FIRST_LINES:-_LAST_LINES] = ["..."]
    return "\n".join(lines)
