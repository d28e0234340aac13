"""Verdicts and ratios at a glance: a sign for each verdict, a level of colour for each ratio."""

from __future__ import annotations

from perfsuite.records.outcome import Outcome
from perfsuite.records.speed import Verdict
from perfsuite.report.page.view import Sign

#: In text that every font has, so that no colour is needed to tell them apart.
_MARKS = {
    Verdict.IMPROVED: "↓",
    Verdict.UNCHANGED: "=",
    Verdict.UNSUPPORTED: "-",
    Verdict.MISSING_BASELINE: "○",
    Verdict.INCONCLUSIVE: "?",
    Verdict.INCOMPARABLE: "≠",
    Verdict.REGRESSED: "↑",
    Verdict.LOST: "✕",
    Verdict.ERROR: "!",
}
#: From which ratio on the colour is the next. Judgement: what matters by default, what nobody overlooks, and half as
#: long again; faster by as much has the same steps.
_STEPS = (1.02, 1.1, 1.5)
#: What stands in the place of a ratio, where there is none to tell.
_WITHOUT_RATIO = "none"


def sign_of(outcome: Outcome) -> Sign:
    """The verdict's; what the user ignores is in brackets."""
    mark, word = _MARKS[outcome.verdict], str(outcome.verdict)
    return Sign(mark=f"({mark})", word=f"{word}, ignored") if outcome.ignored else Sign(mark=mark, word=word)


def level_of(outcome: Outcome) -> str:
    """``slower-3`` to ``faster-3``, ``same``, or ``none`` where no ratio is known, or the machine alone made it."""
    ratio = outcome.speed.ratio if outcome.speed else None
    if ratio is None or outcome.only_machine_moved:
        return _WITHOUT_RATIO
    steps = sum(max(ratio, 1 / ratio) >= step for step in _STEPS)
    return f"{'slower' if ratio > 1 else 'faster'}-{steps}" if steps else "same"


def legend() -> tuple[tuple[str, str], ...]:
    """Each level of colour that a ratio can have, the fastest first, and from what difference on."""
    steps = list(enumerate(_STEPS, start=1))
    return (
        *((f"faster-{number}", f"faster by {1 - 1 / step:.0%} and more") for number, step in reversed(steps)),
        ("same", "between"),
        *((f"slower-{number}", f"slower by {step - 1:.0%} and more") for number, step in steps),
    )
