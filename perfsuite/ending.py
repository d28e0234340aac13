"""The end of a timing run: what is said of it, and the page that shows it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from perfsuite.backends.registry import slug_of
from perfsuite.errors import PerfsuiteError
from perfsuite.judge.outcome import judge_support
from perfsuite.options import Run
from perfsuite.partial import partial_of
from perfsuite.records.history import Metric, Trend
from perfsuite.records.session import Session
from perfsuite.replay import document_of
from perfsuite.report.judged import Beside, Judged
from perfsuite.report.timing import Timing, timing_lines
from perfsuite.session import closing_lines
from perfsuite.spec import Variant
from perfsuite.store.documents import with_verdicts

if TYPE_CHECKING:
    from perfsuite.history.database import History


def ending_lines(run: Run) -> list[str]:
    """The whole section, for a terminal."""
    timing = Timing(
        outcomes=run.outcomes,
        results=run.results,
        untimed=run.untimed,
        resumed=run.resumed,
        unmeasured=run.unmeasured,
        acceptance=run.acceptance,
        not_accepted=run.not_accepted,
        baselines=run.settings.baselines.name,
        confirm=run.settings.confirm,
        pairs=run.pairs,
        wall_s=run.campaign_s,
        chores=run.rig.ledger.spent_s if run.rig else {},
    )
    return [*timing_lines(timing), *(closing_lines(run, run.rig) if run.rig else ())]


def keep_session(run: Run) -> list[str]:
    """Put what was measured into the history; what is said where that cannot be, and where it lies instead.

    Where a page is to show them, the trends of its variants are read, too.
    """
    from perfsuite.history.address import FOLDER, history_url
    from perfsuite.history.database import History
    from perfsuite.history.rows import rows_of

    rows = rows_of(run.whole_session, slug_of(run.stack), run.verdicts)
    try:
        history = History(history_url(run.root, run.settings.history, os.environ))
        try:
            history.keep(rows)
            if run.report_html:
                run.trends = _trends(history, run.whole_session)
        finally:
            history.close()
    except (PerfsuiteError, OSError) as error:
        file = run.root / FOLDER / f"{run.session.id}.json"
        shown, partial = file.relative_to(run.root), partial_of(file)
        try:
            document = with_verdicts(document_of(run.whole_session), run.verdicts)
            partial.write_text(json.dumps(document), encoding="utf-8")
            partial.replace(file)
        except OSError as failed:
            partial.unlink(missing_ok=True)
            return [
                f"history: {error}",
                f"  {shown} cannot be written either ({failed.strerror}): the session is lost",
            ]
        # The command stands alone, for lines are folded.
        return [
            f"history: {error}",
            "  the session is in a file, to be taken in by",
            f"  perfsuite history import {shown}",
        ]
    return []


def _trends(history: History, session: Session) -> dict[Variant, tuple[Trend, ...]]:
    from perfsuite.history.changes import trends_of
    from perfsuite.report.page.trend import SESSIONS

    variants = [one.variant for one in session.measurements]
    return trends_of(history, session, variants, (Metric.LATENCY,), last=SESSIONS)


def write_page(run: Run) -> list[str]:
    """The page that was asked for; what is said of it. PerfsuiteError if it cannot be written."""
    from perfsuite.report.page.document import write_page
    from perfsuite.report.page.sessions import session_contents

    assert run.report_html is not None
    if not run.results:
        return [f"--report-html: nothing was timed, so that {run.report_html.name} is not written"]
    write_page(session_contents(judged(run)), run.report_html)
    inside = run.report_html.is_relative_to(run.root)
    return [f"page: {run.report_html.relative_to(run.root) if inside else run.report_html}"]


def judged(run: Run) -> Judged:
    """The run's session with all that came of it, what was asked for and cannot run too."""
    unsupported = {
        variant: judge_support(variant, support, in_baseline=False)
        for variant, support in run.untimed.items()
        if variant not in run.outcomes
    }
    return Judged(
        session=run.session,
        outcomes={**run.outcomes, **unsupported},
        results=run.results,
        explanations=run.explanations,
        lines=ending_lines(run),
        policy=run.policy,
        beside={
            variant: Beside(pairs=found.trial.told, evidence=found.evidence) for variant, found in run.confirmed.items()
        },
        trends=run.trends,
    )
