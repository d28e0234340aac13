"""The ``perfsuite`` command. Each subcommand imports what it needs when it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from perfsuite.commands.compare import add_parser as add_compare_parser
from perfsuite.commands.explain import add_parser as add_explain_parser
from perfsuite.commands.stacks import add_parser as add_stacks_parser
from perfsuite.errors import PerfsuiteError


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 fine, 1 something is missing or wrong, 2 usage."""
    parser = argparse.ArgumentParser(
        prog="perfsuite", description="CPU inference: slower, wrong, or not using the silicon, and why?"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    matrix = commands.add_parser("matrix", help="every variant: supported, or why not")
    matrix.add_argument("--json", action="store_true", help="print JSON")
    matrix.set_defaults(run=_matrix)

    doctor = commands.add_parser("doctor", help="this machine: ISA, AMX, noise, threads; what to fix")
    doctor.add_argument(
        "--require", action="append", default=[], metavar="CAPABILITY", help="exit 1 without it, e.g. amx"
    )
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=_doctor)

    selfcheck = commands.add_parser("selfcheck", help="does perfsuite itself work here?")
    selfcheck.add_argument(
        "what",
        choices=("overhead", "faults", "kernels", "parser", "compare"),
        help="overhead: a figure through perfsuite against a bare loop; faults: planted ones, each to be found; "
        "kernels: lost silicon, planted, each to be named; parser: lines read in a second; "
        "compare: a stack against itself, and against itself slowed by 3 and by 1 %% (hours)",
    )
    selfcheck.add_argument("--runs", type=int, default=10, help="of compare; trials of slowed ones are twice as many")
    selfcheck.set_defaults(run=_selfcheck)

    kernels = commands.add_parser("kernels", help="run variants once and print which kernels they really use")
    kernels.add_argument("variants", nargs="+", metavar="VARIANT", help="such as bert-base-ipex-dynamo-bf16-latency")
    kernels.set_defaults(run=_kernels)

    add_explain_parser(commands)
    add_compare_parser(commands)
    add_stacks_parser(commands)

    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except PerfsuiteError as error:
        print(f"perfsuite: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        print(f"perfsuite: interrupted; {interrupt}" if interrupt.args else "perfsuite: interrupted", file=sys.stderr)
        return 130
    return status


def _matrix(options: argparse.Namespace) -> int:
    from perfsuite.machine.cpu import read_cpu
    from perfsuite.measure.stack import current_stack
    from perfsuite.models import load_models
    from perfsuite.report.matrix import print_matrix
    from perfsuite.settings import project_root, read_settings

    settings = read_settings(project_root(Path.cwd()), {})
    print_matrix(load_models(settings.models), current_stack(), read_cpu().flags, as_json=options.json)
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from perfsuite.commands.doctor import doctor_command

    return doctor_command(options.require, options.json)


def _kernels(options: argparse.Namespace) -> int:
    from perfsuite.commands.kernels import kernels_command

    return kernels_command(options.variants)


def _selfcheck(options: argparse.Namespace) -> int:
    from perfsuite.measure.lock import machine_lock
    from perfsuite.measure.rig import Rig
    from perfsuite.selfcheck import compare, faults, kernels, overhead, parser
    from perfsuite.settings import project_root, read_settings

    if options.what == "parser":
        return parser.run()
    times = options.what in ("compare", "overhead")
    with machine_lock(f"perfsuite selfcheck {options.what}") if times else nullcontext():
        settings = read_settings(project_root(Path.cwd()), {})
        if options.what == "compare":
            return compare.run(settings, runs=options.runs)
        checks = {"overhead": overhead.run, "faults": faults.run, "kernels": kernels.run}
        with Rig(settings) as rig:
            return checks[options.what](rig)
