"""What was measured -> a row for each pairing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from perfsuite.compare.pairings import Party
from perfsuite.compare.schedule import Journal
from perfsuite.explain.causes import explain
from perfsuite.gates.expectations import expectation
from perfsuite.gates.gate import losses, new_violations
from perfsuite.records.comparison import Examination, PairingFailure, Row
from perfsuite.records.evidence import Evidence
from perfsuite.records.explanation import Explanation
from perfsuite.records.measurement import Measurement
from perfsuite.records.pair import Pair, Pairing, Side
from perfsuite.records.speed import Speed, Verdict
from perfsuite.records.violation import Violation
from perfsuite.spec import Variant


def rows(
    baseline: Party, candidate: Party, decided: Mapping[Pairing, Speed | None], journal: Journal
) -> tuple[Row, ...]:
    """One for each pairing, in order."""
    examinations = {record.pairing: record for record in journal.of(Examination)}
    failures = {record.pairing: record for record in journal.of(PairingFailure)}
    found = []
    for pairing, speed in decided.items():
        pairs = tuple(pair for pair in journal.of(Pair) if pair.pairing == pairing)
        examination = examinations.get(pairing)
        found.append(
            Row(
                pairing=pairing,
                comparison=_comparison(pairing, speed, examination, failures.get(pairing), pairs),
                examination=examination,
                pairs=pairs,
                lost=_lost(candidate, examination) if examination else (),
                explanation=_explanation(baseline, candidate, pairs, examination) if pairs else None,
            )
        )
    return tuple(found)


def _comparison(
    pairing: Pairing,
    speed: Speed | None,
    examination: Examination | None,
    failure: PairingFailure | None,
    pairs: Sequence[Pair],
) -> Speed:
    """Speed and correctness as one verdict: faster but wrong is an error."""
    if failure is not None:
        return _without_ratio(pairing, Verdict.ERROR, failure.reason)
    for pair in pairs:
        if pair.baseline.digests != pair.candidate.digests:
            return _without_ratio(pairing, Verdict.INCOMPARABLE, "the two stacks ran other weights or other inputs")
    if speed is None:
        reason = f"the budget ended after {len(pairs)} pairs of processes; give it more time (--budget)"
        return _without_ratio(pairing, Verdict.INCONCLUSIVE, reason)
    if examination is None or not examination.candidate.wrong:
        return speed
    wrong = f"wrong: {'; '.join(examination.candidate.wrong)}"
    if examination.baseline.wrong:
        wrong += " (and so are the baseline's outputs)"
    return Speed(
        variant=speed.variant,
        verdict=Verdict.ERROR,
        reason=f"{wrong}; {speed.verdict} in speed",
        candidate_s=speed.candidate_s,
        baseline_s=speed.baseline_s,
        ratio=speed.ratio,
        interval=speed.interval,
    )


def _without_ratio(pairing: Pairing, verdict: Verdict, reason: str) -> Speed:
    return Speed(variant=pairing.candidate, verdict=verdict, reason=reason)


def _lost(candidate: Party, examination: Examination) -> tuple[Violation, ...]:
    """What the gates object to in the candidate alone, and what of the baseline's work it no longer does."""
    pairing, before, after = examination.pairing, examination.baseline, examination.candidate
    lost = new_violations(before.lost, after.lost)
    if pairing.baseline.backend == pairing.candidate.backend and pairing.baseline.mode == pairing.candidate.mode:
        expected = expectation(pairing.candidate, candidate.rig.models[pairing.candidate.model].reads)
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


def _measurement(party: Party, variant: Variant, sides: Sequence[Side], evidence: Evidence | None) -> Measurement:
    return Measurement(
        variant=variant,
        stack=party.rig.stack,
        machine=party.rig.machine,
        digests=sides[0].digests,
        weights_origin=sides[0].weights_origin,
        environment=party.rig.environment,
        replicates=tuple(side.replicate for side in sides),
        evidence=evidence,
    )
