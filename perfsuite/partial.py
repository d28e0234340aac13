"""Where a file is made that is to take another's place in one step."""

from __future__ import annotations

import glob
import os
import shutil
from pathlib import Path


def partial_of(path: Path) -> Path:
    """The name beside ``path`` under which this process makes what it then renames to ``path``.

    What processes that were killed left there of this kind, which the ending tells, is removed.
    """
    for left in path.parent.glob(f".*{glob.escape(path.suffix)}.*"):
        maker = left.name.rpartition(".")[2]
        if not maker.isdecimal() or (maker != str(os.getpid()) and Path("/proc", maker).exists()):
            continue
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
    return path.with_name(f".{path.name}.{os.getpid()}")
