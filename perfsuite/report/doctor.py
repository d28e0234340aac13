"""The doctor's report, for people and for tools."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from perfsuite.machine.cpu import one_cpu_per_core
from perfsuite.machine.doctor import Report
from perfsuite.machine.finding import Level
from perfsuite.machine.isa import Capability
from perfsuite.machine.stack import ProbeFailure
from perfsuite.report.placement import placement_sentence

SCHEMA = 1
_STYLES = {Level.OK: "green", Level.NOTE: "cyan", Level.WARNING: "bold yellow"}


def render_doctor(report: Report, console: Console) -> None:
    """Print the processor, one line a finding with its remedy below, where workers run, and how many warnings."""
    cpu = report.cpu
    # Text, not markup: a model name or a path may hold square brackets.
    console.print(Text(cpu.model_name or "unknown processor", style="bold"))
    table = Table.grid(padding=(0, 2), expand=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in report.findings:
        table.add_row(
            Text(finding.level.value, style=_STYLES[finding.level]),
            Text(finding.topic),
            Text(finding.summary),
        )
        if finding.remedy:
            table.add_row("", "", Text(f"-> {finding.remedy}", style="dim"))
    console.print(table)
    console.print(Text(f"workers run with {placement_sentence(report.placement)}"))
    warnings = sum(finding.level is Level.WARNING for finding in report.findings)
    console.print(Text(f"{warnings} warning{'' if warnings == 1 else 's'}", style="bold"))


def doctor_json(report: Report) -> str:
    """One JSON object: schema, cpu, placement, capabilities, findings, and what the stack said or why it could not."""
    failed = isinstance(report.stack, ProbeFailure)
    cpu: dict[str, Any] = asdict(report.cpu)
    cpu["flags"] = sorted(report.cpu.flags)
    cpu["one_cpu_per_core"] = one_cpu_per_core(report.cpu)
    document = {
        "schema": SCHEMA,
        "cpu": cpu,
        "placement": asdict(report.placement),
        "capabilities": [_capability(capability) for capability in report.capabilities],
        "findings": [asdict(finding) for finding in report.findings],
        "stack": None if failed or report.stack is None else asdict(report.stack),
        "stack_failure": asdict(report.stack) if isinstance(report.stack, ProbeFailure) else None,
    }
    return json.dumps(document, indent=2)


def _capability(capability: Capability) -> dict[str, Any]:
    return {
        "name": capability.name,
        "usable": capability.usable,
        "state": capability.state,
        "reason": capability.reason,
        "remedy": capability.remedy,
    }
