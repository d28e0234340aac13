"""`perfsuite matrix`: every variant, supported or why not."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("matrix", help="every variant: supported, or why not")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--stack", default="current", metavar="NAME", help="of this stack (default: %(default)s)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from perfsuite.machine.cpu import read_cpu
    from perfsuite.models import load_models
    from perfsuite.report.matrix import print_matrix
    from perfsuite.settings import project_root, read_settings
    from perfsuite.stacks.build import ready_stack
    from perfsuite.stacks.definitions import stack_definitions

    root = project_root(Path.cwd())
    settings = read_settings(root, {})

    def say(text: str) -> None:
        print(text, file=sys.stderr)

    ready = ready_stack(options.stack, stack_definitions(settings.stacks, root), project=root, say=say)
    print_matrix(load_models(settings.models), ready.stack, read_cpu().flags, as_json=options.json)
    return 0
