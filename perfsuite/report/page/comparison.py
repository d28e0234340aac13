"""A comparison of two stacks -> what its page is made of."""

from __future__ import annotations

from collections.abc import Iterator

from perfsuite.backends.registry import slug_of
from perfsuite.judge.colour import colour
from perfsuite.records.comparison import Inspection, OneSided, Report, Row, StackSide
from perfsuite.records.explanation import Setting
from perfsuite.records.measurement import Replicate
from perfsuite.records.outcome import Outcome, Policy
from perfsuite.records.pair import Pairing
from perfsuite.report.compare import gap_words, meanwhile_lines, verdict_line, why_lines
from perfsuite.report.outcome import fault_lines, reason_words, speed_line, verdict_words
from perfsuite.report.page.chapter import Chapter, Contents, Names, Side
from perfsuite.report.page.environment import changed_settings, stack_settings
from perfsuite.report.placement import placement_sentence


def comparison_contents(report: Report, policy: Policy) -> Contents:
    """A chapter for each row, for what only one side has, and for modes that are wrong."""
    before, after = report.baseline, report.candidate
    return Contents(
        title=f"{before.name} against {after.name}",
        names=Names(before=f"A, {before.name}", after=f"B, {after.name}"),
        facts=tuple(_facts(report)),
        lines=(verdict_line(report), *meanwhile_lines(report)),
        chapters=(
            *(_row_chapter(report, row, policy) for row in report.rows),
            *(_one_sided_chapter(one, policy) for one in report.one_sided),
            *(_mode_chapter(outcome, policy) for outcome in report.wrong_modes),
        ),
        settings=tuple(_settings(report)),
    )


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    for letter, side in (("A", report.baseline), ("B", report.candidate)):
        yield letter, f"{side.name} ({slug_of(side.stack)}, Python {side.stack.python}), backend {side.backend}"
        yield f"{letter} ran", f"{placement_sentence(side.placement)} ({side.machine_slug})"


def _settings(report: Report) -> Iterator[Setting]:
    """What of the stacks and of where they ran is another; variables as the rows' workers had them."""
    before, after = report.baseline, report.candidate
    yield from stack_settings(before.stack, after.stack)
    variables = [one for row in report.rows if row.explanation for one in row.explanation.notes.variables]
    yield from dict.fromkeys(variables)
    yield from changed_settings(_place(before), _place(after))


def _place(side: StackSide) -> dict[str, str]:
    return {"backend": side.backend, "where": placement_sentence(side.placement), "machine class": side.machine_slug}


def _row_chapter(report: Report, row: Row, policy: Policy) -> Chapter:
    seen = row.examination
    headline = f"{row.pairing.id}: {verdict_words(row.outcome)}"
    if row.outcome.speed:
        headline += f", {speed_line(row.outcome.speed)}"
    return Chapter(
        name=row.pairing.id,
        pairing=row.pairing,
        outcome=row.outcome,
        colour=colour(row.outcome, policy),
        lines=(headline, *_why(row)),
        before=_side(report.baseline, tuple(pair.baseline for pair in row.pairs), seen.baseline if seen else None),
        after=_side(report.candidate, tuple(pair.candidate for pair in row.pairs), seen.candidate if seen else None),
        pairs=row.pairs,
    )


def _why(row: Row) -> Iterator[str]:
    """All but the reason, which the headline has."""
    speed = row.outcome.speed
    yield from (line for line in why_lines(row) if speed is None or line != reason_words(speed))


def _side(side: StackSide, replicates: tuple[Replicate, ...], seen: Inspection | None) -> Side:
    return Side(
        replicates=replicates,
        evidence=seen.evidence if seen else None,
        accuracy=seen.accuracy if seen else None,
        cpus=len(side.placement.cpus),
    )


def _one_sided_chapter(one: OneSided, policy: Policy) -> Chapter:
    """What cannot be held against its like, with what each side lacks."""
    gaps = [f"not in {letter}: {gap_words(gap)}" for letter, gap in (("A", one.baseline), ("B", one.candidate)) if gap]
    return Chapter(
        name=one.name,
        pairing=Pairing(baseline=one.outcome.variant, candidate=one.outcome.variant),
        outcome=one.outcome,
        colour=colour(one.outcome, policy),
        lines=(f"{one.name}: {verdict_words(one.outcome)}", *gaps, *fault_lines(one.outcome)),
    )


def _mode_chapter(outcome: Outcome, policy: Policy) -> Chapter:
    """A mode that was no choice for the best one: it is wrong."""
    return Chapter(
        name=outcome.variant.id,
        pairing=Pairing(baseline=outcome.variant, candidate=outcome.variant),
        outcome=outcome,
        colour=colour(outcome, policy),
        lines=(f"{outcome.variant.id}: {verdict_words(outcome)}, beside another mode", *fault_lines(outcome)),
    )
