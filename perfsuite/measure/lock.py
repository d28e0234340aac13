"""One timing run on a machine at a time, whoever's: two would disturb each other, and neither would know."""

from __future__ import annotations

import os
import pwd
import shlex
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
from filelock import lock_descriptor

from perfsuite.errors import MachineBusyError, PerfsuiteError

_NAME = "perfsuite-machine.lock"
#: Containers of one machine see each other's runs where it names a folder that they share.
_FOLDER_VARIABLE = "PERFSUITE_LOCK_FOLDER"
#: Not TMPDIR, which is often each user's own.
_FOLDER = "/tmp"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder:
    """Who times. It stands in the lock file: filelock's FileLock would truncate that, and refuses another user's."""

    pid: int
    user: str
    purpose: str
    command: str
    #: ISO 8601, local time.
    since: str


@contextmanager
def machine_lock(purpose: str) -> Iterator[None]:
    """Hold the machine while inside; MachineBusyError, which names the holder, if somebody else does.

    The kernel frees the lock of a process that dies; what it had written of itself then says nothing.
    """
    path = Path(os.environ.get(_FOLDER_VARIABLE) or _FOLDER) / _NAME
    try:
        file = _opened(path)
    except OSError as error:
        raise PerfsuiteError(
            f"{path}, which keeps timing runs apart, cannot be opened ({error.strerror}); "
            f"name a folder where it can in {_FOLDER_VARIABLE}"
        ) from error
    with file:
        if not takes(file, path):
            raise MachineBusyError(_busy(file, purpose))
        _write(file, msgspec.json.encode(_this_process(purpose)))
        try:
            yield
        finally:
            _write(file, b"")


def takes(file: IO[bytes], path: Path) -> bool:
    """Lock the open file; False if another process holds it, or has removed it from its path."""
    with suppress(FileNotFoundError):
        return lock_descriptor(file.fileno(), blocking=False) and os.path.samestat(
            os.fstat(file.fileno()), path.lstat()
        )
    return False


def _opened(path: Path) -> IO[bytes]:
    """The lock file, made if need be; every user may write to it, of none is more than a plain file expected."""
    cautious = os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        # Where fs.protected_regular is set, O_CREAT alone fails on another user's file.
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | cautious, 0o666)
        os.fchmod(fd, 0o666)  # whatever the umask
    except FileExistsError:
        try:
            fd = os.open(path, os.O_RDWR | cautious)
        except PermissionError:  # it can be locked, and says nothing of who does
            fd = os.open(path, os.O_RDONLY | cautious)
    return os.fdopen(fd, "rb", buffering=0)


def _write(file: IO[bytes], content: bytes) -> None:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:  # somebody's trap for what we overwrite
        return
    with suppress(OSError):  # who holds the lock is a courtesy; that it is held is not
        os.ftruncate(file.fileno(), 0)
        os.pwrite(file.fileno(), content, 0)


def _this_process(purpose: str) -> _Holder:
    uid = os.geteuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:  # as in a container
        user = str(uid)
    return _Holder(
        pid=os.getpid(),
        user=user,
        purpose=purpose,
        command=shlex.join((Path(sys.argv[0]).name, *sys.argv[1:])),
        since=datetime.now().astimezone().isoformat(sep=" ", timespec="seconds"),
    )


def _busy(file: IO[bytes], purpose: str) -> str:
    why = f"{purpose}: another run times on this machine, and each would disturb the other"
    holder = _holder(file)
    if holder is None:
        return f"{why}; which one is not known; start again when it has ended"
    command = "".join(character if character.isprintable() else "?" for character in holder.command)
    return (
        f"{why}: {holder.purpose} (process {holder.pid} of {holder.user}, since {holder.since}: {command}); "
        f"start again when it has ended, or end it with `kill {holder.pid}`"
    )


def _holder(file: IO[bytes]) -> _Holder | None:
    """None if the file names nobody, or somebody who has died and left the lock to one not yet written down."""
    try:
        holder = msgspec.json.decode(os.pread(file.fileno(), 1 << 16, 0), type=_Holder)
        os.kill(holder.pid, 0)
    except PermissionError:  # another user's process, and alive
        return holder
    except (msgspec.MsgspecError, OSError, OverflowError):
        return None
    return holder
