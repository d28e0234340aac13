"""A stored session that was judged, in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from perfsuite.judge.stored import common_drift
from perfsuite.records.outcome import Outcome
from perfsuite.records.speed import Verdict
from perfsuite.report.outcome import outcome_lines
from perfsuite.report.text import variant_names
from perfsuite.spec import Variant

#: A drift that all variants have in common is told from here on: what matters by default.
_TOLD_DRIFT = 0.02


def judgement_lines(
    outcomes: Sequence[Outcome], slower: Sequence[Variant], faster: Sequence[Variant], left: Sequence[Variant]
) -> list[str]:
    """Each outcome, and what is to be said of all together."""
    lines = [line for outcome in outcomes for line in outcome_lines(outcome)]
    return lines + closing_lines(outcomes, slower, faster, left)


def closing_lines(
    outcomes: Sequence[Outcome], slower: Sequence[Variant], faster: Sequence[Variant], left: Sequence[Variant]
) -> list[str]:
    """What of the session is open: suspects, and variants that it ``left`` out."""
    counts = Counter(outcome.verdict for outcome in outcomes)
    lines = ["verdicts: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])]
    drift = common_drift([outcome.speed for outcome in outcomes if outcome.speed])
    if abs(drift) >= _TOLD_DRIFT:
        lines.append(
            f"half of the variants are {'slower' if drift > 0 else 'faster'} by {math.expm1(abs(drift)):.1%} or more"
        )
    if slower:
        lines.append(f"may be slower, unconfirmed ({len(slower)}): {variant_names(slower)}")
    if faster:
        lines.append(f"seem faster, unconfirmed ({len(faster)}): {variant_names(faster)}")
    if slower or faster:
        lines.append("only a run on this kind of machine tells: pytest --benchmark-only, or perfsuite compare")
    if left:
        lines.append(f"not in the candidate ({len(left)}): {variant_names(left)}")
    return lines
