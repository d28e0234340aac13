"""A PostgreSQL of a test run's own, if Debian's package or another is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Where Debian has programs of several versions.
_DEBIAN = Path("/usr/lib/postgresql")


def programs() -> Path | None:
    """The folder that initdb and pg_ctl are in; None where there are none."""
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    there = str(found[-1]) if found else shutil.which("initdb")
    return Path(there).parent if there else None


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The address of an empty database; the server listens in the folder alone, and is gone afterwards.

    It refuses to run as root: then it is the system's user ``postgres``.
    """
    where = programs()
    assert where is not None
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    def run(program: str, *arguments: str) -> None:
        # Its output is not a pipe: the server that pg_ctl leaves would hold it open.
        with (folder / "log").open("a") as log:
            command = [*as_user, str(where / program), *arguments]
            subprocess.run(command, check=True, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder)

    data = str(folder / "data")
    run("initdb", "-D", data, "-U", "somebody", "--auth", "trust", "--no-sync")
    run("pg_ctl", "-D", data, "-w", "-o", f"-c listen_addresses= -k {folder} -F", "-l", str(folder / "server"), "start")
    try:
        yield f"postgresql://somebody:secret@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
