"""What the terminal says: figures, intervals and reasons are all there."""

import dataclasses

import pytest
from builders import OTHER_VARIANT, VARIANT

from perfsuite.records.accuracy import Accuracy
from perfsuite.report import text
from perfsuite.spec import Limit, Mode, Precision, Support, Variant


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0000214, "0.0214 ms"),
        (0.0142, "14.2 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1.0, "1 s"),
        (65.4, "65.4 s"),
        (1234.0, "1234 s"),
    ],
)
def test_durations_are_shown_with_a_unit_and_no_exponent(seconds: float, shown: str) -> None:
    assert text.milliseconds(seconds) == shown


def _variants(count: int) -> list[Variant]:
    """In each mode FP32, BF16 and static INT8, one after another."""
    precisions = (Precision.FP32, Precision.BF16, Precision.INT8_STATIC)
    made = [dataclasses.replace(VARIANT, mode=mode, precision=precision) for mode in Mode for precision in precisions]
    return made[:count]


@pytest.mark.parametrize(
    ("variants", "names"),
    [
        pytest.param([], "", id="none"),
        pytest.param([VARIANT, OTHER_VARIANT], f"{VARIANT.id}, {OTHER_VARIANT.id}", id="few"),
        pytest.param(_variants(8), ", ".join(variant.id for variant in _variants(8)), id="eight"),
        pytest.param(
            _variants(10),
            "resnet50-ipex-eager-{fp32,bf16,int8-static}-latency, "
            "resnet50-ipex-dynamo-{fp32,bf16,int8-static}-latency, "
            "resnet50-ipex-torchscript-{fp32,bf16,int8-static}-latency, resnet50-ipex-deployed-fp32-latency",
            id="many",
        ),
        pytest.param(
            [*_variants(9)[::-1], dataclasses.replace(VARIANT, workload="smoke")],
            "resnet50-ipex-torchscript-{int8-static,bf16,fp32}-latency, resnet50-ipex-dynamo-{int8-static,bf16,fp32}-"
            "latency, resnet50-ipex-eager-{int8-static,bf16,fp32}-latency, "
            + f"{VARIANT.id.replace('latency', 'smoke')}",
            id="in their order, workloads apart",
        ),
    ],
)
def test_many_variants_are_named_by_what_they_share(variants: list[Variant], names: str) -> None:
    assert text.variant_names(variants) == names


def test_accuracy_is_a_table_with_aligned_columns() -> None:
    accuracy = Accuracy(sqnr_db=46.25, centred_cosine=0.9991234, variation=1.0, agreement=0.98765, max_error=0.0123)
    head, first, second = text.accuracy_lines([(VARIANT, accuracy), (OTHER_VARIANT, accuracy)])
    assert first.split() == [VARIANT.id, "46.2", "0.999123", "0.9877", "0.012"]
    assert len(head) == len(first) == len(second)


def test_a_figure_that_does_not_exist_is_a_dash() -> None:
    nothing = Accuracy(sqnr_db=None, centred_cosine=None, variation=None, agreement=None, max_error=None)
    head, line = text.accuracy_lines([(VARIANT, nothing)])
    assert line.split() == [VARIANT.id, "-", "-", "-", "-"]
    assert len(head) == len(line)


@pytest.mark.parametrize(
    ("support", "word"),
    [
        (Support(), "yes"),
        (Support(reason="missing"), "no"),
        (Support(limit=Limit.SIMULATED, caveat="float kernels"), "simulated"),
    ],
)
def test_support_in_one_word(support: Support, word: str) -> None:
    assert text.support_word(support) == word
