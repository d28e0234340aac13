"""Speed, outputs, kernels and failures -> one verdict a pairing."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from builders import DIGESTS, MACHINE, STACK
from compare_builders import PAIRING, comparison, examination, pair
from evidence_builders import evidence, kernel
from test_compare_schedule import HEADER

from perfsuite.compare.pairings import Party
from perfsuite.compare.rows import rows
from perfsuite.compare.schedule import Journal
from perfsuite.models.base import Reads
from perfsuite.records.comparison import PairingFailure, Row
from perfsuite.records.speed import Speed, Verdict
from perfsuite.records.violation import Against, Kind, Violation

EVIDENCE = evidence([kernel()])


def _row(folder: Path, speed: Speed | None, *records: object) -> Row:
    journal = Journal.create(folder, HEADER)
    for record in records:
        journal.append(record)
    models = {"resnet50": SimpleNamespace(reads=Reads.IMAGES)}
    rig = SimpleNamespace(stack=STACK, machine=MACHINE, environment={}, models=models)
    party = Party(name="some", backend="ipex", rig=cast(Any, rig))
    (row,) = rows(party, party, {PAIRING: speed}, journal)
    return row


def test_right_outputs_leave_the_verdict_on_speed(tmp_path: Path) -> None:
    row = _row(tmp_path, comparison(), examination(EVIDENCE), pair(1.0), pair(1.0))
    assert row.comparison == comparison()
    assert len(row.pairs) == 2
    assert row.explanation is not None


def test_faster_but_wrong_is_an_error(tmp_path: Path) -> None:
    faster = comparison(Verdict.IMPROVED, 0.5, "faster; 4 pairs")
    noisy = Violation(kind=Kind.SQNR_LOW, expected=25.0, found=3.0)
    found = _row(tmp_path, faster, examination(EVIDENCE, wrong=(noisy,))).comparison
    assert (found.verdict, found.ratio) == (Verdict.ERROR, 0.5)
    assert found.reason == "wrong: SQNR 3.0 dB is below 25.0 dB; improved in speed"


def test_right_by_its_own_fp32_but_unlike_the_baseline_is_an_error(tmp_path: Path) -> None:
    unlike = Violation(kind=Kind.SQNR_LOW, expected=80.0, found=-5.0, against=Against.BASELINE_REFERENCE)
    seen = dataclasses.replace(examination(EVIDENCE), wrong=(unlike,))
    found = _row(tmp_path, comparison(), seen).comparison
    assert found.verdict is Verdict.ERROR
    assert "FP32 reference: SQNR -5.0 dB to the baseline's" in found.reason


def test_what_two_checks_say_alike_is_said_once(tmp_path: Path) -> None:
    nan = Violation(kind=Kind.NOT_FINITE, expected=0, found=2)
    seen = dataclasses.replace(
        examination(EVIDENCE, wrong=(nan,)), wrong=(dataclasses.replace(nan, against=Against.BASELINE),)
    )
    found = _row(tmp_path, comparison(), seen).comparison
    assert found.reason == "wrong: NaN or infinity in 2 values; unchanged in speed"


def test_a_failure_is_an_error_with_its_reason(tmp_path: Path) -> None:
    failure = PairingFailure(pairing=PAIRING, reason="worker 77 hung")
    found = _row(tmp_path, None, examination(EVIDENCE), pair(1.0), failure).comparison
    assert (found.verdict, found.reason) == (Verdict.ERROR, "worker 77 hung")


def test_other_weights_are_incomparable(tmp_path: Path) -> None:
    other = pair(1.0, digests=dataclasses.replace(DIGESTS, weights_sha256="c" * 64))
    assert _row(tmp_path, comparison(), other).comparison.verdict is Verdict.INCOMPARABLE


def test_what_was_never_measured_is_inconclusive(tmp_path: Path) -> None:
    found = _row(tmp_path, None).comparison
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "after 0 pairs" in found.reason
    assert "--budget" in found.reason


def test_what_the_gates_object_to_in_the_candidate_alone_is_lost(tmp_path: Path) -> None:
    seen = examination(EVIDENCE, lost=("precision lost: bf16 does 0 %",))
    assert _row(tmp_path, comparison(), seen).lost == ("precision lost: bf16 does 0 %",)
    both = dataclasses.replace(seen, baseline=seen.candidate)
    assert _row(tmp_path, comparison(), both).lost == ()
