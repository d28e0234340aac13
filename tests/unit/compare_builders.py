"""Pairs of workers and what comes of them, with what a test does not care about filled in."""

from __future__ import annotations

import dataclasses
from typing import Any

from builders import DIGESTS, PLACEMENT, STACK, VARIANT, replicate

from perfsuite.judge.outcome import judge_variant
from perfsuite.measure.journal import Journal
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.comparison import Examination, Inspection, Report, Row, StackSide
from perfsuite.records.confirmation import Shortlist
from perfsuite.records.evidence import Evidence
from perfsuite.records.measurement import Block, Conditions, Replicate
from perfsuite.records.outcome import Outcome
from perfsuite.records.pair import Pair, Pairing
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.records.violation import Violation
from perfsuite.stats.intervals import Interval

PAIRING = Pairing(baseline=VARIANT, candidate=VARIANT)
STOCK_PAIRING = Pairing(baseline=VARIANT, candidate=dataclasses.replace(VARIANT, backend="stock"))
ACCURACY = Accuracy(sqnr_db=40.0, centred_cosine=1.0, variation=1.0, agreement=1.0, max_error=0.01)


@dataclasses.dataclass(frozen=True, slots=True)
class PairHeader:
    """All that a journal of pairs needs to begin with."""

    name: str = "here"


class PairJournal(Journal[PairHeader]):
    """A night's pairs, and whom screening suspected."""

    header_type = PairHeader
    kinds = (Pair, Shortlist)


def block(*latencies_ns: int) -> Block:
    conditions = Conditions(
        others_cpu_s=0.0,
        steal_s=0.0,
        idle_cpu_s=0.0,
        frequency_mhz=2400.0,
        load_1min=1.0,
        minor_faults=0,
        major_faults=0,
        resident_bytes=1 << 28,
    )
    return Block(latencies_ns=latencies_ns, conditions=conditions)


def side(*block_medians_ns: int, **changes: Any) -> Replicate:
    """One worker with a block for each median."""
    whole = dataclasses.replace(replicate(), blocks=tuple(block(median_ns) for median_ns in block_medians_ns))
    return dataclasses.replace(whole, **changes)


def pair(ratio: float, *, latency_ns: int = 100_000_000, pairing: Pairing = PAIRING, **candidate: Any) -> Pair:
    """Two rounds in which the candidate takes ``ratio`` times as long."""
    return Pair(
        pairing=pairing,
        baseline=side(*[latency_ns] * 4),
        candidate=side(*[round(latency_ns * ratio)] * 4, **candidate),
    )


def examination(
    evidence: Evidence,
    *,
    pairing: Pairing = PAIRING,
    wrong: tuple[Violation, ...] = (),
    lost: tuple[Violation, ...] = (),
) -> Examination:
    fine = Inspection(accuracy=ACCURACY, wrong=(), lost=(), evidence=evidence, digests=DIGESTS)
    return Examination(
        pairing=pairing,
        baseline=fine,
        candidate=dataclasses.replace(fine, wrong=wrong, lost=lost),
        agreement=ACCURACY,
        wrong=(),
    )


def speed(verdict: Verdict = Verdict.UNCHANGED, ratio: float | None = 1.0, reason: Reason = Reason.WITHIN) -> Speed:
    if ratio is None:
        return Speed(variant=VARIANT, verdict=verdict, reason=reason, matters=1.02)
    return Speed(
        variant=VARIANT,
        verdict=verdict,
        reason=reason,
        matters=1.02,
        observations=8,
        candidate_s=0.02 * ratio,
        baseline_s=0.02,
        ratio=ratio,
        interval=Interval(low=ratio * 0.99, high=ratio * 1.01, coverage=0.95),
    )


def row(found: Outcome | None = None, **changes: Any) -> Row:
    whole = Row(
        pairing=PAIRING,
        outcome=found or judge_variant(VARIANT, speed=speed()),
        examination=None,
        pairs=(),
        explanation=None,
    )
    return dataclasses.replace(whole, **changes)


def stack_side(name: str, **changes: Any) -> StackSide:
    whole = StackSide(name=name, backend="ipex", stack=STACK, machine_slug="some-xeon-8c-4t", placement=PLACEMENT)
    return dataclasses.replace(whole, **changes)


def report(*rows: Row, **changes: Any) -> Report:
    whole = Report(
        baseline=stack_side("ipex-2.7"),
        candidate=stack_side("ipex-2.8"),
        resolution=0.02,
        coverage=0.95,
        rows=rows,
        one_sided=(),
        wrong_modes=(),
        wall_s=600.0,
    )
    return dataclasses.replace(whole, **changes)
