"""A comparison as a user reads it: terminal, Markdown, JSON, exit status."""

import dataclasses
import io
import json
import math
from pathlib import Path

import pytest
from compare_builders import ACCURACY, PAIRING, STOCK_PAIRING, comparison, examination, pair, report, row, side
from evidence_builders import evidence, kernel
from rich.console import Console

from perfsuite.records.accuracy import Accuracy
from perfsuite.records.comparison import OneSided, Report
from perfsuite.records.pair import Pairing
from perfsuite.records.speed import Verdict
from perfsuite.report.compare import markdown, print_report, worse, write_report
from perfsuite.spec import Mode, Precision

UNCHANGED = row(pairs=(pair(1.0),), examination=examination(evidence([kernel()])))
SLOWER = row(comparison(Verdict.REGRESSED, 1.07, "slower; 8 pairs"), pairs=(pair(1.07),))
WRONG = row(comparison(Verdict.ERROR, 0.9, "wrong: SQNR 3.0 dB is below 25 dB; improved in speed"))
CRASHED = row(comparison(Verdict.ERROR, None, "worker 77 killed by SIGSEGV"))
OPEN = row(comparison(Verdict.INCONCLUSIVE, 1.01, "the interval reaches from 1 beyond 2.0%: pairs differ too much"))


def _printed(whole: Report, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_report(whole, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("rows", "strict", "status"),
    [
        ([], False, True),
        ([UNCHANGED], False, False),
        ([UNCHANGED, SLOWER], False, True),
        ([WRONG], False, True),
        ([CRASHED], False, True),
        ([OPEN], False, False),
        ([OPEN], True, True),
        ([row(comparison(Verdict.INCOMPARABLE, None, "other weights"))], False, True),
        ([dataclasses.replace(UNCHANGED, lost=("precision lost: ...",))], False, True),
        ([row(comparison(Verdict.IMPROVED, 0.8, "faster; 4 pairs"))], True, False),
    ],
)
def test_the_exit_status_says_whether_anything_is_worse(rows: list[object], strict: bool, status: bool) -> None:
    assert worse(report(*rows), require_verdict=strict) is status  # type: ignore[arg-type]


def test_no_line_is_wider_than_a_terminal_of_80_columns() -> None:
    longest = dataclasses.replace(PAIRING.candidate, precision=Precision.INT8_DYNAMIC)
    long = dataclasses.replace(OPEN, pairing=Pairing(baseline=longest, candidate=longest))
    printed = _printed(report(UNCHANGED, SLOWER, WRONG, long))
    assert "…" not in printed
    for line in printed.splitlines():
        assert len(line) <= 80, line


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
    for words in ("SQNR 3.0 dB is below 25 dB", "killed by SIGSEGV", "pairs differ too much"):
        assert words in printed


def test_a_reason_that_several_share_is_told_once() -> None:
    other = dataclasses.replace(PAIRING.candidate, precision=Precision.FP32)
    printed = _printed(
        report(OPEN, dataclasses.replace(OPEN, pairing=Pairing(baseline=other, candidate=other)), CRASHED)
    )
    assert printed.count("pairs differ too much") == 1
    assert f"{PAIRING.id}, {other.id}: inconclusive" in " ".join(printed.split())


def test_lost_silicon_stands_in_the_verdict_and_below() -> None:
    printed = _printed(report(dataclasses.replace(UNCHANGED, lost=("bf16 does 3% of the work",))))
    assert "unchanged, lost" in printed
    assert "lost: bf16 does 3% of the work" in printed


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
    printed = _printed(report(row(SLOWER.comparison, pairing=pairing)))
    assert "  torchscript -> dynamo" in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert "…" not in printed
    assert "| bf16 torchscript -> dynamo | 20 ms |" in markdown(report(row(SLOWER.comparison, pairing=pairing)))


def test_what_only_one_stack_has_is_listed_by_reason() -> None:
    lacking = [OneSided(name=name, baseline_lacks="it raises", candidate_lacks=None) for name in ("one", "two")]
    both = OneSided(name="three", baseline_lacks="no torchao", candidate_lacks="no INT8")
    printed = _printed(report(UNCHANGED, one_sided=(*lacking, both)))
    assert "not in A: it raises (2): one, two" in printed
    assert "not in A: no torchao; not in B: no INT8 (1): three" in printed


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
    assert document["schema"] == 1
    (found,) = document["report"]["rows"]
    assert found["comparison"]["verdict"] == "regressed"
    assert len(found["pairs"][0]["candidate"]["blocks"]) == 4
    assert found["pairs"][0]["candidate"]["blocks"][0]["frequency_mhz"] == 2400.0


def test_what_disturbed_the_measurement_is_told() -> None:
    printed = " ".join(_printed(report(UNCHANGED)).split())
    assert "stolen by the hypervisor 0.0%" in printed
    assert "against the second, +0.0% and +0.0% (A and B)" in printed


def test_the_variant_that_was_timed_coldest_is_named() -> None:
    cold = dataclasses.replace(pair(1.0, pairing=STOCK_PAIRING), candidate=side(104, 104, 100, 100))
    printed = _printed(report(UNCHANGED, row(pairs=(cold,), pairing=STOCK_PAIRING)), width=300)
    assert "against the second, +0.0% and +2.0% (A and B)" in printed
    assert f"most in {STOCK_PAIRING.id}, +0.0% and +4.0%" in printed
