"""What a user is told of a stack that cannot be had: which requirement, why, what to do next."""

from __future__ import annotations

import re

from perfsuite.errors import StackError
from perfsuite.stacks.definitions import StackDefinition

_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
#: What uv says, and what can be done about it; the first that fits.
_ADVICE = (
    (("No interpreter found",), "install that Python, or change python in {table}"),
    (("No space left",), "free some space: `perfsuite stacks list` shows what stacks take, `uv cache prune` helps too"),
    (
        ("Hash mismatch",),
        "the package index has other files than those pinned; {pin_anew}",
    ),
    (
        ("Failed to fetch", "error sending request", "dns error"),
        "see that a package index answers here (uv is told of a mirror by UV_DEFAULT_INDEX or uv.toml){backend}",
    ),
    (("unsatisfiable", "Failed to parse"), "change the requirements in {table}"),
)


def uv_failure(definition: StackDefinition, reason: str, *, torch_backend: str | None = None) -> StackError:
    """The error for uv's ``reason``."""
    concerned = [line for line in definition.requirements if _names(line, reason)]
    about = f" ({', '.join(concerned)})" if 0 < len(concerned) < len(definition.requirements) else ""
    table = "perfsuite/stacks/definitions.py" if definition.builtin else f"[tool.perfsuite.stacks.{definition.name}]"
    advice = next(
        (advice for said, advice in _ADVICE if any(part in reason for part in said)),
        "put right what uv says, and build again",
    ).format(
        name=definition.name,
        table=table,
        pin_anew=f"`perfsuite stacks lock {definition.name}` pins anew"
        if definition.lock in (None, definition.own_lock)
        else f"correct {definition.lock}",
        backend=f"; PyTorch's {torch_backend} wheels have an index of their own: "
        "where it cannot be reached, leave out --torch-backend and UV_TORCH_BACKEND"
        if torch_backend
        else "",
    )
    shown = "\n".join(f"  {line}" for line in reason.splitlines())
    return StackError(f"stack {definition.name} cannot be built{about}; uv says:\n{shown}\nWhat to do: {advice}.")


def import_failure(definition: StackDefinition, package: str, packages: dict[str, str], reason: str) -> StackError:
    """The error for a stack whose ``package`` is installed but does not import."""
    line = next((line for line in definition.requirements if _project(line) == package), package)
    what_next = (
        f"repair that interpreter's packages, or name another in [tool.perfsuite.stacks.{definition.name}]"
        if definition.interpreter
        else "the requirements do not fit each other or this machine: change them, then build again"
    )
    return StackError(
        f"stack {definition.name}: {line} is installed (version {packages[package]}) but does not import: {reason}\n"
        f"What to do: {what_next}."
    )


def _project(requirement: str) -> str:
    match = _PROJECT.match(requirement)
    return re.sub(r"[-_.]+", "-", match.group()).lower() if match else ""


def _names(requirement: str, reason: str) -> bool:
    project = _project(requirement)
    return bool(project) and re.search(rf"(?<![\w.-]){re.escape(project)}(?![\w-])", reason.lower()) is not None
