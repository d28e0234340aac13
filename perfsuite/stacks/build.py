"""Building stacks with uv, once each, into the user's cache; and what is needed to run in one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from perfsuite.backends import BACKENDS
from perfsuite.errors import StackError
from perfsuite.machine.stack import ProbeFailure, run_probe
from perfsuite.measure.code import code_at
from perfsuite.measure.stack import ReadyStack, current_stack, stack_of
from perfsuite.records.measurement import Stack
from perfsuite.stacks.definitions import CURRENT, StackDefinition, find, pinned_text
from perfsuite.stacks.failures import import_failure, uv_failure
from perfsuite.stacks.folders import Built, discard, read_record, stack_folder, stack_lock, usage, write_record
from perfsuite.stacks.uv import UvError, run_uv

#: Between a stack and the commit of the user's project that is run in it.
_COMMIT = "@"
#: The first import also compiles thousands of modules to bytecode. Whole builds, it included, took 10 to 53 s
#: on two cores; the rest is for a cold disk.
_PROBE_TIMEOUT_S = 300.0


def ready_stack(
    name: str,
    definitions: Mapping[str, StackDefinition],
    *,
    project: Path,
    torch_backend: str | None = None,
    say: Callable[[str], None],
) -> ReadyStack:
    """The stack of that name, built first if it is not; NAME@COMMIT has the project's code of that commit.

    Raises UsageError for an unknown name or commit, StackError for a stack that cannot be built or run.
    """
    name, _, commit = name.partition(_COMMIT)
    code = code_at(commit, project) if commit else None
    if name == CURRENT:
        return ReadyStack(name=name, python=Path(sys.executable), environment={}, stack=current_stack(), code=code)
    definition = find(name, definitions)
    python = definition.interpreter or build_stack(definition, torch_backend=torch_backend, say=say)
    stack = installed_stack(definition, python)
    return ReadyStack(name=name, python=python, environment=definition.environment, stack=stack, code=code)


def build_stack(
    definition: StackDefinition,
    *,
    torch_backend: str | None = None,
    rebuild: bool = False,
    say: Callable[[str], None],
) -> Path:
    """The interpreter of the stack, which is built if it is not; StackError if that fails.

    ``torch_backend`` (such as cpu) is uv's; without it UV_TORCH_BACKEND decides, as it does for uv.
    """
    backend = torch_backend or default_backend()
    folder = stack_folder(definition, backend)
    if not rebuild and (record := read_record(folder)):
        return Path(record.python)
    with stack_lock(definition.name, say) as lock_fd:
        # Another process may have built it while this one waited.
        if not rebuild and (record := read_record(folder)):
            say(f"stack {definition.name} has been built meanwhile")
            return Path(record.python)
        if folder.exists():
            say(f"stack {definition.name}: removing {'the old' if read_record(folder) else 'an interrupted'} build")
            discard(folder)
        try:
            return _build(definition, folder, backend, lock_fd, say)
        except BaseException:
            discard(folder)
            raise


def default_backend() -> str | None:
    """The torch backend that stacks are built for where none is named: uv's own variable."""
    return os.environ.get("UV_TORCH_BACKEND") or None


def check_interpreter(definition: StackDefinition, python: Path) -> Stack:
    """What the interpreter has installed, once the backends' packages, those that are there, are known to import."""
    stack = installed_stack(definition, python)
    if "torch" not in stack.packages:
        return stack
    answers = run_probe(str(python), _PROBE_TIMEOUT_S)
    if isinstance(answers, ProbeFailure):
        reason = "\n  ".join((f"importing it {answers.reason}", *answers.stderr_tail))
        raise import_failure(definition, "torch", stack.packages, reason)
    for backend in reversed(BACKENDS):  # PyTorch is the last, and the others import it
        error = answers.import_error(backend.alias)
        if backend.package in stack.packages and error:
            raise import_failure(definition, backend.package, stack.packages, error)
    return stack


def _build(
    definition: StackDefinition, folder: Path, backend: str | None, lock_fd: int, say: Callable[[str], None]
) -> Path:
    begun_s = time.monotonic()
    pinned = pinned_text(definition) if backend is None else None
    requirements = pinned or "\n".join(definition.requirements)
    python = folder / "bin" / "python"
    say(f"stack {definition.name}: building it into {folder}")
    venv = ["venv", "--quiet", "--no-project", "--python", definition.python or sys.executable, str(folder)]
    install = ["pip", "install", "--python", str(python), "--requirements", "-"]
    install += ["--require-hashes"] if pinned else []
    install += ["--torch-backend", backend] if backend else []
    try:
        run_uv(venv, cwd=definition.root, keep_fds=[lock_fd])
        run_uv(install, cwd=definition.root, stdin=requirements, keep_fds=[lock_fd])
    except UvError as error:
        raise uv_failure(definition, str(error), torch_backend=backend) from error
    stack = check_interpreter(definition, python)
    used = usage(folder)
    build_s = time.monotonic() - begun_s
    record = Built(
        python=str(python),
        python_version=stack.python,
        packages=stack.packages,
        torch_backend=backend,
        size_bytes=used.size_bytes,
        build_s=build_s,
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    write_record(folder, record)
    say(f"stack {definition.name}: built in {build_s:.0f} s, {used.size_bytes / 1e9:.1f} GB")
    return python


def installed_stack(definition: StackDefinition, python: Path) -> Stack:
    """What the stack's interpreter has installed; StackError, with what to do, if it cannot be run."""
    try:
        return stack_of(python)
    except StackError as error:
        what_next = (
            f"correct interpreter in [tool.perfsuite.stacks.{definition.name}]"
            if definition.interpreter
            else f"`perfsuite stacks build {definition.name} --rebuild`"
        )
        raise StackError(f"stack {definition.name}: {error}; {what_next}") from error
