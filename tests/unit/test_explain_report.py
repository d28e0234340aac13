"""What `perfsuite explain` prints: sentences first, then the kernels that differ; its options and its exit status."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from builders import OTHER_VARIANT, VARIANT, document, measurement
from evidence_builders import FP32, evidence, graphs, kernel, operator_kernel, side

from perfsuite.cli import main
from perfsuite.explain.causes import explain
from perfsuite.records.measurement import Measurement
from perfsuite.report.explain import explanation_lines, session_lines

FIRST = side(20, kernel(18))
SECOND = dataclasses.replace(side(30, kernel(28, **FP32)), environment={"ONEDNN_MAX_CPU_ISA": "SSE41"})
SAME = dataclasses.replace(side(40, kernel(38)), variant=OTHER_VARIANT)
CAPPED = dataclasses.replace(SAME, environment=SECOND.environment)
HEAD = f"{VARIANT.id}: ratio 1.500, 30 ms against 20 ms"
SENTENCE = (
    "- 100 % of the slowdown (+10.0 ms of +10.0 ms) is 1 convolution that moved from "
    "brg_conv_fwd:avx512_core_bf16 (bf16) to jit:avx512_core (fp32): bf16 lost"
)
NOTE = "not the same: variables: OMP_NUM_THREADS unset (was 4), ONEDNN_MAX_CPU_ISA SSE41 (was unset)"
CLOSE = "closer than two sessions of the same code may be (3%)"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two sessions: one variant lost its precision, the other is the same."""
    return [
        _stored(tmp_path / "old.json", SAME, FIRST),
        _stored(tmp_path / "new.json", CAPPED, SECOND),
    ]


def _stored(path: Path, *measurements: Measurement) -> str:
    path.write_text(json.dumps(document(*measurements)))
    return str(path)


def test_the_whole_report(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *files]) == 0
    assert capsys.readouterr().out.splitlines() == [
        NOTE,
        "",
        HEAD,
        SENTENCE.removesuffix(" jit:avx512_core (fp32): bf16 lost"),
        "  jit:avx512_core (fp32): bf16 lost",
        "",
        "  change ms   before    after  calls  kernel",
        "    +10.000   18.000   28.000      1  convolution mb1_ic64oc64_ih56oh56kh3sh1dh0ph1_iw56ow56kw3sw1dw0pw1",
        "                                      brg_conv_fwd:avx512_core_bf16 (bf16) -> jit:avx512_core (fp32)",
        "",
        f"{OTHER_VARIANT.id}: ratio 1.000, 40 ms against 40 ms; {CLOSE}, by the same kernels",
    ]


def test_two_variants_of_one_file(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", f"{files[0]}::{VARIANT.id}", f"{files[0]}::{OTHER_VARIANT.id}"]) == 0
    assert capsys.readouterr().out.startswith(f"{VARIANT.id} -> {OTHER_VARIANT.id}: ratio 2.000, 40 ms against 20 ms\n")


def test_the_furthest_from_one_comes_first_and_nothing_new_last() -> None:
    variants = [dataclasses.replace(VARIANT, model=name) for name in "abcd"]
    before = [measurement(20_000_000, variant=one, evidence=evidence([kernel(18)])) for one in variants]
    after = [
        dataclasses.replace(measurement(after_ns, variant=one.variant), evidence=evidence([row]))
        for one, after_ns, row in zip(
            before,
            (20_100_000, 30_000_000, 10_000_000, 20_200_000),
            (kernel(18), kernel(28), kernel(8), kernel(18.2, **FP32)),
            strict=True,
        )
    ]
    lines = session_lines([explain(*pair) for pair in zip(before, after, strict=True)], top=3)
    heads = [line[0] for line in lines if ": ratio" in line]
    assert heads == ["c", "b", "d", "a"]
    assert lines[-1].endswith(f"ratio 1.005, 20.1 ms against 20 ms; {CLOSE}, by the same kernels")
    assert f"- {CLOSE}" in lines


def test_a_note_of_one_variant_alone_stands_with_it() -> None:
    pairs = [explain(FIRST, SECOND), explain(SAME, dataclasses.replace(SAME, replicates=SECOND.replicates))]
    lines = session_lines(pairs, top=0)
    assert lines[0] == HEAD
    assert lines[3] == NOTE
    assert lines[4:6] == ["", f"{OTHER_VARIANT.id}: ratio 0.750, 30 ms against 40 ms"]
    assert not any("--top" in line for line in lines)


def test_no_word_is_broken_at_its_hyphens() -> None:
    variables = {"ONEDNN_WORDS": " ".join(["ab-cd"] * 60)}
    lines = session_lines([explain(FIRST, dataclasses.replace(SECOND, environment=variables))], top=0)
    assert sum("ab-cd" in line for line in lines) > 2
    assert not any(line.endswith("-") for line in lines)


def test_the_same_kernel_is_named_once() -> None:
    assert session_lines([explain(FIRST, side(30, kernel(28)))], top=1)[-1].strip() == kernel().implementation


MANY = [
    kernel(10 - index, problem=f"mb1_ic{index}oc64_{'x' * 200}", implementation=f"a_{index}:{'y' * 90}")
    for index in range(9)
]


def test_the_largest_changes_come_first_and_the_rest_is_counted() -> None:
    lines = session_lines([explain(side(20), side(80, *MANY))], top=3)
    assert [line.split()[0] for line in lines if " mb1_ic" in line] == ["+10.000", "+9.000", "+8.000"]
    assert lines[-1].strip() == "and 6 more: --top 9"
    assert max(map(len, lines)) == 120
    assert sum("only after: a_" in line for line in lines) == 3


def test_calls_that_are_gone_say_so() -> None:
    gone = explain(side(30, kernel(18), operator_kernel("aten::mul", 5)), side(25, kernel(18)))
    lines = session_lines([gone], top=1)
    assert lines[-2].split() == ["-5.000", "5.000", "-", "1", "aten::mul", "[[1,", "64],", "[1,", "64]]"]
    assert lines[-1].strip() == "only before: aten::mul"


def test_the_short_form_is_six_lines_at_most() -> None:
    assert explanation_lines(explain(FIRST, SECOND)) == [SENTENCE, NOTE]
    many = evidence(
        [kernel(20, **FP32), kernel(9, operation="pooling", macs=0), operator_kernel("aten::copy_", 5)],
        graphs=graphs("print"),
        threads=2,
    )
    before = evidence([kernel(10), kernel(8, operation="pooling", macs=0)], graphs=graphs())
    crowded = explain(
        measurement(20_000_000, evidence=before), measurement(40_000_000, evidence=many, environment={"OMP": "1"})
    )
    lines = explanation_lines(crowded)
    assert len(crowded.contributions) == 4
    assert len(lines) == 5
    extra = dataclasses.replace(crowded, contributions=crowded.contributions * 2)
    assert len(explanation_lines(extra)) == 6
    assert explanation_lines(extra)[4] == "- and 4 more: `perfsuite explain` has them all"


def test_the_short_form_always_says_something() -> None:
    assert explanation_lines(explain(FIRST, FIRST)) == [f"- {CLOSE}, by the same kernels"]


def test_json_has_every_figure(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *files, "--json", "-k", "resnet50"]) == 0
    document = json.loads(capsys.readouterr().out)
    (explained,) = document["explanations"]
    assert document["schema"] == 1
    assert (explained["before"], explained["after"]) == (VARIANT.id, VARIANT.id)
    assert (explained["before_s"], explained["after_s"]) == pytest.approx((0.02, 0.03))
    (finding,) = explained["findings"]
    assert (finding["cause"], finding["share"]) == ("precision", pytest.approx(1.0))
    assert f"- {finding['sentence']}" == SENTENCE
    assert f"not the same: {'; '.join(explained['notes'])}" == NOTE
    (change,) = finding["changes"]
    assert change["before"]["implementation"] == "brg_conv_fwd:avx512_core_bf16"
    assert change["after"]["dtype"] == "fp32"
    assert change["delta_s"] == pytest.approx(finding["delta_s"]) == pytest.approx(0.01)


@pytest.mark.parametrize("expression", ["bert", "BERT and not resnet50", "gpt or bert"])
def test_k_chooses_variants(expression: str, files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *files, "-k", expression]) == 0
    out = capsys.readouterr().out
    assert OTHER_VARIANT.id in out
    assert VARIANT.id not in out


def test_top_chooses_how_many_kernels(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *files, "--top", "0"]) == 0
    assert "change ms" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-k", "gpt"], "-k 'gpt' selects no variant"),
        (["-k", "gpt or"], "-k 'gpt or': no expression"),
        (["--top", "-1"], "argument --top: invalid"),
        (["--top", "x"], "argument --top: invalid"),
    ],
)
def test_usage_errors_exit_with_2(
    options: list[str], words: str, files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["explain", *files, *options])
    except SystemExit as stop:
        status = int(stop.code or 0)
    assert status == 2
    assert words in capsys.readouterr().err


def test_two_large_sessions_are_explained_without_torch(tmp_path: Path) -> None:
    variants = [dataclasses.replace(VARIANT, model=f"model{index}") for index in range(100)]
    paths = []
    for name, changes in (("old", {}), ("new", FP32)):
        rows = [changes if index % 8 == 0 else {} for index in range(80)]
        kernels = [kernel(problem=f"mb1_ic{index}oc64", **row) for index, row in enumerate(rows)]
        measured = [measurement(20_000_000, variant=one, evidence=evidence(kernels)) for one in variants]
        paths.append(_stored(tmp_path / f"{name}.json", *measured))
    probe = "import sys; from perfsuite.cli import main; main(sys.argv[1:]); assert 'torch' not in sys.modules"
    run = subprocess.run(
        [sys.executable, "-c", probe, "explain", *paths], capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("10 convolutions that moved") == 100
