"""What this machine can do, what disturbs measuring on it, and what to change."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from perfsuite.machine.cpu import Cpu, read_cpu
from perfsuite.machine.finding import Finding, note, ok, warning
from perfsuite.machine.host import host_findings
from perfsuite.machine.isa import Capability, capabilities
from perfsuite.machine.numactl import binding
from perfsuite.machine.onednn import onednn_findings
from perfsuite.machine.placement import Wish, place
from perfsuite.machine.runtime import environment_findings, stack_findings
from perfsuite.machine.stack import ProbeFailure
from perfsuite.records.machine import StackAnswers
from perfsuite.records.placement import Binding, Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One examination. `placement` is where workers run; `stack` is None if no stack was asked."""

    cpu: Cpu
    placement: Placement
    capabilities: tuple[Capability, ...]
    findings: tuple[Finding, ...]
    stack: StackAnswers | ProbeFailure | None


def examine(
    root: Path,
    environ: Mapping[str, str],
    probe: StackAnswers | ProbeFailure | None,
    *,
    affinity: Collection[int] | None = None,
    sleep: Callable[[float], None] = time.sleep,
    wish: Wish | None = None,
    bind: Callable[[tuple[int, ...]], Binding] = binding,
) -> Report:
    """Examine the machine whose /proc and /sys lie under `root`; takes 0.2 s, in which steal time is sampled.

    `probe` is what `run_probe` returned, `affinity` the cpus this process may use (None: ask the kernel), `wish` what
    the user says of where workers run, `bind` tells what becomes of binding memory.
    """
    cpu = read_cpu(root, affinity)
    answers = probe if isinstance(probe, StackAnswers) else None
    where = place(cpu, wish or Wish(), bind)
    found = capabilities(cpu, environ, answers)
    findings = (
        *host_findings(root, cpu, where, sleep),
        *map(_capability_finding, found),
        *onednn_findings(cpu, found, answers),
        *environment_findings(cpu, environ, answers),
        *stack_findings(environ, probe),
    )
    return Report(cpu=cpu, placement=where, capabilities=found, findings=findings, stack=probe)


def _capability_finding(capability: Capability) -> Finding:
    if capability.usable:
        return ok(capability.name, capability.reason)
    # A remedy means that the hardware has, or may have, what this process does not get.
    if capability.remedy:
        return warning(capability.name, capability.reason, capability.remedy)
    return note(capability.name, capability.reason)
