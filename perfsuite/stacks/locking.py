"""Pinning a stack: its requirements resolved to exact versions with hashes, in a file that is committed."""

from __future__ import annotations

import os
from pathlib import Path

from perfsuite.errors import StackError, UsageError
from perfsuite.stacks.definitions import StackDefinition, requirements_digest
from perfsuite.stacks.failures import uv_failure
from perfsuite.stacks.uv import UvError, run_uv

#: The oldest Python a pinned file must install with: requires-python in pyproject.toml.
OLDEST_PYTHON = "3.11"


def lock_stack(definition: StackDefinition) -> Path:
    """Resolve the stack's requirements anew and write its pinned file.

    Raises UsageError for a stack that has none to pin, StackError if they do not resolve.
    """
    if definition.interpreter:
        raise UsageError(f"stack {definition.name} is an interpreter of yours: there are no requirements to pin")
    if definition.lock not in (None, definition.own_lock):
        raise UsageError(f"stack {definition.name} is pinned by {definition.lock} already; change that file")
    # Universal: with markers for each Python and platform, so that one file serves Python 3.11 to 3.13.
    # Neither the index nor anything else of this machine may stand in a file that others use.
    command = ["pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-annotate", "--no-header"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--python-version", definition.python or OLDEST_PYTHON]
    try:
        pinned = run_uv([*command, "-"], cwd=definition.root, stdin="\n".join(definition.requirements), quiet=True)
    except UvError as error:
        raise uv_failure(definition, str(error)) from error
    head = (
        f"# Written by `perfsuite stacks lock {definition.name}`; not to be edited.\n"
        f"# made from requirements {requirements_digest(definition.requirements)}\n"
    )
    file = definition.own_lock
    partial = file.with_suffix(f".{os.getpid()}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(head + pinned, encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise StackError(f"{file} cannot be written: {error.strerror}; make its folder writable") from error
    return file
