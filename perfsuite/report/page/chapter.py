"""What a page is made of, whoever judged it: a timing run, stored sessions, or a comparison."""

from __future__ import annotations

from dataclasses import dataclass

from perfsuite.records.accuracy import Accuracy
from perfsuite.records.baseline import Baseline
from perfsuite.records.evidence import Evidence
from perfsuite.records.explanation import Setting
from perfsuite.records.history import Trend
from perfsuite.records.measurement import Measurement, Replicate
from perfsuite.records.outcome import Colour, Outcome
from perfsuite.records.pair import Pair, Pairing


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What is known of one side of a variant.

    Its costs are told of its ``replicates``; ``cpus`` is how many its workers compute on.
    """

    replicates: tuple[Replicate, ...] = ()
    evidence: Evidence | None = None
    accuracy: Accuracy | None = None
    cpus: int = 1

    @classmethod
    def of(cls, measurement: Measurement) -> Side:
        return cls(
            replicates=measurement.replicates,
            evidence=measurement.evidence,
            accuracy=measurement.accuracy,
            cpus=measurement.machine.threads * measurement.machine.instances,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """All that the page tells of one variant, or of one pairing of two, under a ``name`` that no other chapter has.

    ``lines`` are what is said of it in words, the headline first, indented where one belongs to the line above.
    ``stored`` and ``now`` are the accepted sessions and what was held against them; ``pairs`` were stepped side by
    side, ``trends`` are what the history has of it, ``session`` the id of the one in them that the page is about.
    """

    name: str
    pairing: Pairing
    outcome: Outcome
    colour: Colour
    lines: tuple[str, ...]
    before: Side | None = None
    after: Side | None = None
    stored: Baseline | None = None
    now: Measurement | None = None
    pairs: tuple[Pair, ...] = ()
    trends: tuple[Trend, ...] = ()
    session: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the two sides are called on a page: short, for tables and legends."""

    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """A whole page's: ``facts`` of what it is about, ``lines`` of what came of it, ``settings`` that differ."""

    title: str
    names: Names
    facts: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]
    chapters: tuple[Chapter, ...]
    settings: tuple[Setting, ...] = ()
