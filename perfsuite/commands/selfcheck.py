"""`perfsuite selfcheck`: does perfsuite itself work here?"""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction

    from perfsuite.settings import Settings

_CHECKS = {
    "overhead": "a figure through perfsuite against a bare loop",
    "faults": "planted ones, each to be found",
    "kernels": "lost silicon, planted, each to be named",
    "kills": "timing runs killed at random moments and resumed: nothing lost, nothing left (half an hour)",
    "parser": "lines read in a second",
    "history": "10,000 sessions: what a series, the overview and one session more take",
    "compare": "a stack against itself, and against itself slowed by 3 and by 1 %% (hours)",
    "night": "timing runs of one stack, and with one variant slowed: what is called slower (hours)",
}
#: Those that time, and so need the machine for themselves.
_TIMING = ("compare", "overhead", "night")
_PLANTED_PERCENT = (1, 2, 3, 5, 10)


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "selfcheck",
        help="does perfsuite itself work here?",
        description="Exit status: 0 it does, 1 something was missed or called wrongly, 3 nothing could be checked.",
    )
    checks = parser.add_subparsers(dest="what", required=True, metavar="CHECK")
    parsers = {
        name: checks.add_parser(name, help=text, description=text.replace("%%", "%")) for name, text in _CHECKS.items()
    }
    parsers["compare"].add_argument(
        "--runs", type=int, default=10, help="(default: %(default)s; trials of slowed ones are twice as many)"
    )
    parsers["kills"].add_argument("--runs", type=int, default=50, help="how many kills (default: %(default)s)")
    parsers["kills"].add_argument("--seed", type=int, default=0, help="of their moments (default: %(default)s)")
    parsers["history"].add_argument(
        "--database", metavar="URL", help="an empty one, as PERFSUITE_HISTORY would name it; it stays full "
        "(default: a file that goes afterwards)"
    )  # fmt: skip
    add = parsers["night"].add_argument
    add("--nights", type=_count, default=3, metavar="N", help="nights of one stack (default: %(default)s)")
    add("--planted", type=_count, default=1, metavar="N",
        help="nights for each planted slowdown (default: %(default)s; 0 for none)")  # fmt: skip
    add("--slowdown", type=int, choices=_PLANTED_PERCENT, action="append", metavar="PERCENT",
        help="one that is planted, more than once for several (default: 1, 2, 3, 5 and 10)")  # fmt: skip
    add("-k", default="", metavar="EXPRESSION", help="only variants whose id fits, as in pytest")
    add(
        "-m",
        metavar="EXPRESSION",
        help="only variants whose marks fit, as in pytest (default: those of the stack's own backend but example)",
    )
    add("--confirm", choices=("suspects", "all"), default="suspects", help="whom to step beside the baseline's stack")
    add("--record", type=_writable, metavar="FILE", help="keep what nights are simulated from")
    add("--simulate", type=Path, metavar="FILE", help="run nothing: simulate nights from what --record kept")
    parser.set_defaults(run=_run)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text}: give a number of nights, 0 for none")
    return int(text)


def _writable(text: str) -> Path:
    """Known now, not after hours."""
    path = Path(text)
    if not path.parent.is_dir() or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text}: there is no folder {path.parent}, or it is one itself")
    return path


def _run(options: argparse.Namespace) -> int:
    from perfsuite.measure.lock import machine_lock
    from perfsuite.measure.rig import Rig
    from perfsuite.selfcheck import compare, faults, history, kernels, kills, overhead, parser
    from perfsuite.settings import project_root, read_settings

    if options.what == "parser":
        return parser.run()
    if options.what == "history":
        return history.run(database=options.database)
    if options.what == "kills":  # its runs have a project and a lock of their own
        return kills.run(runs=options.runs, seed=options.seed)
    settings = read_settings(project_root(Path.cwd()), {})
    if options.what == "night" and options.simulate:
        return _simulate(settings, options.simulate)
    timing = options.what in _TIMING
    with machine_lock(f"perfsuite selfcheck {options.what}") if timing else nullcontext():
        if options.what == "compare":
            return compare.run(settings, runs=options.runs)
        if options.what == "night":
            return _night(settings, options)
        checks = {"overhead": overhead.run, "faults": faults.run, "kernels": kernels.run}
        with Rig(settings) as rig:
            return checks[options.what](rig)


def _night(settings: Settings, options: argparse.Namespace) -> int:
    from perfsuite.backends.registry import own_backend
    from perfsuite.measure.stack import current_stack
    from perfsuite.selection import selects
    from perfsuite.selfcheck.night import Request, run

    marks = options.m
    if marks is None:  # the variants of the nightly job
        marks = f"{own_backend(current_stack().packages).name} and not example and not fp16"
    request = Request(
        nights=options.nights,
        planted=options.planted,
        slowdowns=tuple(percent / 100 for percent in options.slowdown or _PLANTED_PERCENT),
        fits=selects(options.k, marks),
        record=options.record,
    )
    return run(replace(settings, confirm=options.confirm), request)


def _simulate(settings: Settings, path: Path) -> int:
    from perfsuite.selfcheck.odds import odds_lines
    from perfsuite.selfcheck.record import read_record

    for line in odds_lines(read_record(path), settings):
        print(line, flush=True)
    return 0
