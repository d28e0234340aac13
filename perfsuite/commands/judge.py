"""`perfsuite judge`: a stored session against others, without measuring anything."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from perfsuite.quantities import share

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction

    from perfsuite.records.evidence import Evidence
    from perfsuite.records.violation import Violation
    from perfsuite.spec import Variant


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "judge",
        help="a stored session against others: what is slower, wrong or lost",
        description="Hold a stored session against accepted ones, as a timing run does, without running anything. "
        "Nothing is measured again, so that what may be slower stays unconfirmed. Exit status: 0 nothing is worse, "
        "1 something is slower, wrong or lost, 2 usage, 3 nothing could be judged, or perfsuite itself failed.",
    )
    add = parser.add_argument
    add("--baseline", type=Path, nargs="+", required=True, metavar="FILE",
        help="sessions of one stack and machine class: baselines, or what --benchmark-json wrote")  # fmt: skip
    add("--candidate", type=Path, required=True, metavar="FILE", help="the session that is judged")
    add("-k", default="", metavar="EXPRESSION", help="only variants whose id fits, as in pytest")
    add("--matters", type=share, metavar="R", help="the least slowdown that matters, such as 5%% (default: 2%%)")
    add("--accept-lost", action="store_true", help="let pass what the baseline does and the candidate does not")
    add("--require-verdict", action="store_true", help="exit 3 where a variant stays inconclusive, too")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from perfsuite.errors import UsageError
    from perfsuite.gates.expectations import Expectation, expectation
    from perfsuite.judge.colour import exit_status
    from perfsuite.judge.outcome import judge_support
    from perfsuite.judge.session import judge_results
    from perfsuite.judge.stored import suspects
    from perfsuite.models import load_models
    from perfsuite.records.outcome import Policy
    from perfsuite.report.judge import judgement_lines
    from perfsuite.selection import selects
    from perfsuite.settings import project_root, read_settings
    from perfsuite.spec import Support
    from perfsuite.store.sessions import read_pool

    settings = read_settings(project_root(Path.cwd()), {"matters": options.matters})
    models = load_models(settings.models)
    pool = read_pool(options.baseline, options.candidate, most=settings.sessions)
    fits = selects(options.k, "")
    measurements = {one.variant: one for one in pool.candidate.measurements if fits(one.variant)}
    if not measurements:
        raise UsageError(f"-k {options.k!r} selects no variant of {options.candidate}")
    if unknown := sorted({variant.model for variant in measurements} - models.keys()):
        raise UsageError(f"there is no model {', '.join(unknown)}: name it in [tool.perfsuite.models] of this folder")

    def expected(variant: Variant) -> Expectation:
        return expectation(variant, models[variant.model].reads)

    failures = {one.variant: one for one in pool.candidate.failures if fits(one.variant)}
    outcomes = judge_results(
        {**measurements, **failures},
        pool.find,
        expected=expected,
        gate=_no_objections,
        limits=settings.limits,
        regression_ratio=settings.regression_ratio,
    )
    for one in pool.candidate.unsupported:
        if one.variant in pool.variants and fits(one.variant):
            outcomes[one.variant] = judge_support(one.variant, Support(reason=one.reason), in_baseline=True)
    speeds = {variant: outcome.speed for variant, outcome in outcomes.items() if outcome.speed}
    found = suspects(measurements, speeds, matters=lambda variant: settings.limits(variant).matters)
    left = [variant for variant in pool.variants if fits(variant) and variant not in outcomes]
    print("\n".join(judgement_lines(list(outcomes.values()), found.slower, found.faster, left)))
    policy = Policy(require_verdict=options.require_verdict, accept_lost=options.accept_lost)
    return exit_status(outcomes.values(), policy)


def _no_objections(variant: Variant, evidence: Evidence) -> tuple[Violation, ...]:
    """What a machine offers is known on that machine alone: stored kernels are held against stored ones."""
    return ()
