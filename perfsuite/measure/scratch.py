"""A run's folder in the temporary folder: it goes when the run ends, and if that was killed, when the next one begins.

Its lock says that the run lives: the kernel frees it, whatever ends the run.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import IO

from perfsuite.measure.lock import takes

#: Of ours alone: a folder that somebody has called perfsuite-something is not to be swept.
_PREFIX = "perfsuite-run-"


class Scratch:
    """A folder of this run's own, locked until it is closed; made after those that nobody locks are removed."""

    def __init__(self) -> None:
        _sweep()
        lock = None
        while lock is None:
            # What cannot be removed, since a process is still writing there say, is swept later.
            folder = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
            lock = _locked(Path(folder.name))
            if lock is None:  # another run's sweep came in between, and took it for one that was left
                folder.cleanup()
        self._folder, self._lock = folder, lock
        self.path = Path(folder.name)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder."""
        self._folder.cleanup()
        self._lock.close()


def _sweep() -> None:
    """Remove this user's folders whose runs live no more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # what cannot be looked at stays
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                continue
            if lock := _locked(folder):
                with lock:
                    shutil.rmtree(folder, ignore_errors=True)


def _locked(folder: Path) -> IO[bytes] | None:
    """The folder's lock, held; None if another process holds it, or has removed it with the folder."""
    path = folder / "lock"
    try:
        file = path.open("ab")
    except FileNotFoundError:
        return None
    if takes(file, path):
        return file
    file.close()
    return None
