"""A session that was held against accepted ones, with what came of it: what pages and Markdown are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from perfsuite.records.evidence import Evidence
from perfsuite.records.explanation import Explanation
from perfsuite.records.history import Trend
from perfsuite.records.measurement import Failure, Measurement
from perfsuite.records.outcome import Outcome, Policy
from perfsuite.records.pair import Pair
from perfsuite.records.session import Session
from perfsuite.spec import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a variant's workers did beside those of its baseline's stack, and that stack's evidence if seen anew."""

    pairs: tuple[Pair, ...]
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A session and what came of it; ``session`` may be without its entries, and ``lines`` are of all together.

    ``trends`` are what the history has of its variants, this session among them if it is kept there.
    """

    session: Session
    outcomes: Mapping[Variant, Outcome]
    results: Mapping[Variant, Measurement | Failure]
    explanations: Mapping[Variant, Explanation]
    lines: Sequence[str]
    policy: Policy
    beside: Mapping[Variant, Beside] = field(default_factory=dict)
    trends: Mapping[Variant, tuple[Trend, ...]] = field(default_factory=dict)
