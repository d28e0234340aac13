"""`perfsuite tune`: which settings make a variant faster on this machine, measured."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from perfsuite.places import WORKER_OPTIONS, add_worker_options
from perfsuite.quantities import seconds, share

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction

    from perfsuite.compare.pairings import Party
    from perfsuite.records.tuning import Candidate, Tuning
    from perfsuite.settings import Settings

#: As of ``perfsuite compare``.
_RESOLUTION = 0.02
#: A dozen candidates on two cores, a minute each: four pairs, whose launchers import for 5 to 10 s.
_BUDGET_S = 15 * 60.0
_JOURNALS = Path(".perfsuite") / "tune"


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "tune",
        help="which threads, instances, allocator, huge pages and OpenMP settings are fastest here",
        description="Measure one candidate setting after another, side by side with what is set now, and print the "
        "best line to paste. Ratios are of a candidate over the current setting, of the time for each pass that any "
        "instance makes: below 1 is faster.",
    )
    parser.add_argument("variant", metavar="VARIANT", help="such as bert-base-ipex-dynamo-bf16-latency")
    add = parser.add_argument
    add("--resolution", type=share, default=_RESOLUTION, metavar="R",
        help="the smallest difference that matters, such as 1%% (default: 2%%)")  # fmt: skip
    add("--budget", type=seconds, default=_BUDGET_S, metavar="TIME",
        help="time to measure in, such as 90s, 20m, 1h (default: 15m)")  # fmt: skip
    add_worker_options(add)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from perfsuite.measure.lock import machine_lock
    from perfsuite.report.console import output_console
    from perfsuite.report.tune import print_tuning
    from perfsuite.settings import project_root, read_settings

    root = project_root(Path.cwd())
    settings = read_settings(root, {name: getattr(options, name) for name in WORKER_OPTIONS})
    with machine_lock("perfsuite tune"):
        tuning = _tuning(options, settings, root)
    print_tuning(tuning, output_console())
    return 0


def _tuning(options: argparse.Namespace, settings: Settings, root: Path) -> Tuning:
    from perfsuite.backends.registry import variants
    from perfsuite.compare.pairings import Party
    from perfsuite.errors import UsageError
    from perfsuite.measure.clock import Clock
    from perfsuite.measure.placement import place
    from perfsuite.measure.rig import Rig
    from perfsuite.report.progress import within_budget
    from perfsuite.report.tune import setting
    from perfsuite.spec import WORKLOADS
    from perfsuite.tune.candidates import candidates, huge_pages_on_request, libraries
    from perfsuite.tune.run import tune

    with Rig(settings) as rig:
        known = {one.id: one for one in variants(rig.models, (workload.name for workload in WORKLOADS))}
        if options.variant not in known:
            raise UsageError(f"no variant {options.variant}; `perfsuite matrix` lists what their names are made of")
        variant = known[options.variant]
        if not (support := rig.support(variant)).supported:
            raise UsageError(f"{variant.id} is unsupported: {support.reason}")
        unshaped = dataclasses.replace(settings, instances=None, threads=None, launch_mode=None)
        some = candidates(
            cores=max(len(place(unshaped).cpus), len(rig.placement.cpus)),
            instances=rig.placement.instances,
            threads=rig.placement.threads,
            preload=settings.preload,
            environ=os.environ,
            there=libraries(Path(sys.executable)),
            huge_pages=huge_pages_on_request(),
        )

        @contextmanager
        def open_party(candidate: Candidate) -> Iterator[Party]:
            shaped = dataclasses.replace(
                unshaped, instances=candidate.instances, threads=candidate.threads, preload=candidate.preload
            )
            with Rig(shaped, environ={**os.environ, **candidate.variables}, ledger=rig.ledger) as other:
                yield Party(name=candidate.knob, backend=variant.backend, rig=other)

        clock = Clock(options.budget)
        with within_budget(clock) as say:

            def tell(candidate: Candidate, text: str) -> None:
                say(f"{setting(candidate, placement=rig.placement, preload=settings.preload)}: {text}")

            return tune(
                variant,
                Party(name="current", backend=variant.backend, rig=rig),
                some,
                open_party,
                resolution=options.resolution,
                journals=root / _JOURNALS,
                clock=clock,
                say=tell,
            )
