"""A session that was held against accepted ones -> what its page is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from perfsuite.backends.registry import slug_of
from perfsuite.explain.changes import evidence_changes
from perfsuite.judge.colour import colour
from perfsuite.records.baseline import Baseline
from perfsuite.records.explanation import Explanation
from perfsuite.records.measurement import Measurement
from perfsuite.records.outcome import Outcome
from perfsuite.records.pair import Pairing
from perfsuite.records.session import Session
from perfsuite.records.speed import Verdict
from perfsuite.report.evidence import change_line
from perfsuite.report.explain import explanation_lines
from perfsuite.report.judged import Judged
from perfsuite.report.outcome import outcome_lines
from perfsuite.report.page.chapter import Chapter, Contents, Names, Side
from perfsuite.report.page.environment import commit_words, session_settings
from perfsuite.report.placement import placement_sentence
from perfsuite.spec import Variant

_NAMES = Names(before="baseline", after="this run")
_MOVED = (Verdict.REGRESSED, Verdict.IMPROVED)


def session_contents(judged: Judged) -> Contents:
    """A chapter for each outcome."""
    session = judged.session
    return Contents(
        title=f"{slug_of(session.stack)} on {session.machine.slug}",
        names=_NAMES,
        facts=tuple(_facts(judged)),
        lines=tuple(judged.lines),
        chapters=tuple(_chapter(judged, outcome) for outcome in judged.outcomes.values()),
        settings=session_settings(newest, session) if (newest := _newest(judged.outcomes)) else (),
    )


def _facts(judged: Judged) -> Iterator[tuple[str, str]]:
    session = judged.session
    yield "begun", moment(session)
    yield "stack", f"{slug_of(session.stack)}, Python {session.stack.python}"
    yield "machine", f"{session.machine.cpu_model}, {session.machine.physical_cores} cores ({session.machine.slug})"
    if session.placement:
        yield "where", placement_sentence(session.placement)
    yield "commit", commit_words(session)
    if newest := _newest(judged.outcomes):
        yield "held against", f"sessions of {slug_of(newest.stack)}, the newest of {moment(newest)}"
    yield "session", session.id


def moment(session: Session) -> str:
    """When it began, to the minute."""
    text = session.begun_compact
    return f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[9:11]}:{text[11:13]} UTC"


def _baseline(outcome: Outcome) -> Baseline | None:
    """What it was held against, also where it was then stepped beside it."""
    speed = outcome.confirmation.stored if outcome.confirmation else outcome.speed
    return speed.baseline if speed and isinstance(speed.baseline, Baseline) else None


def _newest(outcomes: Mapping[Variant, Outcome]) -> Session | None:
    """The newest session that any was held against."""
    sessions = [found.accepted[0].session for one in outcomes.values() if (found := _baseline(one))]
    return max(sessions, key=lambda session: session.begun_compact, default=None)


def _chapter(judged: Judged, outcome: Outcome) -> Chapter:
    variant = outcome.variant
    result, stored = judged.results.get(variant), _baseline(outcome)
    now = result if isinstance(result, Measurement) else None
    explanation, beside = judged.explanations.get(variant), judged.beside.get(variant)
    before = Side.of(stored.measurement) if stored else None
    after = Side.of(now) if now else None
    if before and beside and beside.evidence:
        before = replace(before, evidence=beside.evidence)
    return Chapter(
        name=variant.id,
        pairing=Pairing(baseline=variant, candidate=variant),
        outcome=outcome,
        colour=colour(outcome, judged.policy),
        lines=(*_outcome(outcome), *_why(outcome, explanation, before, after)),
        before=before,
        after=after,
        stored=stored,
        now=now,
        pairs=beside.pairs if beside else (),
        trends=judged.trends.get(variant, ()),
        session=judged.session.id,
    )


def _outcome(outcome: Outcome) -> Iterator[str]:
    """Its lines below the headline stand by themselves here."""
    yield from (line.removeprefix("  ") for line in outcome_lines(outcome))


def _why(outcome: Outcome, explanation: Explanation | None, before: Side | None, after: Side | None) -> Iterator[str]:
    """Why it is slower or faster; of what is neither, in what its kernels differ."""
    if outcome.speed and outcome.speed.verdict in _MOVED and explanation:
        yield from explanation_lines(explanation)
    elif before and after and before.evidence and after.evidence:
        yield from map(change_line, evidence_changes(before.evidence, after.evidence))
