"""What is installed in a stack, read without importing any of it."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from perfsuite.errors import StackError
from perfsuite.measure.code import Code
from perfsuite.records.measurement import Stack

#: Any Python since 3.8 can say this. The last line is the answer: a sitecustomize may print before it.
_ASK = """
import json, platform
from importlib import metadata
found = [(one.metadata["Name"], one.version) for one in metadata.distributions()]
print()
print(json.dumps([platform.python_version(), found]))
"""
_TIMEOUT_S = 60.0  # 0.1 s when the disk's cache is warm; the rest is for a cold disk
_NAMED = 3  # of packages that are not the stack's own (judgement)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyStack:
    """A stack that can be run in: its interpreter, the variables it is to have, what is installed.

    ``code`` is a commit of the user's project that its workers import in the place of what lies in its folder.
    """

    name: str
    python: Path
    environment: Mapping[str, str]
    stack: Stack
    code: Code | None = None


def current_stack() -> Stack:
    """The interpreter that runs this process."""
    return _stack(
        platform.python_version(),
        ((one.metadata["Name"], one.version) for one in metadata.distributions()),
    )


def stack_of(python: Path) -> Stack:
    """Another interpreter's stack, as it says itself; StackError if there is none or it cannot run."""
    # -I: neither this process's PYTHONPATH nor the user's own packages belong to the stack.
    command = [str(python), "-I", "-c", _ASK]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S, check=True)
        version, found = json.loads(done.stdout.splitlines()[-1])
        return _stack(version, found)
    except OSError as error:
        reason = error.strerror or str(error)
    except subprocess.TimeoutExpired:
        reason = f"it gave no answer within {_TIMEOUT_S:.0f} s"
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()
        reason = f"it ended with exit status {error.returncode}" + (f": {said[-1]}" if said else "")
    except (IndexError, ValueError, TypeError):
        reason = "what it answers is not a Python's answer"
    raise StackError(f"{python} cannot be run as a Python interpreter: {reason}")


def refuse_others_packages(ready: ReadyStack, path: Iterable[str]) -> None:
    """StackError if folders of PYTHONPATH have packages that would run in the place of the stack's own.

    The stack's record does not know them. The interpreter itself has them in its record.
    """
    if ready.python == Path(sys.executable):
        return
    for folder in path:
        there = _stack("", ((one.metadata["Name"], one.version) for one in metadata.distributions(path=[folder])))
        own = ready.stack.packages
        others = [f"{name} {version}" for name, version in there.packages.items() if own.get(name, version) != version]
        if others:
            raise StackError(
                f"stack {ready.name}: {', '.join(others[:_NAMED])} of {folder} would run in the place of its own; "
                "take the folder off PYTHONPATH"
            )


def _stack(python: str, distributions: Iterable[tuple[str | None, str]]) -> Stack:
    packages: dict[str, str] = {}
    for name, version in distributions:
        if name:  # an interrupted uninstallation leaves a folder that is nobody's
            # Of two with the same name, the first on the path is the one that is imported.
            packages.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return Stack(python=python, packages=dict(sorted(packages.items())))
