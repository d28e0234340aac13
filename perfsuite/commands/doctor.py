"""`perfsuite doctor`: examine this machine, print the report, and say by the exit status if it will do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.console import Console

from perfsuite.machine.doctor import Report, examine
from perfsuite.machine.isa import check_requirement, missing
from perfsuite.machine.stack import run_probe
from perfsuite.report.doctor import doctor_json, render_doctor


def doctor_command(require: list[str], as_json: bool) -> int:
    """Print the report on stdout; the exit status: 0, or 1 if something required is missing (told on stderr).

    Raises
    ------
    PerfsuiteError
        For a requirement that has no meaning, before anything is measured.
    """
    for requirement in require:
        check_requirement(requirement)
    report = examine(Path("/"), os.environ, run_probe())
    if as_json:
        print(doctor_json(report))
    else:
        render_doctor(report, Console())
    return require_all(require, report)


def require_all(require: list[str], report: Report) -> int:
    """The exit status for these requirements; each capability that is missing gets a line on stderr."""
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
