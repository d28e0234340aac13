"""A digest of each installed package's files: what tells whether a stack that was built again is the same."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from perfsuite.errors import StackError

#: As in ``stack``: any Python since 3.8 can say this, and the last line is the answer.
_ASK = """
import json
from importlib import metadata
found = [
    (one.metadata["Name"], one.read_text("RECORD"), one.read_text("direct_url.json"))
    for one in metadata.distributions()
]
print()
print(json.dumps(found))
"""
_TIMEOUT_S = 60.0  # 0.4 s of torch and ipex when the disk's cache is warm; the rest is for a cold disk
_DIGITS = 16  # 64 bits: of a thousand packages two collide with probability 3e-14
#: What the installer writes beside the wheel's own files (PEP 376, 610), uv's build notes included.
_INSTALLERS = frozenset({"INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json", "uv_build.json"})


def contents(python: Path | None = None) -> dict[str, str]:
    """The digest of each package that was installed from an index, of this interpreter or of another.

    Its own are all that this process finds, those on PYTHONPATH and the user's too, as ``current_stack`` has them.
    Packages from a local path, editable ones too, are left out: what is in them may change at any time.
    StackError if the other interpreter does not answer.
    """
    found = _asked(python) if python and python != Path(sys.executable) else _own()
    digests: dict[str, str] = {}
    seen: set[str] = set()
    for name, record, url in found:
        # Of two with the same name, the first on the path is the one that is imported.
        canonical = re.sub(r"[-_.]+", "-", name or "").lower()
        if canonical and canonical not in seen and record and not _is_local(url):
            digests[canonical] = record_digest(record)
        seen.add(canonical)
    return dict(sorted(digests.items()))


def record_digest(record: str) -> str:
    """Of the files that a RECORD lists: the same for a wheel, whoever installed it.

    Scripts outside site-packages name their interpreter, and bytecode is anybody's.
    """
    lines = sorted(
        f"{path},{digest}\n"
        for path, digest, *_ in csv.reader(record.splitlines())
        if not (path.endswith(".pyc") or path.startswith(("../", "/")) or _is_installers(path))
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:_DIGITS]


def _is_installers(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return folder.endswith(".dist-info") and name in _INSTALLERS


def _is_local(direct_url: str | None) -> bool:
    return direct_url is not None and str(json.loads(direct_url).get("url", "")).startswith("file:")


def _own() -> Iterable[tuple[str | None, str | None, str | None]]:
    return (
        (one.metadata["Name"], one.read_text("RECORD"), one.read_text("direct_url.json"))
        for one in metadata.distributions()
    )


def _asked(python: Path) -> list[tuple[str | None, str | None, str | None]]:
    command = [str(python), "-I", "-c", _ASK]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S, check=True)
        found: list[tuple[str | None, str | None, str | None]] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, IndexError, ValueError) as error:
        raise StackError(f"{python} does not say what is installed: {error}") from error
    return found
