"""`perfsuite kernels`: the whole kernel table of a few variants, and what the gate says of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("kernels", help="run variants once and print which kernels they really use")
    parser.add_argument("variants", nargs="+", metavar="VARIANT", help="such as bert-base-ipex-dynamo-bf16-latency")
    parser.add_argument("--stack", default="current", metavar="NAME", help="run in this stack (default: %(default)s)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    """Run each variant; 1 if one fails or its kernels are not what is expected."""
    from perfsuite.backends.registry import variants
    from perfsuite.errors import UsageError, WorkerError
    from perfsuite.measure.rig import Rig
    from perfsuite.report.evidence import kernel_table_lines
    from perfsuite.report.text import wrapped
    from perfsuite.report.violations import violation_lines
    from perfsuite.settings import project_root, read_settings
    from perfsuite.spec import WORKLOADS
    from perfsuite.stacks.build import ready_stack
    from perfsuite.stacks.definitions import stack_definitions

    ids = options.variants
    status = 0
    root = project_root(Path.cwd())
    settings = read_settings(root, {})
    ready = ready_stack(options.stack, stack_definitions(settings.stacks, root), project=root, say=print)
    with Rig(settings, ready=ready) as rig:
        known = {one.id: one for one in variants(rig.models, (workload.name for workload in WORKLOADS))}
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
            found = rig.objections(variant, evidence)
            unasked = rig.expectation(variant).known
            gate = violation_lines(found) or [f"as expected{unasked and f' ({unasked})'}"]
            lines = [*kernel_table_lines(variant, evidence), *(f"gate: {line}" for line in gate)]
            print("\n".join(wrapped(lines)), end="\n\n")
            status = status or bool(found)
    return status
