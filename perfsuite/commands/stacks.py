"""`perfsuite stacks`: list, build, pin and remove the environments that variants can run in."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction

    from perfsuite.stacks.definitions import StackDefinition

T = TypeVar("T")


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "stacks",
        help="named environments to run variants in: list, build, lock, remove",
        description="Environments that variants can run in. Some are built in; yours are [tool.perfsuite.stacks.NAME] "
        "tables with requirements (or an interpreter of yours), python and environment.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="every stack: what it is, whether it is built, what it takes")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=_list)

    build = actions.add_parser("build", help="build stacks with uv, and see that they import")
    _add_names(build)
    build.add_argument(
        "--torch-backend", metavar="X", help="uv's: cpu takes the lighter wheels of PyTorch's own package index"
    )
    build.add_argument("--rebuild", action="store_true", help="build anew what is built already")
    build.set_defaults(run=_build)

    lock = actions.add_parser("lock", help="resolve a stack's requirements and write its pinned file")
    lock.add_argument("names", nargs="+", metavar="NAME")
    lock.set_defaults(run=_lock)

    remove = actions.add_parser("remove", help="delete what is built of stacks, outdated builds too")
    _add_names(remove)
    remove.set_defaults(run=_remove)


def _add_names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--all", action="store_true", help="every stack")


def _definitions() -> dict[str, StackDefinition]:
    from perfsuite.settings import project_root, read_settings
    from perfsuite.stacks.definitions import stack_definitions

    root = project_root(Path.cwd())
    return stack_definitions(read_settings(root, {}).stacks, root)


def _list(options: argparse.Namespace) -> int:
    from perfsuite.report.console import output_console
    from perfsuite.stacks.listing import print_rows, rows, rows_json

    found = rows(_definitions())
    if options.json:
        print(rows_json(found))
    else:
        print_rows(found, output_console())
    return 0


def _build(options: argparse.Namespace) -> int:
    from perfsuite.backends.registry import slug_of
    from perfsuite.stacks.build import build_stack, check_interpreter
    from perfsuite.stacks.definitions import find

    def build(definition: StackDefinition) -> None:
        if definition.interpreter:
            stack = check_interpreter(definition, definition.interpreter)
            what = f"Python {stack.python}, {slug_of(stack)}"
            print(f"{definition.name}: {what}; an interpreter of yours, nothing to build")
            return
        python = build_stack(definition, torch_backend=options.torch_backend, rebuild=options.rebuild, say=_say)
        print(f"{definition.name}: {python}")

    definitions = _definitions()
    return _each([find(name, definitions) for name in _chosen(options, list(definitions))], build)


def _lock(options: argparse.Namespace) -> int:
    from perfsuite.stacks.definitions import find
    from perfsuite.stacks.locking import lock_stack

    definitions = _definitions()
    return _each([find(name, definitions) for name in options.names], lambda definition: print(lock_stack(definition)))


def _remove(options: argparse.Namespace) -> int:
    from perfsuite.stacks.definitions import find
    from perfsuite.stacks.folders import discard, kept_folders, stack_lock

    definitions = _definitions()
    kept = {name for name, _ in kept_folders()}

    def remove(name: str) -> None:
        if name not in kept:
            print(f"{find(name, definitions).name}: nothing is built, nothing to remove")
            return
        with stack_lock(name, _say):
            for used in [discard(path) for owner, path in kept_folders() if owner == name]:
                freed, shared = (used.size_bytes - used.shared_bytes) / 1e9, used.shared_bytes / 1e9
                print(
                    f"{name}: removed {used.size_bytes / 1e9:.2f} GB; {freed:.2f} GB are free now, "
                    f"{shared:.2f} GB are still held by uv's cache or other stacks (`uv cache prune` or `clean`)"
                )

    return _each(_chosen(options, sorted(kept)), remove)


def _chosen(options: argparse.Namespace, every: list[str]) -> list[str]:
    from perfsuite.errors import UsageError

    if options.all == bool(options.names):
        raise UsageError("name stacks, or give --all; `perfsuite stacks list` shows them")
    return every if options.all else list(options.names)


def _each(stacks: Iterable[T], do: Callable[[T], None]) -> int:
    """Do it for each; a stack that fails does not keep the others from theirs."""
    from perfsuite.errors import StackError

    status = 0
    for stack in stacks:
        try:
            do(stack)
        except StackError as error:
            print(f"perfsuite: {error}", file=sys.stderr)
            status = 1
    return status


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
