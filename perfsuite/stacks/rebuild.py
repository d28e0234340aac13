"""The stack that a baseline was measured in, to step a suspect beside it: at hand, built already, or built anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from perfsuite.backends.registry import decisive_packages, slug_of
from perfsuite.errors import StackError
from perfsuite.measure.contents import contents
from perfsuite.measure.environment import decisive
from perfsuite.measure.stack import ReadyStack
from perfsuite.records.measurement import Stack
from perfsuite.stacks.build import build_stack, default_backend, installed_stack
from perfsuite.stacks.definitions import StackDefinition
from perfsuite.stacks.folders import kept_folders, read_record

#: What runs inside a forward pass, and what of the inputs depends on; with all that these depend on.
_ROOTS = (*decisive_packages(), "torchvision", "transformers", "numpy", "pillow", "safetensors")
#: What a build for the CPU alone has in its version, of PyTorch's own index: torch 2.8.0+cpu.
_LOCAL_BACKEND = re.compile(r"\+(cpu)$")


def same_stack(one: Stack, other: Stack) -> bool:
    """Whether a forward pass runs the same code in both: another linter, say, is no other stack."""
    deciding = _deciding((*one.packages, *other.packages))
    return one.python == other.python and all(one.packages.get(name) == other.packages.get(name) for name in deciding)


def baseline_stack(
    wanted: Stack, at_hand: Iterable[ReadyStack], *, digests: Mapping[str, str], root: Path, say: Callable[[str], None]
) -> ReadyStack:
    """The stack ``wanted``, built with uv if it is none of those ``at_hand``, nor built already.

    ``digests`` are of its packages that came from an index, by ``measure/contents``; empty where nobody knows them.
    What was installed from a folder cannot be had again. Raises StackError for what cannot be built.
    """
    for ready in at_hand:
        if same_stack(wanted, ready.stack) and not _other_files(wanted, ready.python, digests):
            return ready
    for name, folder in kept_folders():
        record = read_record(folder)
        if not record or not same_stack(wanted, Stack(python=record.python_version, packages=record.packages)):
            continue
        if not _other_files(wanted, Path(record.python), digests):
            stack = Stack(python=record.python_version, packages=record.packages)
            return ReadyStack(name=name, python=Path(record.python), environment={}, stack=stack)
    definition = _definition(wanted, digests.keys() or wanted.packages.keys(), root)
    backends = {match.group(1) for version in wanted.packages.values() if (match := _LOCAL_BACKEND.search(version))}
    python = build_stack(definition, torch_backend=next(iter(backends), default_backend()), say=say)
    stack = installed_stack(definition, python)
    if not same_stack(wanted, stack):
        raise StackError(
            f"stack {definition.name}: what was built is not what the baseline ran in: {_other(wanted, stack)}"
        )
    if other := _other_files(wanted, python, digests):
        raise StackError(
            f"stack {definition.name}: under the same version the index has other files now of {', '.join(other)}"
        )
    return ReadyStack(name=definition.name, python=python, environment={}, stack=stack)


def baseline_environ(environ: Mapping[str, str], recorded: Mapping[str, str]) -> dict[str, str]:
    """The user's variables, but of those that decide speed what the baseline had.

    A record holds files' names without their folders: where that is all that differs, it is taken for the same file.
    """
    now = decisive(environ)
    kept = {name: value for name, value in environ.items() if name not in now or recorded.get(name) == now[name]}
    return kept | {name: value for name, value in recorded.items() if name not in kept}


def _other_files(wanted: Stack, python: Path, digests: Mapping[str, str]) -> list[str]:
    """The deciding packages whose files are others there than those that were measured: a build of one's own, say."""
    if not digests:
        return []
    found = contents(python)
    return [name for name in sorted(_deciding(wanted.packages)) if found.get(name) != digests.get(name)]


def _definition(wanted: Stack, known: Collection[str], root: Path) -> StackDefinition:
    pins = tuple(
        f"{name}=={version}"
        for name, version in sorted(wanted.packages.items())
        if name in known and name in _deciding(wanted.packages)
    )
    return StackDefinition(name=f"baseline-{slug_of(wanted)}", requirements=pins, python=wanted.python, root=root)


def _deciding(names: Iterable[str]) -> frozenset[str]:
    """Of these packages the roots, what they depend on as far as is known here, and what nobody here knows."""
    there = {name: _requirements(name) for name in names}
    found: set[str] = set()
    left = [name for name in _ROOTS if name in there]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [needed for needed in there.get(name) or () if needed in there]
    return frozenset(found | {name for name, needs in there.items() if needs is None})


def _requirements(name: str) -> tuple[str, ...] | None:
    """What the installed package needs; None if it is not installed here."""
    try:
        lines = metadata.requires(name) or ()
    except metadata.PackageNotFoundError:
        return None
    needs = map(Requirement, lines)
    return tuple(canonicalize_name(one.name) for one in needs if not one.marker or one.marker.evaluate({"extra": ""}))


def _other(wanted: Stack, found: Stack) -> str:
    deciding = _deciding((*wanted.packages, *found.packages))
    differing = [name for name in sorted(deciding) if wanted.packages.get(name) != found.packages.get(name)]
    python = [f"Python {found.python} for {wanted.python}"] if wanted.python != found.python else []
    return ", ".join(
        [*python, *(f"{name} {found.packages.get(name)} for {wanted.packages.get(name)}" for name in differing)]
    )
