"""Verdicts as tables: whatever was asked for is in one, and none is wider than a terminal's end may be."""

from __future__ import annotations

import dataclasses
import itertools
import re

import pytest
from builders import ONCE_VARIANT, OTHER_VARIANT, VARIANT

from perfsuite.judge.outcome import judge_variant
from perfsuite.records.confirmation import Confirmation, Finding
from perfsuite.records.outcome import Outcome, Policy
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.report.text import WIDTH, wrapped
from perfsuite.report.verdicts import verdict_table_lines
from perfsuite.spec import Mode, Precision, Variant

NAMES = ("stock", "ipex", "openvino")


def _outcome(variant: Variant, verdict: Verdict, ratio: float | None = None, candidate_s: float = 0.0619) -> Outcome:
    speed = Speed(
        variant=variant, verdict=verdict, reason=Reason.BEYOND, matters=1.02, candidate_s=candidate_s, ratio=ratio
    )
    return judge_variant(variant, speed=speed)


def _lines(*outcomes: Outcome, unsupported: tuple[Variant, ...] = (), coloured: bool = False) -> list[str]:
    told = {outcome.variant: outcome for outcome in outcomes}
    return verdict_table_lines(told, unsupported, Policy(), coloured=coloured)


def _variant(mode: Mode, precision: Precision, backend: str = "ipex") -> Variant:
    return dataclasses.replace(VARIANT, mode=mode, precision=precision, backend=backend)


def test_a_model_s_modes_and_precisions_with_latency_ratio_and_verdict() -> None:
    assert _lines(
        _outcome(_variant(Mode.EAGER, Precision.FP32), Verdict.UNCHANGED, 1.0034),
        _outcome(_variant(Mode.EAGER, Precision.BF16), Verdict.REGRESSED, 1.84, 0.0123),
        _outcome(_variant(Mode.DYNAMO, Precision.BF16, "stock"), Verdict.MISSING_BASELINE),
        unsupported=(_variant(Mode.DYNAMO, Precision.FP32, "stock"),),
    ) == [
        "resnet50 latency",
        "          fp32                     bf16",
        "───────────────────────────────────────────────────────────",
        "ipex",
        "  eager   61.9 ms 1.003 unchanged  12.3 ms 1.840 regressed",
        "stock",
        "  dynamo  unsupported              61.9 ms missing-baseline",
        "",
    ]


def test_each_model_and_workload_has_a_table_of_its_own() -> None:
    lines = _lines(*(_outcome(one, Verdict.UNCHANGED, 1.0) for one in (VARIANT, OTHER_VARIANT, ONCE_VARIANT)))
    titles = [line for line, below in itertools.pairwise(lines) if below.strip() == "bf16"]
    assert titles == ["resnet50 latency", "bert-base latency", "resnet50 example"]


@pytest.mark.parametrize("count", range(1, len(Precision) + 1))
@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("model", ["resnet50", "m" * 150, "[red]x[/] & y"])
def test_no_line_is_wider_than_a_terminal_s_end_and_nothing_is_cut(model: str, verdict: Verdict, count: int) -> None:
    variants = [
        dataclasses.replace(VARIANT, model=model, backend=backend, mode=mode, precision=precision)
        for backend, mode, precision in itertools.product(NAMES, Mode, list(Precision)[:count])
    ]
    lines = _lines(*(_outcome(variant, verdict, 11.125, 0.0001234) for variant in variants))
    assert max(map(len, lines)) <= WIDTH
    text = re.sub(r"\s", "", "".join(lines))
    assert text.count("11.125") == text.count(verdict.value) == text.count("0.123ms") == len(variants)
    assert model.replace(" ", "") in text


def test_what_is_ignored_and_what_failed_say_so() -> None:
    ignored = dataclasses.replace(_outcome(VARIANT, Verdict.REGRESSED, 1.5), ignored="pt#1")
    lines = _lines(ignored, judge_variant(OTHER_VARIANT, failure="worker 7 hung"))
    assert [line.split() for line in lines if "torchscript" in line] == [
        ["torchscript", "61.9", "ms", "1.500", "ignored"],
        ["torchscript", "error"],
    ]


def test_what_nobody_could_confirm_still_has_its_latency() -> None:
    stored = Speed(variant=VARIANT, verdict=Verdict.REGRESSED, reason=Reason.BEYOND, matters=1.02, candidate_s=0.05)
    untold = dataclasses.replace(stored, verdict=Verdict.INCONCLUSIVE, reason=Reason.TIME, candidate_s=None)
    outcome = judge_variant(VARIANT, speed=untold)
    confirmed = dataclasses.replace(outcome, confirmation=Confirmation(finding=Finding.INCONCLUSIVE, stored=stored))
    assert "50 ms inconclusive" in "\n".join(_lines(confirmed))


@pytest.mark.parametrize(
    ("finding", "pairs", "verdict", "told"),
    [
        (Finding.DRIFT, 0, Verdict.UNCHANGED, "1.774 machine drift"),
        (Finding.SAME_SOFTWARE, 0, Verdict.UNCHANGED, "1.774 same software"),
        (Finding.DRIFT, 6, Verdict.UNCHANGED, "1.774 unchanged"),
        (Finding.DRIFT, 0, Verdict.REGRESSED, "1.774 regressed"),
        (Finding.NOT_REPRODUCED, 4, Verdict.UNCHANGED, "1.774 unchanged"),
    ],
)
def test_a_ratio_that_only_the_machine_made_says_so(finding: Finding, pairs: int, verdict: Verdict, told: str) -> None:
    """A ratio of the stored sessions alone, where nothing was stepped; what costs more is red all the same."""
    outcome = _outcome(VARIANT, verdict, 1.774)
    assert outcome.speed is not None
    confirmation = Confirmation(finding=finding, stored=outcome.speed, pairs=pairs)
    lines = _lines(dataclasses.replace(outcome, confirmation=confirmation))
    assert any(line.endswith(told) for line in lines)


def test_colours_are_for_terminals_and_say_nothing_that_words_do_not() -> None:
    outcomes = [_outcome(VARIANT, verdict, 1.5) for verdict in (Verdict.REGRESSED,)]
    plain, coloured = _lines(*outcomes), _lines(*outcomes, coloured=True)
    assert "\x1b[31m" in "".join(coloured)
    assert [re.sub(r"\x1b\[[\d;]*m", "", line).rstrip() for line in coloured] == plain


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a short line", ["a short line"]),
        ("", [""]),
        ("word " * 30, [" ".join(["word"] * 20), "  " + " ".join(["word"] * 10)]),
        ("  " + "word " * 30, ["  " + " ".join(["word"] * 19), "    " + " ".join(["word"] * 11)]),
        ("x" * 150, ["x" * 100, "  " + "x" * 50]),
        ("a" * 60 + " " + "bert-base-" * 5, ["a" * 60, "  " + "bert-base-" * 5]),
    ],
)
def test_lines_go_on_two_columns_to_the_right(line: str, told: list[str]) -> None:
    assert wrapped([line]) == told
