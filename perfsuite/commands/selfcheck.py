"""`perfsuite selfcheck`: does perfsuite itself work here?"""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction

_CHECKS = {
    "overhead": "a figure through perfsuite against a bare loop",
    "faults": "planted ones, each to be found",
    "kernels": "lost silicon, planted, each to be named",
    "kills": "timing runs killed at random moments and resumed: nothing lost, nothing left (half an hour)",
    "parser": "lines read in a second",
    "compare": "a stack against itself, and against itself slowed by 3 and by 1 %% (hours)",
}
#: Those that time, and so need the machine for themselves.
_TIMING = ("compare", "overhead")
#: What --runs is by default.
_COMPARISONS, _KILLS = 10, 50


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "selfcheck",
        help="does perfsuite itself work here?",
        description="Exit status: 0 it does, 1 something was missed or called wrongly, 3 nothing could be checked.",
    )
    parser.add_argument("what", choices=_CHECKS, help="; ".join(f"{name}: {text}" for name, text in _CHECKS.items()))
    parser.add_argument("--runs", type=int, help="of compare (default: 10; trials of slowed ones are twice as many), "
        "or how many kills (default: 50)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="of the moments of kills (default: 0)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from perfsuite.measure.lock import machine_lock
    from perfsuite.measure.rig import Rig
    from perfsuite.selfcheck import compare, faults, kernels, kills, overhead, parser
    from perfsuite.settings import project_root, read_settings

    if options.what == "parser":
        return parser.run()
    if options.what == "kills":  # its runs have a project and a lock of their own
        return kills.run(runs=options.runs or _KILLS, seed=options.seed)
    timing = options.what in _TIMING
    with machine_lock(f"perfsuite selfcheck {options.what}") if timing else nullcontext():
        settings = read_settings(project_root(Path.cwd()), {})
        if options.what == "compare":
            return compare.run(settings, runs=options.runs or _COMPARISONS)
        checks = {"overhead": overhead.run, "faults": faults.run, "kernels": kernels.run}
        with Rig(settings) as rig:
            return checks[options.what](rig)
