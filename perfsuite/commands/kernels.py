"""`perfsuite kernels`: the whole kernel table of a few variants, and what the gate says of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from perfsuite.backends import BACKENDS
from perfsuite.errors import UsageError, WorkerError
from perfsuite.gates.expectations import expectation
from perfsuite.gates.gate import violations
from perfsuite.machine.cpu import read_cpu
from perfsuite.measure.rig import Rig
from perfsuite.report.evidence import kernel_table_lines
from perfsuite.settings import project_root, read_settings
from perfsuite.spec import WORKLOADS, matrix


def kernels_command(ids: Sequence[str]) -> int:
    """Run each variant; 1 if one fails or its kernels are not what is expected."""
    status = 0
    with Rig(read_settings(project_root(Path.cwd()), {})) as rig:
        backends = tuple(backend.name for backend in BACKENDS)
        workloads = tuple(workload.name for workload in WORKLOADS)
        known = {variant.id: variant for variant in matrix(tuple(rig.models), backends, workloads)}
        if unknown := [name for name in ids if name not in known]:
            raise UsageError(f"no variant {', '.join(unknown)}; `perfsuite matrix` lists what their names are made of")
        for variant in (known[name] for name in ids):
            if not (support := rig.support(variant)).supported:
                print(f"{variant.id}: unsupported: {support.reason}\n")
                status = 1
                continue
            try:
                evidence = rig.evidence(variant)
            except WorkerError as error:
                print(f"{variant.id}: {error}\n")
                status = 1
                continue
            expected = expectation(variant, rig.models[variant.model].reads)
            found = violations(
                evidence,
                expected,
                cpu=read_cpu(),
                environ=rig.worker_environment,
                require_amx=rig.settings.require_isa == "amx",
            )
            print("\n".join(kernel_table_lines(variant, evidence)))
            print(
                "\n".join(f"gate: {line}" for line in found)
                or f"gate: as expected{expected.known and f' ({expected.known})'}"
            )
            print()
            status = status or bool(found)
    return status
