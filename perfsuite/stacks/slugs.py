"""What --baseline-stack may say: a stack's name, as --stack does, or the slug that a baseline's file is named by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from perfsuite.backends.registry import slug_of
from perfsuite.errors import UsageError
from perfsuite.measure.stack import current_stack
from perfsuite.records.measurement import Stack
from perfsuite.stacks.build import default_backend, installed_stack
from perfsuite.stacks.definitions import CURRENT, StackDefinition, pinned_text
from perfsuite.stacks.folders import read_record, stack_folder

_TORCH = "torch"


def baseline_slug(name: str, definitions: Mapping[str, StackDefinition], accepted: Sequence[str]) -> str:
    """The slug of the stack that is meant; ``accepted`` are the slugs with a baseline for this machine class.

    Raises UsageError, with those there are, for a name that is none and for a stack that is not accepted.
    """
    option = f"--baseline-stack {name}"
    has = f"accepted for this machine class: {', '.join(accepted) or 'none yet'}"
    if name == CURRENT or name in definitions:
        slug = slug_of(current_stack()) if name == CURRENT else stack_slug(definitions[name])
        if slug not in accepted:
            raise UsageError(f"{option}: stack {name} ({slug}) has no accepted baseline; {has}")
        return slug
    if name not in accepted:
        raise UsageError(f"{option}: no such stack; there are {', '.join((CURRENT, *definitions))}; {has}")
    return name


def stack_slug(definition: StackDefinition) -> str:
    """The stack's slug, without building it: what is installed if it is built, or else what is pinned.

    Raises UsageError for a stack that is neither, StackError for an interpreter that cannot be run.
    """
    if definition.interpreter:
        return slug_of(installed_stack(definition, definition.interpreter))
    if record := read_record(stack_folder(definition, default_backend())):
        return slug_of(Stack(python=record.python_version, packages=record.packages))
    return slug_of(Stack(python="", packages=_pins(definition)))


def _pins(definition: StackDefinition) -> dict[str, str]:
    """Versions by package, of those that are pinned to one on this platform."""
    pinned = pinned_text(definition)
    # A pinned file goes on over several lines with hashes, which follow the requirement.
    lines = pinned.replace("\\\n", " ").splitlines() if pinned is not None else definition.requirements
    pins: dict[str, str] = {}
    for line in lines:
        try:
            requirement = Requirement(line.partition("--hash")[0].strip())
        except InvalidRequirement:
            continue  # a path: what it installs is not told
        exact = [one.version for one in requirement.specifier if one.operator in ("==", "===")]
        if exact and not exact[0].endswith("*") and _applies(requirement, definition.python):
            pins[canonicalize_name(requirement.name)] = exact[0]
    if _TORCH not in pins:
        raise UsageError(
            f"stack {definition.name} does not pin its torch, so that its baseline is not known: "
            f"run `perfsuite stacks build {definition.name}` or `perfsuite stacks lock {definition.name}` first"
        )
    return pins


def _applies(requirement: Requirement, python: str | None) -> bool:
    if requirement.marker is None:
        return True
    version = {"python_version": ".".join(python.split(".")[:2]), "python_full_version": python} if python else {}
    return requirement.marker.evaluate(version)
