"""Baselines in words: one line for a machine class, which stack was held against, what was accepted."""

import dataclasses
from typing import Any

import pytest
from builders import OTHER_VARIANT, VARIANT, baseline, measurement

from perfsuite.records.baseline import (
    Acceptance,
    Accepted,
    Baseline,
    Difference,
    Incomparable,
    Lack,
    Missing,
)
from perfsuite.report.baselines import acceptance_lines, baseline_lines, baseline_words, lack_line

CLASS = Missing(kind=Lack.NO_CLASS, machine_slug="epyc-8c")
NEAREST = dataclasses.replace(
    CLASS,
    nearest="xeon-4c",
    nearest_differences=(
        Difference(name="cpu_model", before="Xeon", now="EPYC"),
        Difference(name="physical_cores", before="4", now="8"),
        Difference(name="threads", before="4", now="2"),
        Difference(name="isa", before="amx_bf16 amx_tile", now="avx_vnni"),
    ),
)
OTHER_NEAREST = dataclasses.replace(CLASS, nearest="core-2c", nearest_differences=())
VARIANT_LACKS = Missing(kind=Lack.NO_VARIANT, machine_slug="epyc-8c", stacks=("torch-2.8.0", "torch-2.7.0"))
WEIGHTS = Difference(name="weights_sha256", before="c" * 64, now="a" * 64)
ORIGIN = Difference(name="weights_origin", before="pretrained", now="seeded")
_CLASS_LINE = "no baseline for this machine class (epyc-8c) yet; --baseline-update-new accepts what was measured"
_NEAREST_LINE = (
    f"{_CLASS_LINE}; nearest: xeon-4c, which differs in CPU (Xeon there, EPYC here); cores (4 there, 8 here); "
    "threads (4 there, 2 here); instruction sets (only there amx_bf16 amx_tile, only here avx_vnni)"
)
_ACCEPT_LINE = (
    "to accept what was measured into kept: --baseline-update, or --baseline-update-new for what has no baseline yet"
)


def _held(stack_slug: str, accepted_at: str | None) -> Baseline:
    return baseline(measurement(1), stack_slug=stack_slug, accepted_at=accepted_at)


@pytest.mark.parametrize(
    ("lack", "line"),
    [
        (CLASS, _CLASS_LINE),
        (NEAREST, _NEAREST_LINE),
        (VARIANT_LACKS, "no baseline of this variant; this machine class has baselines of torch-2.8.0, torch-2.7.0"),
        (
            dataclasses.replace(VARIANT_LACKS, kind=Lack.NO_STACK),
            "no baseline of the stack that was asked for; this machine class has baselines of torch-2.8.0, torch-2.7.0",
        ),
        (Incomparable(fields=(WEIGHTS,)), "weights digest cccccccccccc in the baseline, aaaaaaaaaaaa here"),
        (
            Incomparable(fields=(dataclasses.replace(WEIGHTS, name="inputs_sha256"), ORIGIN)),
            "inputs digest cccccccccccc in the baseline, aaaaaaaaaaaa here; "
            "weights are 'pretrained' there, 'seeded' here",
        ),
    ],
    ids=["class", "nearest", "variant", "stack", "weights", "inputs"],
)
def test_why_there_is_no_baseline(lack: Missing | Incomparable, line: str) -> None:
    assert lack_line(lack) == line


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        ([], []),
        ([NEAREST] * 32, [f"missing-baseline (32): {_NEAREST_LINE}"]),
        ([OTHER_NEAREST, NEAREST, NEAREST, CLASS], [f"missing-baseline (4): {_NEAREST_LINE}"]),
        ([VARIANT_LACKS] * 2, [f"missing-baseline (2): {lack_line(VARIANT_LACKS)}", _ACCEPT_LINE]),
        (
            [Incomparable(fields=(WEIGHTS,)), Incomparable(fields=(ORIGIN,)), Incomparable(fields=(WEIGHTS,))],
            [
                "incomparable (2): weights digest cccccccccccc in the baseline, aaaaaaaaaaaa here",
                "incomparable (1): weights are 'pretrained' there, 'seeded' here",
                _ACCEPT_LINE,
            ],
        ),
        (
            [
                _held("torch-2.8.0", "2026-01-02T03:04:05+00:00"),
                _held("torch-2.7.0", None),
                _held("torch-2.8.0", "2025-12-31T03:04:05+00:00"),
                _held("torch-2.6.0", "2025-12-31T03:04:05+00:00"),
            ],
            [
                "held against torch-2.8.0 (accepted 2025-12-31 to 2026-01-02): 2",
                "held against torch-2.7.0: 1",
                "held against torch-2.6.0 (accepted 2025-12-31): 1",
            ],
        ),
    ],
    ids=["none", "class", "class-with-several-nearest", "variants", "incomparable", "held"],
)
def test_the_end_of_a_run(found: list[Baseline | Missing | Incomparable], lines: list[str]) -> None:
    assert baseline_lines(found, "kept") == lines


def test_several_sessions_are_counted() -> None:
    eight = [dataclasses.replace(_held("torch-2.8.0", None), accepted=_sessions(count)) for count in (2, 8)]
    assert baseline_words(eight[1]) == "torch-2.8.0 (8 sessions, accepted 2026-01-01 to 2026-01-08)"
    assert baseline_lines(eight, "kept") == [
        "held against torch-2.8.0 (2 to 8 sessions, accepted 2026-01-01 to 2026-01-08): 2"
    ]


def _sessions(count: int) -> tuple[Accepted, ...]:
    newest_first = range(count, 0, -1)
    return tuple(
        one for day in newest_first for one in _held("torch-2.8.0", f"2026-01-{day:02}T00:00:00+00:00").accepted
    )


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"accepted": (VARIANT, OTHER_VARIANT)}, ["accepted 2 into a/b.json"]),
        (
            {"sessions": 1},
            [
                "accepted 1 into a/b.json",
                "  1 of 3 sessions: too few to know how much sessions differ; until then 4.7% are assumed; "
                "accept more of them, at other hours, with --baseline-update",
            ],
        ),
        (
            {"restarted": (VARIANT,)},
            ["accepted 1 into a/b.json", "  of 1 the speed is another: earlier sessions count no more"],
        ),
        (
            {"kept_evidence": (VARIANT,)},
            ["accepted 1 into a/b.json", "  kept the stored evidence of 1: nothing observed replaces it"],
        ),
        (
            {"dropped_evidence": (VARIANT,)},
            [
                "accepted 1 into a/b.json",
                "  dropped the stored evidence of 1: it was observed with other packages or variables, "
                f"and nothing replaces it: {VARIANT.id}",
            ],
        ),
        (
            {"accepted": (), "sessions": 0, "removed": (VARIANT, OTHER_VARIANT)},
            ["accepted 0 into a/b.json", f"  removed 2: {VARIANT.id}, {OTHER_VARIANT.id}"],
        ),
        (
            {"pruned": ("a.json", "b.json")},
            ["accepted 1 into a/b.json", "  deleted a.json, b.json: no variant needs them any more"],
        ),
    ],
    ids=["accepted", "too-few", "restarted", "kept", "dropped", "removed", "pruned"],
)
def test_what_was_accepted(changes: dict[str, Any], lines: list[str]) -> None:
    whole = Acceptance(name="a/b.json", accepted=(VARIANT,), sessions=3)
    assert acceptance_lines(dataclasses.replace(whole, **changes)) == lines


def test_nothing_accepted_is_no_line() -> None:
    assert acceptance_lines(Acceptance()) == []
