"""What the end of a pytest run tells: pytest's hooks, of records that are all there by then."""

from __future__ import annotations

import os
import shlex
import textwrap
from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING

import pytest

from perfsuite.github import add_summary, write_text
from perfsuite.judge.colour import colour
from perfsuite.options import RUN, Run, command_again
from perfsuite.records.outcome import Colour
from perfsuite.report import text
from perfsuite.report.evidence import change_lines, evidence_lines
from perfsuite.report.github import COMMENT_BYTES, annotation_lines
from perfsuite.report.text import WIDTH, wrapped
from perfsuite.store.documents import KEY

if TYPE_CHECKING:
    from pytest_benchmark.session import BenchmarkSession

#: Options of pytest-benchmark's own table, or of what it prints with it: who gives one wants to see that.
_TABLE_OPTIONS = tuple(
    f"--benchmark-{name}"
    for name in ("columns", "sort", "group-by", "name", "time-unit", "histogram", "compare", "cprofile", "verbose")
)


def _arguments(config: pytest.Config) -> list[str]:
    """All that pytest was started with, whoever said it."""
    given = (*config.getini("addopts"), *shlex.split(os.environ.get("PYTEST_ADDOPTS", "")))
    return [*given, *map(str, config.invocation_params.args)]


def asks_for_table(arguments: Iterable[str]) -> bool:
    """Whether anybody wants to see pytest-benchmark's table, or what it prints with it."""
    return any(argument.partition("=")[0] in _TABLE_OPTIONS for argument in arguments)


@pytest.hookimpl(wrapper=True, trylast=True)  # around the table of pytest-benchmark, before pytest's own end
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Generator[None, None, None]:
    run = config.stash.get(RUN, None)
    if run is not None and run.timing and not asks_for_table(_arguments(config)):
        _leave_out_ours(config._benchmarksession)  # type: ignore[attr-defined]
    yield
    if run is not None:
        _tell_all(terminalreporter, config, run)


def _leave_out_ours(benchmarks: BenchmarkSession) -> None:
    """From pytest-benchmark's table, 130 columns wide. What else that prints, and raises, stays."""
    others = [
        (group, left)
        for group, members in benchmarks.groups or ()
        if (left := [one for one in members if KEY not in one["extra_info"]])
    ]
    if others:
        benchmarks.groups = others
    else:
        benchmarks.quiet = True


def _tell_all(terminalreporter: pytest.TerminalReporter, config: pytest.Config, run: Run) -> None:
    from perfsuite import session as stages

    if run.accuracies:
        _tell(terminalreporter, "accuracy against FP32", text.accuracy_lines(run.accuracies))
    if run.observed:
        own = stages.expectation_lines(run, run.rig, dict(run.observed)) if run.rig else []
        _tell(terminalreporter, "kernels", (*evidence_lines(run.observed), *own))
    if run.evidence_changes:
        _tell(terminalreporter, "evidence against baselines", change_lines(run.evidence_changes))
    if run.timing and (run.outcomes or run.untimed or run.page_lines or run.history_lines):
        _tell_timing(terminalreporter, config, run)
        _fold_skips(terminalreporter, config)
    for line in annotation_lines(run.annotations):
        terminalreporter.write_line(line)


def _tell(reporter: pytest.TerminalReporter, title: str, lines: Iterable[str]) -> None:
    reporter.section(title)
    for line in wrapped(lines):
        reporter.write_line(line)


def _tell_timing(reporter: pytest.TerminalReporter, config: pytest.Config, run: Run) -> None:
    from perfsuite.ending import ending_lines
    from perfsuite.report.verdicts import verdict_table_lines

    reporter.section("perfsuite")
    for line in verdict_table_lines(run.outcomes, run.untimed, run.policy, coloured=reporter.hasmarkup):
        reporter.write_line(line)
    for line in wrapped((*ending_lines(run), *run.page_lines, *run.history_lines, *_written(config, run))):
        reporter.write_line(line)


def _written(config: pytest.Config, run: Run) -> list[str]:
    """Write what was asked for and what a GitHub job is given by itself; what is to be said of that."""
    if run.journal is None or not (run.report_markdown or run.report_issue or os.environ.get("GITHUB_STEP_SUMMARY")):
        return []
    from perfsuite.ending import judged
    from perfsuite.report.markdown import issue_text, summary_markdown

    found = judged(run)
    red = [one.variant for one in found.outcomes.values() if colour(one, run.policy) is Colour.RED]
    command = command_again(config, run, red) if red else ""
    told = add_summary(lambda most_bytes: summary_markdown(found, most_bytes, command=command))
    if run.report_markdown:
        told += write_text(run.report_markdown, summary_markdown(found, COMMENT_BYTES, command=command))
    if run.report_issue:
        told += write_text(run.report_issue, issue_text(found, command=command))
    return told


def _fold_skips(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Let the reasons of what was skipped, which pytest tells after us (-ra), stand in WIDTH columns.

    What others record of the reports (JUnit) they have by now.
    """
    skipped: Sequence[pytest.TestReport] = reporter.stats.get("skipped", ())
    for report in skipped:
        if isinstance(report.longrepr, tuple):
            path, line, reason = report.longrepr
            head = f"SKIPPED [{len(skipped)}] {os.path.relpath(path, config.invocation_params.dir)}:{line}: "
            report.longrepr = path, line, _beside(head, reason.removeprefix("Skipped: "))


def _beside(head: str, text: str) -> str:
    """The text as it stands in WIDTH columns behind the head, or below it where that leaves no room."""
    room = WIDTH - len(head)
    first, rest = "", text
    if room > WIDTH // 3:
        first, *others = textwrap.wrap(text, room, break_on_hyphens=False) or [""]
        rest = " ".join(others)
    below = textwrap.wrap(rest, WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join((first, *below))
