"""What one session shows by itself: which pairs are told, which not, and in what order."""

import dataclasses

import pytest
from builders import VARIANT, measurement

from perfsuite.limits import CostLimits, Limits
from perfsuite.records.measurement import Measurement
from perfsuite.report.within import within_lines
from perfsuite.spec import Mode, Precision, Variant

MS = 1_000_000


def _variant(mode: str = "eager", precision: str = "bf16", model: str = "minilm", workload: str = "latency") -> Variant:
    return dataclasses.replace(VARIANT, model=model, mode=Mode(mode), precision=Precision(precision), workload=workload)


def _measured(variant: Variant, *latencies_ms: float) -> Measurement:
    return measurement(*(round(one * MS) for one in latencies_ms), variant=variant)


def _limits(variant: Variant) -> Limits:
    return Limits(matters=1.02, costs=CostLimits())


def _lines(*measurements: Measurement, known: tuple[Variant, ...] = ()) -> list[str]:
    return within_lines({one.variant: one for one in measurements}, _limits, known=known)


EAGER, DYNAMO = _variant(), _variant("dynamo")


@pytest.mark.parametrize(
    ("slower", "faster", "what"),
    [
        pytest.param(DYNAMO, EAGER, "compiled slower than eager", id="dynamo"),
        pytest.param(_variant("torchscript"), EAGER, "compiled slower than eager", id="torchscript"),
        pytest.param(_variant("deployed"), EAGER, "compiled slower than eager", id="deployed"),
        pytest.param(_variant(precision="bf16"), _variant(precision="fp32"), "BF16 slower than FP32", id="bf16"),
        pytest.param(_variant(precision="int8-static"), EAGER, "INT8 slower than BF16", id="int8-static"),
        pytest.param(_variant(precision="int8-dynamic"), EAGER, "INT8 slower than BF16", id="int8-dynamic"),
        pytest.param(EAGER, DYNAMO, None, id="eager is slower than dynamo"),
        pytest.param(_variant(precision="fp32"), EAGER, None, id="FP32 is slower"),
        pytest.param(DYNAMO, _variant("torchscript"), None, id="two compiled modes"),
        pytest.param(DYNAMO, _variant(model="resnet50"), None, id="another model"),
        pytest.param(DYNAMO, _variant(workload="smoke"), None, id="another workload"),
        pytest.param(DYNAMO, dataclasses.replace(EAGER, backend="stock"), None, id="another backend"),
        pytest.param(DYNAMO, _variant(precision="fp32"), None, id="another mode and precision"),
    ],
)
def test_what_is_slower_than_its_counterpart_is_told(slower: Variant, faster: Variant, what: str | None) -> None:
    lines = _lines(_measured(slower, 13, 13), _measured(faster, 10, 10))
    told = f"  {what}: {slower.id} takes 13 ms, {faster.id} 10 ms (1.30 times)"
    assert lines == (["slower than simpler variants of this run (1):", told] if what else [])


@pytest.mark.parametrize(
    ("slower_ms", "faster_ms", "told"),
    [
        pytest.param((10.3, 10.3), (10, 10), True, id="by more than matters"),
        pytest.param((10.1, 10.1), (10, 10), False, id="by less than matters"),
        pytest.param((13, 9.9), (10, 10), False, id="one worker of it is faster"),
        pytest.param((13, 13), (10, 13.5), False, id="one worker of the other is slower"),
        pytest.param((13, 12), (10, 11.5), True, id="every worker is slower"),
        pytest.param((13,), (10,), False, id="one worker a side"),
        pytest.param((13, 13), (10,), False, id="one worker of the other"),
    ],
)
def test_only_what_is_beyond_the_workers_spread_is_told(
    slower_ms: tuple[float, ...], faster_ms: tuple[float, ...], told: bool
) -> None:
    assert bool(_lines(_measured(DYNAMO, *slower_ms), _measured(EAGER, *faster_ms))) is told


def test_what_matters_to_the_variant_decides() -> None:
    both = {one.variant: one for one in (_measured(DYNAMO, 13, 13), _measured(EAGER, 10, 10))}
    assert within_lines(both, lambda variant: Limits(matters=1.4, costs=CostLimits())) == []
    ignored = Limits(matters=1.02, costs=CostLimits(), ignore="pt#12345")
    assert within_lines(both, lambda variant: ignored) == []


def test_a_variant_known_not_to_be_what_it_is_called_is_no_news() -> None:
    simulated = _variant(precision="int8-static")
    pair = _measured(simulated, 90, 90), _measured(EAGER, 10, 10)
    assert len(_lines(*pair)) == 2
    assert _lines(*pair, known=(simulated,)) == []
    # That a real one is slower than a simulated one is.
    assert len(_lines(_measured(_variant("torchscript", "int8-static"), 95, 95), pair[0], known=(simulated,))) == 2


def test_the_worst_comes_first_and_each_pair_once() -> None:
    lines = _lines(
        _measured(EAGER, 10, 10),
        _measured(DYNAMO, 12, 12),
        _measured(_variant("torchscript"), 30, 30),
        _measured(_variant("dynamo", "int8-static"), 18, 18),
        _measured(_variant("eager", "int8-static"), 17, 17),
    )
    assert [[*line.split()[:4], line.split()[-2]] for line in lines[1:]] == [
        ["compiled", "slower", "than", "eager:", "(3.00"],
        ["INT8", "slower", "than", "BF16:", "(1.70"],
        ["INT8", "slower", "than", "BF16:", "(1.50"],
        ["compiled", "slower", "than", "eager:", "(1.20"],
        ["compiled", "slower", "than", "eager:", "(1.06"],
    ]
