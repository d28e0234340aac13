"""Speed, outputs, kernels and failures -> one verdict a pairing."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import DIGESTS, MACHINE, STACK
from compare_builders import PAIRING, comparison, examination, pair
from evidence_builders import evidence, kernel
from test_compare_schedule import HEADER

from perfsuite.compare.pairings import Party
from perfsuite.compare.rows import rows
from perfsuite.compare.schedule import Journal
from perfsuite.models.base import Reads
from perfsuite.records.comparison import PairingFailure, Row
from perfsuite.records.isa import Isa
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
    found = _row(tmp_path, faster, examination(EVIDENCE, wrong=("SQNR 3.0 dB is below 25 dB",))).comparison
    assert (found.verdict, found.ratio) == (Verdict.ERROR, 0.5)
    assert found.reason == "wrong: SQNR 3.0 dB is below 25 dB; improved in speed"


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


_ISA = Violation(kind=Kind.ISA, expected=0.9, found=0.0, subject="bf16", best="amx")
_BREAKS = Violation(kind=Kind.GRAPH_BREAKS, expected=0, found=1)


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ((), (_ISA,), (_ISA,)),
        ((_ISA,), (_ISA,), ()),
        # A harmless objection to the first stack hides nothing of what the second lost.
        ((_BREAKS,), (_BREAKS, _ISA), (_ISA,)),
    ],
)
def test_what_the_gates_object_to_in_the_candidate_alone_is_lost(
    tmp_path: Path, before: tuple[Violation, ...], after: tuple[Violation, ...], lost: tuple[Violation, ...]
) -> None:
    seen = examination(EVIDENCE, lost=after)
    seen = dataclasses.replace(seen, baseline=dataclasses.replace(seen.baseline, lost=before))
    assert _row(tmp_path, comparison(), seen).lost == lost


@pytest.mark.parametrize(
    ("objections", "against"), [((), Against.BASELINE), ((_ISA,), Against.EXPECTATION)], ids=["alone", "told already"]
)
def test_what_the_baseline_s_kernels_did_is_lost_once(
    tmp_path: Path, objections: tuple[Violation, ...], against: Against
) -> None:
    seen = examination(evidence([kernel(isa=Isa.AVX512)]), lost=objections)
    seen = dataclasses.replace(seen, baseline=dataclasses.replace(seen.baseline, evidence=EVIDENCE))
    (found,) = _row(tmp_path, comparison(), seen).lost
    assert (found.kind, found.against) == (Kind.ISA, against)
