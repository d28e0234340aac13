"""Speed, outputs, kernels and failures -> one outcome a pairing."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import DIGESTS, MACHINE, STACK
from compare_builders import PAIRING, examination, pair, speed
from evidence_builders import evidence, kernel
from test_compare_schedule import HEADER

from perfsuite.compare.pairings import Party
from perfsuite.compare.rows import rows
from perfsuite.compare.schedule import Journal
from perfsuite.gates.expectations import expectation
from perfsuite.models.base import Reads
from perfsuite.records.comparison import PairingFailure, Row
from perfsuite.records.isa import Isa
from perfsuite.records.measurement import Load
from perfsuite.records.pair import Pairing
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.settings import Settings
from perfsuite.spec import Mode

EVIDENCE = evidence([kernel()])
WRONG = Violation(kind=Kind.SQNR_LOW, expected=25.0, found=3.0)
HARMLESS = Violation(kind=Kind.GRAPH_BREAKS, expected=0, found=1)
NO_AMX = Violation(kind=Kind.ISA, subject="bf16", expected=0.85, found=0.0, best="amx")


def _row(folder: Path, found: Speed | None, *records: object, pairing: Pairing = PAIRING) -> Row:
    journal = Journal.create(folder, HEADER)
    for record in records:
        journal.append(record)
    rig = SimpleNamespace(
        stack=STACK,
        machine=MACHINE,
        environment={},
        settings=Settings(),
        expectation=lambda variant: expectation(variant, Reads.IMAGES),
    )
    party = Party(name="some", backend="ipex", rig=cast(Any, rig))
    (row,) = rows(party, party, {pairing: found}, journal, resolution=0.02)
    return row


def test_right_outputs_leave_the_verdict_on_speed(tmp_path: Path) -> None:
    row = _row(tmp_path, speed(), examination(EVIDENCE), pair(1.0), pair(1.0))
    assert (row.outcome.verdict, row.outcome.speed) == (Verdict.UNCHANGED, speed())
    assert len(row.pairs) == 2
    assert row.explanation is not None


@pytest.mark.parametrize("found", [speed(Verdict.IMPROVED, 0.5), None], ids=["faster", "undecided"])
def test_wrong_is_an_error_whatever_is_known_of_speed(tmp_path: Path, found: Speed | None) -> None:
    outcome = _row(tmp_path, found, examination(EVIDENCE, wrong=(WRONG,))).outcome
    assert (outcome.verdict, outcome.outputs) == (Verdict.ERROR, (WRONG,))


def test_a_reference_unlike_the_baseline_s_is_an_error(tmp_path: Path) -> None:
    unlike = dataclasses.replace(WRONG, against=Against.BASELINE_REFERENCE, found=-5.0)
    seen = dataclasses.replace(examination(EVIDENCE), wrong=(unlike,))
    outcome = _row(tmp_path, speed(), seen).outcome
    assert (outcome.verdict, outcome.outputs) == (Verdict.ERROR, (unlike,))


def test_a_failure_is_an_error_with_its_reason(tmp_path: Path) -> None:
    failure = PairingFailure(pairing=PAIRING, reason="worker 77 hung")
    outcome = _row(tmp_path, None, examination(EVIDENCE), pair(1.0), failure).outcome
    assert (outcome.verdict, outcome.failure) == (Verdict.ERROR, "worker 77 hung")


@pytest.mark.parametrize("later", [pair(1.0), examination(EVIDENCE)], ids=["measured", "examined"])
def test_a_failure_that_a_resumed_run_did_not_have_is_none(tmp_path: Path, later: object) -> None:
    failure = PairingFailure(pairing=PAIRING, reason="worker 77 was killed")
    outcome = _row(tmp_path, speed(), examination(EVIDENCE), pair(1.0), failure, later).outcome
    assert (outcome.verdict, outcome.failure) == (Verdict.UNCHANGED, "")


OTHER = dataclasses.replace(DIGESTS, weights_sha256="c" * 64)
SEEN = examination(EVIDENCE)


@pytest.mark.parametrize(
    "records",
    [
        (pair(1.0, digests=OTHER),),
        (
            pair(1.0),
            dataclasses.replace(
                pair(1.0, digests=OTHER), baseline=dataclasses.replace(pair(1.0).baseline, digests=OTHER)
            ),
        ),
        (pair(1.0), dataclasses.replace(SEEN, candidate=dataclasses.replace(SEEN.candidate, digests=OTHER))),
    ],
    ids=["the sides differ", "a resumed pair differs", "what was examined differs"],
)
def test_other_weights_are_incomparable(tmp_path: Path, records: tuple[object, ...]) -> None:
    outcome = _row(tmp_path, speed(), *records).outcome
    assert outcome.verdict is Verdict.INCOMPARABLE


def test_what_was_never_measured_is_inconclusive(tmp_path: Path) -> None:
    found = _row(tmp_path, None, pair(1.0)).outcome
    assert found.speed is not None
    assert (found.verdict, found.speed.reason, found.speed.observations) == (Verdict.INCONCLUSIVE, Reason.TIME, 1)


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ((), (NO_AMX,), (NO_AMX,)),
        ((NO_AMX,), (NO_AMX,), ()),
        ((HARMLESS,), (HARMLESS, NO_AMX), (NO_AMX,)),  # one harmless objection to A hid all that B lost
        ((NO_AMX, HARMLESS), (), ()),
    ],
)
def test_what_the_gates_object_to_in_the_candidate_alone_is_lost(
    tmp_path: Path, before: tuple[Violation, ...], after: tuple[Violation, ...], lost: tuple[Violation, ...]
) -> None:
    seen = examination(EVIDENCE, lost=after)
    seen = dataclasses.replace(seen, baseline=dataclasses.replace(seen.baseline, lost=before))
    outcome = _row(tmp_path, speed(), seen).outcome
    assert outcome.lost == lost
    assert outcome.verdict is (Verdict.LOST if lost else Verdict.UNCHANGED)


def test_silicon_that_the_baseline_used_is_lost_though_the_gates_are_content(tmp_path: Path) -> None:
    seen = examination(evidence([kernel(isa=Isa.AMX)]))
    weaker = dataclasses.replace(seen.candidate, evidence=evidence([kernel(isa=Isa.AVX512_BF16)]))
    outcome = _row(tmp_path, speed(), dataclasses.replace(seen, candidate=weaker)).outcome
    assert [one.kind for one in outcome.lost] == [Kind.ISA]


IN_EAGER = dataclasses.replace(PAIRING, candidate=dataclasses.replace(PAIRING.candidate, mode=Mode.EAGER))


@pytest.mark.parametrize(
    ("pairing", "peaks_mib", "costs"),
    [
        pytest.param(PAIRING, (400, 400), (), id="as much"),
        pytest.param(PAIRING, (600, 600), (Kind.PEAK_MEMORY,), id="more"),
        pytest.param(PAIRING, (600, 400), (), id="once more"),
        pytest.param(PAIRING, (600,), (), id="one pair alone"),
        pytest.param(IN_EAGER, (600, 600), (), id="another mode"),
    ],
)
def test_what_the_candidate_takes_more_of_is_a_regression(
    tmp_path: Path, pairing: Pairing, peaks_mib: tuple[int, ...], costs: tuple[Kind, ...]
) -> None:
    pairs = [pair(1.0, pairing=pairing, peak_rss_bytes=peak << 20) for peak in peaks_mib]
    held = [
        dataclasses.replace(one, baseline=dataclasses.replace(one.baseline, peak_rss_bytes=400 << 20)) for one in pairs
    ]
    outcome = _row(tmp_path, speed(), examination(EVIDENCE), *held, pairing=pairing).outcome
    assert tuple(one.kind for one in outcome.costs) == costs
    assert outcome.verdict is (Verdict.REGRESSED if costs else Verdict.UNCHANGED)


def test_twice_the_instances_may_hold_twice_the_memory(tmp_path: Path) -> None:
    two = Load(window_ns=100, passes=(1.0, 1.0), items=1)
    pairs = []
    for one in (pair(1.0, peak_rss_bytes=1 << 30), pair(1.0, peak_rss_bytes=1 << 30)):
        blocks = tuple(dataclasses.replace(block, load=two) for block in one.candidate.blocks)
        pairs.append(dataclasses.replace(one, candidate=dataclasses.replace(one.candidate, blocks=blocks)))
    assert _row(tmp_path, speed(), examination(EVIDENCE), *pairs).outcome.costs == ()
