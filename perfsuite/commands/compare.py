"""`perfsuite compare`: two stacks, side by side on the same cores."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from perfsuite.places import WORKER_OPTIONS, add_side_worker_options, add_worker_options, side_options
from perfsuite.quantities import HTML, output, seconds, share

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction

    from perfsuite.measure.rig import Rig
    from perfsuite.records.comparison import Report
    from perfsuite.settings import Settings

#: The smallest difference that matters by default. Real changes of libraries that people report are
#: 5 % and more (pt#150514, ipex#768); some ten pairs resolve 2 % (`perfsuite selfcheck compare`).
_RESOLUTION = 0.02
#: Enough for a model's dozen variants on two cores.
_BUDGET_S = 20 * 60.0
_JOURNALS = Path(".perfsuite") / "compare"
_WRITERS = (".json", ".md", *HTML)


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "compare",
        help="two stacks side by side: which is faster, by how much, how surely, and why",
        description="Measure two stacks in turn on the same cores. Ratios are B over A: above 1, B is slower. "
        "Exit status: 0 nothing is worse in B, 1 something is slower, wrong or lost, 2 usage, "
        "3 nothing could be judged, or perfsuite itself failed.",
    )
    parser.add_argument(
        "A",
        metavar="A",
        help="the stack that is: a name of `perfsuite stacks list`, "
        "NAME:BACKEND, or NAME@COMMIT of the project's own code",
    )
    parser.add_argument("B", metavar="B", help="the stack that may replace it; BACKEND is one of `perfsuite matrix`")
    add = parser.add_argument
    add("-k", default="", metavar="EXPRESSION", help="only variants whose id fits, as in pytest")
    add("-m", default="", metavar="EXPRESSION", help="only variants whose marks fit, as in pytest")
    add("--workload", default="latency", metavar="NAMES", help="comma-separated workloads (default: %(default)s)")
    add("--best", action="store_true", help="each stack's best mode of each model and precision against the other's")
    add("--resolution", type=share, default=_RESOLUTION, metavar="R",
        help="the smallest difference that matters, such as 1%% (default: 2%%)")  # fmt: skip
    add("--budget", type=seconds, default=_BUDGET_S, metavar="TIME",
        help="time to measure in, such as 90s, 20m, 1h (default: 20m)")  # fmt: skip
    add_worker_options(add)
    add_side_worker_options(add, "b")
    add("--output", type=_output, action="append", default=[], metavar="FILE",
        help="write the report too, as FILE.md, FILE.json or a page, FILE.html; may be repeated")  # fmt: skip
    add("--resume", action="store_true", help="go on with the newest comparison that was interrupted")
    add("--accept-lost", action="store_true", help="let pass what A supports or does and B does not")
    add("--require-verdict", action="store_true", help="exit 3 where a variant stays inconclusive, too")
    parser.set_defaults(run=_run)


def _output(text: str) -> Path:
    path = Path(text)
    if path.suffix not in _WRITERS:
        raise argparse.ArgumentTypeError(
            f"{text}: the ending says how it is written: {', '.join(_WRITERS[:-1])} or {_WRITERS[-1]}"
        )
    return output(text)


def _run(options: argparse.Namespace) -> int:
    from perfsuite.github import add_summary
    from perfsuite.judge.colour import exit_status
    from perfsuite.measure.lock import machine_lock
    from perfsuite.records.outcome import Policy
    from perfsuite.report.compare import markdown, print_report, write_report
    from perfsuite.report.console import output_console
    from perfsuite.report.page.comparison import comparison_contents
    from perfsuite.report.page.document import write_page
    from perfsuite.settings import overridden, project_root, read_settings

    root = project_root(Path.cwd())
    placement = {name: getattr(options, name) for name in WORKER_OPTIONS}
    settings = [read_settings(root, one) for one in (placement, overridden(placement, side_options(options, "b")))]
    with machine_lock("perfsuite compare"):
        report = _report(options, settings, root)
    print_report(report, output_console())
    for line in add_summary(lambda most_bytes: markdown(report, most_bytes)):
        print(line)
    policy = Policy(require_verdict=options.require_verdict, accept_lost=options.accept_lost)
    for path in options.output:
        if path.suffix in HTML:
            write_page(comparison_contents(report, policy), path)
        else:
            write_report(report, path)
    return exit_status(report.outcomes, policy)


def _report(options: argparse.Namespace, settings: Sequence[Settings], root: Path) -> Report:
    from perfsuite.backends.registry import own_backend
    from perfsuite.compare.pairings import Party, split_party
    from perfsuite.compare.request import Request
    from perfsuite.compare.run import compare_stacks
    from perfsuite.measure.clock import Clock
    from perfsuite.measure.rig import Rig
    from perfsuite.report.progress import within_budget
    from perfsuite.selection import selects
    from perfsuite.spec import named_workloads
    from perfsuite.stacks.build import ready_stack
    from perfsuite.stacks.definitions import stack_definitions

    request = Request(
        fits=selects(options.k, options.m),
        selection=(f"-k {options.k!r}", f"-m {options.m!r}"),
        workloads=named_workloads(options.workload),
        resolution=options.resolution,
        best=options.best,
    )
    definitions = stack_definitions(settings[0].stacks, root)
    asked = [split_party(argument) for argument in (options.A, options.B)]
    ready = [ready_stack(name, definitions, project=root, say=print) for name, _ in asked]
    with Rig(settings[0], ready=ready[0]) as one, Rig(settings[1], ready=ready[1]) as other:
        baseline, candidate = (
            Party(
                name=_name(argument, rig, beside),
                backend=backend or own_backend(rig.stack.packages).name,
                rig=rig,
            )
            for argument, (_, backend), rig, beside in zip(
                (options.A, options.B), asked, (one, other), (other, one), strict=True
            )
        )
        clock = Clock(options.budget)
        with within_budget(clock) as say:
            return compare_stacks(
                baseline, candidate, request, journals=root / _JOURNALS, resume=options.resume, clock=clock, say=say
            )


def _name(argument: str, rig: Rig, beside: Rig) -> str:
    """Of one stack on both sides, placements or what is preloaded are what tells them apart."""
    words = [argument]
    if rig.placement.seats != beside.placement.seats:
        words.append(rig.placement.slug)
    preload = rig.settings.preload
    if preload and preload != beside.settings.preload:
        words.append(f"preload={','.join(preload)}")
    return " ".join(words)
