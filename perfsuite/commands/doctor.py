"""`perfsuite doctor`: examine this machine, print the report, and say by the exit status if it will do."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction

    from perfsuite.machine.doctor import Report


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("doctor", help="this machine: ISA, AMX, noise, threads; what to fix")
    parser.add_argument(
        "--require", action="append", default=[], metavar="CAPABILITY", help="exit 1 without it, e.g. amx"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=lambda options: doctor_command(options.require, options.json))


def doctor_command(require: list[str], as_json: bool) -> int:
    """Print the report on stdout; the exit status: 0, or 1 if something required is missing (told on stderr).

    Raises
    ------
    PerfsuiteError
        For a requirement that has no meaning, and for a library that cannot be preloaded, before anything is measured.
    """
    from perfsuite.machine.doctor import examine
    from perfsuite.machine.isa import check_requirement
    from perfsuite.machine.preload import preloaded
    from perfsuite.machine.stack import run_probe
    from perfsuite.measure.placement import wish
    from perfsuite.report.console import output_console
    from perfsuite.report.doctor import doctor_json, render_doctor
    from perfsuite.settings import project_root, read_settings

    for requirement in require:
        check_requirement(requirement)
    settings = read_settings(project_root(Path.cwd()), {})
    environ = preloaded(os.environ, settings.preload, Path(sys.executable))
    report = examine(Path("/"), environ, run_probe(environ=environ), wish=wish(settings))
    if as_json:
        print(doctor_json(report))
    else:
        render_doctor(report, output_console())
    return require_all(require, report)


def require_all(require: list[str], report: Report) -> int:
    """The exit status for these requirements; each capability that is missing gets a line on stderr."""
    from perfsuite.machine.isa import missing

    status = 0
    for requirement in require:
        for capability in missing(requirement, report.capabilities):
            status = 1
            advice = f"; to change it: {capability.remedy}" if capability.remedy else ""
            print(
                f"required {requirement}: {capability.name} is not usable: {capability.reason}{advice}",
                file=sys.stderr,
            )
    return status
