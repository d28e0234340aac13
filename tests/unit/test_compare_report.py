"""A comparison as a user reads it: terminal, Markdown, JSON."""

import dataclasses
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from builders import VARIANT
from compare_builders import ACCURACY, PAIRING, STOCK_PAIRING, examination, pair, report, row, side, speed
from evidence_builders import evidence, kernel
from rich.console import Console

from perfsuite.compare.pairings import unpaired
from perfsuite.judge.outcome import judge_variant
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.comparison import Gap, OneSided, Report
from perfsuite.records.outcome import Outcome
from perfsuite.records.pair import Pairing
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.report.compare import markdown, print_report, write_report
from perfsuite.spec import Mode, Precision

WRONG_OUTPUTS = (Violation(kind=Kind.SQNR_LOW, expected=25.0, found=3.0),)
NO_BF16 = (Violation(kind=Kind.PRECISION, subject="bf16", expected=1.0, found=0.03, against=Against.BASELINE),)


def _judged(found: Speed | None = None, **changes: Any) -> Outcome:
    return judge_variant(VARIANT, speed=found or speed(), **changes)


UNCHANGED = row(pairs=(pair(1.0),), examination=examination(evidence([kernel()])))
SLOWER = row(_judged(speed(Verdict.REGRESSED, 1.07, Reason.BEYOND)), pairs=(pair(1.07),))
WRONG = row(_judged(speed(Verdict.IMPROVED, 0.9, Reason.BEYOND), outputs=WRONG_OUTPUTS))
CRASHED = row(_judged(speed(Verdict.INCONCLUSIVE, None, Reason.TIME), failure="worker 77 killed by SIGSEGV"))
OPEN = row(_judged(speed(Verdict.INCONCLUSIVE, 1.01, Reason.SPREAD)))
LOST = dataclasses.replace(UNCHANGED, outcome=_judged(lost=NO_BF16))


def _printed(whole: Report, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_report(whole, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(("terminal", "most"), [(80, 80), (300, 100)])
def test_no_line_is_wider_than_the_terminal_or_100_columns(terminal: int, most: int) -> None:
    longest = dataclasses.replace(PAIRING.candidate, precision=Precision.INT8_DYNAMIC)
    long = dataclasses.replace(OPEN, pairing=Pairing(baseline=longest, candidate=longest))
    printed = _printed(report(UNCHANGED, SLOWER, WRONG, long), width=terminal)
    assert "…" not in printed
    for line in printed.splitlines():
        assert len(line) <= most, line


def test_a_row_shows_both_latencies_ratio_interval_and_verdict() -> None:
    printed = _printed(report(SLOWER))
    (line,) = (line for line in printed.splitlines() if "torchscript bf16" in line and "regressed" in line)
    assert " ".join(line.split()) == "torchscript bf16 20 ms 21.4 ms 1.070 1.059..1.081 regressed"


@pytest.mark.parametrize(
    ("agreement", "shown"),
    [
        (ACCURACY, "40.0"),
        (dataclasses.replace(ACCURACY, sqnr_db=math.inf, max_error=0.0), "equal"),
        (dataclasses.replace(ACCURACY, sqnr_db=None, max_error=0.0), "equal"),
        (dataclasses.replace(ACCURACY, sqnr_db=None), "-"),
        (None, "-"),
    ],
)
def test_the_outputs_distance_is_shown_or_a_dash(agreement: Accuracy | None, shown: str) -> None:
    seen = dataclasses.replace(examination(evidence([kernel()])), agreement=agreement)
    assert f"| torchscript bf16 | 40.0 | 40.0 | {shown} |" in markdown(report(row(examination=seen)))


def test_the_head_says_what_was_compared_and_what_the_intervals_mean() -> None:
    head = " ".join(_printed(report(UNCHANGED, SLOWER)).split())
    assert "A ipex-2.7 (ipex-2.8.0_torch-2.8.0, Python 3.11.7), backend ipex" in head
    assert "1 unchanged, 1 regressed; 2 pairs of processes in 600 s" in head
    assert "all intervals together hold with 95%" in head


def test_whatever_is_not_fine_has_its_reason_below() -> None:
    printed = " ".join(_printed(report(UNCHANGED, WRONG, CRASHED, OPEN)).split())
    for words in ("SQNR 3.0 dB is below 25.0 dB", "killed by SIGSEGV", "differs too much"):
        assert words in printed


def test_a_reason_that_several_share_is_told_once() -> None:
    other = dataclasses.replace(PAIRING.candidate, precision=Precision.FP32)
    printed = _printed(
        report(OPEN, dataclasses.replace(OPEN, pairing=Pairing(baseline=other, candidate=other)), CRASHED)
    )
    assert printed.count("differs too much") == 1
    assert f"{PAIRING.id}, {other.id}: inconclusive" in " ".join(printed.split())


def test_lost_silicon_stands_in_the_verdict_and_below() -> None:
    printed = " ".join(_printed(report(LOST)).split())
    assert "1.010 lost" in printed
    assert f"{PAIRING.id}: lost (unchanged in speed) lost: precision lost: bf16 does 3.0%" in printed


def test_evidence_that_differs_is_told_though_the_speed_does_not() -> None:
    found = examination(evidence([kernel()]))
    other = dataclasses.replace(found.candidate, evidence=evidence([kernel(implementation="ref:any")]))
    printed = " ".join(_printed(report(row(examination=dataclasses.replace(found, candidate=other)))).split())
    assert "moved from" in printed
    assert "to ref:any" in printed


def test_different_modes_stand_side_by_side() -> None:
    candidate = dataclasses.replace(STOCK_PAIRING.candidate, mode=Mode.DYNAMO)
    pairing = dataclasses.replace(STOCK_PAIRING, candidate=candidate)
    assert pairing.id == "resnet50-torchscript-or-dynamo-bf16-latency"
    printed = _printed(report(row(SLOWER.outcome, pairing=pairing)))
    assert "  torchscript -> dynamo" in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert "…" not in printed
    assert "| bf16 torchscript -> dynamo | 20 ms |" in markdown(report(row(SLOWER.outcome, pairing=pairing)))


def _one_sided(name: str, baseline: str | None, candidate: str | None) -> OneSided:
    gaps = [None if reason is None else Gap(unsupported=(reason,)) for reason in (baseline, candidate)]
    return unpaired(name, VARIANT, *gaps, matters=1.02)


def test_what_only_one_stack_has_is_listed_by_reason() -> None:
    new = [_one_sided(name, "it raises", None) for name in ("one", "two")]
    gone, neither = _one_sided("three", None, "no torchao"), _one_sided("four", "no torchao", "no INT8")
    printed = " ".join(_printed(report(UNCHANGED, one_sided=(*new, gone, neither))).split())
    assert "missing-baseline (2), not in A: it raises: one, two" in printed
    assert "lost (1), not in B: no torchao: three" in printed
    assert "unsupported (1), not in A: no torchao; not in B: no INT8: four" in printed
    assert "1 unchanged, 1 unsupported, 2 missing-baseline, 1 lost;" in printed


def test_a_wrong_mode_beside_one_that_works_is_shown() -> None:
    printed = " ".join(_printed(report(UNCHANGED, wrong_modes=(WRONG.outcome, CRASHED.outcome))).split())
    assert f"{VARIANT.id}: error, beside another mode wrong: SQNR 3.0 dB" in printed
    assert f"{VARIANT.id}: error, beside another mode failed: worker 77" in printed


def test_nothing_in_common_is_no_empty_success() -> None:
    assert "nothing to compare" in _printed(report())


def test_markdown_has_a_row_for_each_and_the_same_details() -> None:
    text = markdown(report(UNCHANGED, SLOWER))
    assert "|  | A | B | B / A | interval | verdict |" in text
    assert "| torchscript bf16 | 20 ms | 21.4 ms | 1.070 | 1.059..1.081 | regressed |" in text
    widths = {line.count("|") for line in text.split("\n\n")[1].splitlines() if line.startswith("|")}
    assert widths == {7}


def test_json_holds_every_block(tmp_path: Path) -> None:
    write_report(report(SLOWER), tmp_path / "out.json")
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["schema"] == 5
    (found,) = document["report"]["rows"]
    assert found["outcome"]["verdict"] == found["outcome"]["speed"]["verdict"] == "regressed"
    assert len(found["pairs"][0]["candidate"]["blocks"]) == 4
    assert found["pairs"][0]["candidate"]["blocks"][0]["conditions"]["frequency_mhz"] == 2400.0


def test_what_disturbed_the_measurement_is_told() -> None:
    printed = " ".join(_printed(report(UNCHANGED)).split())
    assert "stolen by the hypervisor 0.0%" in printed
    assert "against the second, +0.0% and +0.0% (A and B)" in printed


def test_the_variant_that_was_timed_coldest_is_named() -> None:
    cold = dataclasses.replace(pair(1.0, pairing=STOCK_PAIRING), candidate=side(104, 104, 100, 100))
    printed = _printed(report(UNCHANGED, row(pairs=(cold,), pairing=STOCK_PAIRING)))
    printed = " ".join(printed.split())
    assert "against the second, +0.0% and +2.0% (A and B)" in printed
    assert f"most in {STOCK_PAIRING.id}, +0.0% and +4.0%" in printed
