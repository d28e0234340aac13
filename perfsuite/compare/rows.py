"""What was measured -> a row for each pairing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from perfsuite.compare.pairings import Party
from perfsuite.compare.schedule import Journal
from perfsuite.explain.causes import explain
from perfsuite.gates.gate import losses, new_violations
from perfsuite.judge.costs import pair_cost_violations
from perfsuite.judge.outcome import judge_variant
from perfsuite.records.comparison import Examination, PairingFailure, Row
from perfsuite.records.evidence import Evidence
from perfsuite.records.explanation import Explanation
from perfsuite.records.measurement import Digests, Measurement, Replicate
from perfsuite.records.outcome import Outcome
from perfsuite.records.pair import Pair, Pairing
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.records.violation import Violation
from perfsuite.spec import Variant


def rows(
    baseline: Party,
    candidate: Party,
    decided: Mapping[Pairing, Speed | None],
    journal: Journal,
    *,
    resolution: float,
) -> tuple[Row, ...]:
    """One for each pairing, in order."""
    examinations = {record.pairing: record for record in journal.of(Examination)}
    failures = _failures(journal)
    found = []
    for pairing, speed in decided.items():
        pairs = tuple(pair for pair in journal.of(Pair) if pair.pairing == pairing)
        examination = examinations.get(pairing)
        speed = _speed(pairing, speed, pairs, examination, resolution)
        found.append(
            Row(
                pairing=pairing,
                outcome=_outcome(candidate, pairing, speed, pairs, examination, failures.get(pairing, "")),
                examination=examination,
                pairs=pairs,
                explanation=_explanation(baseline, candidate, pairs, examination) if pairs else None,
            )
        )
    return tuple(found)


def _failures(journal: Journal) -> dict[Pairing, str]:
    """Why pairings failed, but for those of which a resumed run then measured or examined more."""
    found: dict[Pairing, str] = {}
    for record in journal.of(object):
        match record:
            case PairingFailure(pairing=pairing, reason=reason):
                found[pairing] = reason
            case Pair(pairing=pairing) | Examination(pairing=pairing):
                found.pop(pairing, None)
    return found


def _speed(
    pairing: Pairing,
    decided: Speed | None,
    pairs: Sequence[Pair],
    examination: Examination | None,
    resolution: float,
) -> Speed:
    if len(set(_digests(pairs, examination))) > 1:
        verdict, reason = Verdict.INCOMPARABLE, Reason.OTHER_DATA
    elif decided is not None:
        return decided
    else:
        verdict, reason = Verdict.INCONCLUSIVE, Reason.TIME
    return Speed(
        variant=pairing.candidate, verdict=verdict, reason=reason, matters=1 + resolution, observations=len(pairs)
    )


def _digests(pairs: Sequence[Pair], examination: Examination | None) -> Iterable[Digests]:
    """Of every worker that was timed or examined: a resumed comparison's may differ from those before."""
    for pair in pairs:
        yield from (pair.baseline.digests, pair.candidate.digests)
    if examination:
        yield from (examination.baseline.digests, examination.candidate.digests)


def _outcome(
    candidate: Party,
    pairing: Pairing,
    speed: Speed,
    pairs: Sequence[Pair],
    examination: Examination | None,
    failure: str,
) -> Outcome:
    outputs: tuple[Violation, ...] = ()
    lost: tuple[Violation, ...] = ()
    if examination is not None:
        outputs = examination.candidate.wrong
        if speed.verdict is not Verdict.INCOMPARABLE:  # of other inputs other outputs are right
            outputs += examination.wrong
        lost = _lost(candidate, examination)
    costs = _costs(candidate, pairing, pairs) if _is_as_many(pairs) else ()
    return judge_variant(pairing.candidate, speed=speed, outputs=outputs, lost=lost, costs=costs, failure=failure)


def _costs(candidate: Party, pairing: Pairing, pairs: Sequence[Pair]) -> tuple[Violation, ...]:
    """What the candidate takes more of; of another backend or mode it is told in the table, and nobody's loss.

    A single pair tells nothing: its candidate may be the one that compiled.
    """
    if len(pairs) < 2 or not _runs_the_same_way(pairing):
        return ()
    return pair_cost_violations(pairs, candidate.rig.settings.limits(pairing.candidate).costs)


def _is_as_many(pairs: Sequence[Pair]) -> bool:
    """Whether both sides were as many instances: two of them hold twice the memory, and that is no loss."""
    blocks = (block for pair in pairs for side in (pair.baseline, pair.candidate) for block in side.blocks)
    counts = {len(block.load.passes) if block.load else 1 for block in blocks}
    return len(counts) < 2


def _runs_the_same_way(pairing: Pairing) -> bool:
    one, other = pairing.baseline, pairing.candidate
    return one.backend == other.backend and one.mode == other.mode


def _lost(candidate: Party, examination: Examination) -> tuple[Violation, ...]:
    """What the gates object to in the candidate alone, and what of the baseline's work it no longer does."""
    pairing, before, after = examination.pairing, examination.baseline, examination.candidate
    lost = new_violations(before.lost, after.lost)
    if _runs_the_same_way(pairing):
        expected = candidate.rig.expectation(pairing.candidate)
        lost += new_violations(lost, losses(before.evidence, after.evidence, expected))
    return lost


def _explanation(
    baseline: Party, candidate: Party, pairs: Sequence[Pair], examination: Examination | None
) -> Explanation:
    variants = pairs[0].pairing
    evidence = (examination.baseline.evidence, examination.candidate.evidence) if examination else (None, None)
    return explain(
        _measurement(baseline, variants.baseline, [pair.baseline for pair in pairs], evidence[0]),
        _measurement(candidate, variants.candidate, [pair.candidate for pair in pairs], evidence[1]),
    )


def _measurement(party: Party, variant: Variant, sides: Sequence[Replicate], evidence: Evidence | None) -> Measurement:
    return Measurement(
        variant=variant,
        stack=party.rig.stack,
        machine=party.rig.machine,
        digests=sides[0].digests,
        weights_origin=sides[0].weights_origin,
        environment=party.rig.environment,
        replicates=tuple(sides),
        evidence=evidence,
    )
