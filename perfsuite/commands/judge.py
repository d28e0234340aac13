"""`perfsuite judge`: a stored session against others, without measuring anything."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from perfsuite.quantities import html_output, output, share

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction

    from perfsuite.records.history import Trend
    from perfsuite.records.session import Session
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
    add("--baseline", type=Path, nargs="+", metavar="FILE", help="sessions of one stack and machine class: baselines, "
        "or what --benchmark-json wrote (default: the project's own of the candidate's machine class)")  # fmt: skip
    add("--candidate", type=Path, nargs="+", required=True, metavar="FILE",
        help="the session that is judged, or all shards of one night (pytest --shard)")  # fmt: skip
    add("-k", default="", metavar="EXPRESSION", help="only variants whose id fits, as in pytest")
    add("--matters", type=share, metavar="R", help="the least slowdown that matters, such as 5%% (default: 2%%)")
    add("--output", type=output, metavar="FILE", help="write the candidate's session, whose shards are one in it")
    add("--report-markdown", type=output, metavar="FILE",
        help="write what came of it as Markdown, short enough for a comment on a pull request")  # fmt: skip
    add("--report-html", type=html_output, metavar="FILE", help="write a page to look at: one file, no network")
    add("--accept-lost", action="store_true", help="let pass what the baseline does and the candidate does not")
    add("--require-verdict", action="store_true", help="exit 3 where a variant stays inconclusive, too")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from perfsuite.errors import UsageError
    from perfsuite.explain.causes import explain
    from perfsuite.gates.expectations import Expectation, expectation
    from perfsuite.github import add_summary, write_text
    from perfsuite.judge.colour import exit_status
    from perfsuite.judge.session import judge_stored
    from perfsuite.judge.stored import suspects
    from perfsuite.models import load_models
    from perfsuite.records.baseline import Baseline
    from perfsuite.records.outcome import Policy
    from perfsuite.report.github import COMMENT_BYTES
    from perfsuite.report.judge import closing_lines, judgement_lines
    from perfsuite.report.judged import Judged
    from perfsuite.report.markdown import summary_markdown
    from perfsuite.report.page.document import write_page
    from perfsuite.report.page.sessions import session_contents
    from perfsuite.report.text import wrapped
    from perfsuite.report.verdicts import verdict_table_lines
    from perfsuite.selection import selects
    from perfsuite.settings import project_root, read_settings
    from perfsuite.store.joining import read_night, write_night
    from perfsuite.store.sessions import accepted_files, read_pool

    root = project_root(Path.cwd())
    settings = read_settings(root, {"matters": options.matters})
    models = load_models(settings.models)
    candidate = read_night(options.candidate)
    if options.output:
        write_night(options.candidate, candidate, options.output)
    files = options.baseline or accepted_files(settings.baselines, candidate)
    pool = read_pool(files, candidate, most=settings.sessions)
    fits = selects(options.k, "")
    measurements = {one.variant: one for one in candidate.measurements if fits(one.variant)}
    if not measurements:
        raise UsageError(f"-k {options.k!r} selects no variant of {' and '.join(map(str, options.candidate))}")
    if unknown := sorted({variant.model for variant in measurements} - models.keys()):
        raise UsageError(f"there is no model {', '.join(unknown)}: name it in [tool.perfsuite.models] of this folder")

    def expected(variant: Variant) -> Expectation:
        return expectation(variant, models[variant.model].reads, settings.limits(variant).kernels)

    failures = {one.variant: one for one in candidate.failures if fits(one.variant)}
    outcomes = judge_stored(
        candidate,
        pool.find,
        pool.variants,
        fits=fits,
        expected=expected,
        limits=settings.limits,
        regression_ratio=settings.regression_ratio,
    )
    speeds = {variant: outcome.speed for variant, outcome in outcomes.items() if outcome.speed}
    found = suspects(measurements, speeds, matters=lambda variant: settings.limits(variant).matters)
    left = [variant for variant in pool.variants if fits(variant) and variant not in outcomes]
    policy = Policy(require_verdict=options.require_verdict, accept_lost=options.accept_lost)
    lines = judgement_lines(list(outcomes.values()), found.slower, found.faster, left)
    for line in (*verdict_table_lines(outcomes, (), policy), *wrapped(lines)):
        print(line)
    held = {variant: one.baseline for variant, one in speeds.items() if isinstance(one.baseline, Baseline)}
    judged = Judged(
        session=candidate,
        outcomes=outcomes,
        results={**measurements, **failures},
        explanations={variant: explain(one.measurement, measurements[variant]) for variant, one in held.items()},
        lines=closing_lines(list(outcomes.values()), found.slower, found.faster, left),
        policy=policy,
    )
    told: list[str] = []
    if options.report_html:
        trends, told = _trends(root, settings.history, candidate, measurements)
        write_page(session_contents(replace(judged, trends=trends)), options.report_html)
    told += add_summary(lambda most_bytes: summary_markdown(judged, most_bytes))
    if options.report_markdown:
        told += write_text(options.report_markdown, summary_markdown(judged, COMMENT_BYTES))
    for line in told:
        print(line)
    return exit_status(outcomes.values(), policy)


def _trends(
    root: Path, setting: str | None, session: Session, variants: Iterable[Variant]
) -> tuple[dict[Variant, tuple[Trend, ...]], list[str]]:
    """What the project's history has of the variants, if there is one; what is said where it does not answer."""
    from perfsuite.errors import HistoryError
    from perfsuite.history.address import history_url, is_there
    from perfsuite.history.changes import trends_of
    from perfsuite.history.database import History
    from perfsuite.records.history import Metric
    from perfsuite.report.page.trend import SESSIONS

    url = history_url(root, setting, os.environ)
    if not is_there(url):
        return {}, []
    try:
        history = History(url)
        try:
            return trends_of(history, session, variants, (Metric.LATENCY,), last=SESSIONS), []
        finally:
            history.close()
    except HistoryError as error:
        return {}, [f"the page has no trends: {error}"]
