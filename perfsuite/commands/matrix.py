"""`perfsuite matrix`: every variant, supported or why not."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("matrix", help="every variant: supported, or why not")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from perfsuite.machine.cpu import read_cpu
    from perfsuite.measure.stack import current_stack
    from perfsuite.models import load_models
    from perfsuite.report.matrix import print_matrix
    from perfsuite.settings import project_root, read_settings

    settings = read_settings(project_root(Path.cwd()), {})
    print_matrix(load_models(settings.models), current_stack(), read_cpu().flags, as_json=options.json)
    return 0
