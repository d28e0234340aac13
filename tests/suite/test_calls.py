"""Whatever a model takes and returns, backends see tensors in order; what is no call or no answer is told."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

torch = pytest.importorskip("torch")  # with --stack, the interpreter that runs pytest may do without
from perfsuite.errors import AssetError  # noqa: E402
from perfsuite.models.base import Yields  # noqa: E402
from perfsuite.worker.calls import Call, Positional, flatten, outputs_of, positional  # noqa: E402

A, B, C = torch.ones(2), torch.ones(3), torch.ones(4)
Pair = namedtuple("Pair", "first second")


@dataclass
class Answer:
    loss: Any
    logits: Any
    states: Any = None


@dataclass
class TransformersOutput(OrderedDict):  # type: ignore[type-arg]
    """As transformers' ModelOutput: a mapping of the fields that are not None."""

    logits: Any = None
    cache: Any = None

    def __post_init__(self) -> None:
        self.update({name: value for name, value in vars(self).items() if value is not None})


@pytest.mark.parametrize(
    ("batch", "names", "arguments", "keywords"),
    [
        pytest.param(A, ("0",), (A,), {}, id="a tensor"),
        pytest.param((A, B), ("0", "1"), (A, B), {}, id="positional"),
        pytest.param({"x": A, "y": B}, ("x", "y"), (), {"x": A, "y": B}, id="keywords"),
        pytest.param(({"x": A, "y": B},), ("0.x", "0.y"), ({"x": A, "y": B},), {}, id="one dictionary"),
        pytest.param(
            {"x": [A, (B, C)], "k": 3, "flag": True, "none": None},
            ("x.0", "x.1.0", "x.1.1"),
            (),
            {"x": [A, (B, C)], "k": 3, "flag": True, "none": None},
            id="nested, with plain values",
        ),
        pytest.param((np.ones(2, np.float32),), ("0",), (A,), {}, id="numpy's array"),
    ],
)
def test_a_call_is_taken_apart_and_put_together(
    batch: Any, names: tuple[str, ...], arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> None:
    call, tensors = flatten(batch)
    assert call.names == names
    again = Call.from_json(call.as_json())
    assert again == call
    assert str(again.fill(tensors)) == str((arguments, keywords))


@pytest.mark.parametrize("batch", [(object(),), {"x": {"y": {1, 2}}}, ("text",), ()])
def test_what_is_no_batch_is_told(batch: Any) -> None:
    with pytest.raises(AssetError, match=r"a model's inputs are tensors|without a tensor"):
        flatten(batch)


@pytest.mark.parametrize(
    ("returned", "names"),
    [
        pytest.param(A, ("",), id="a tensor"),
        pytest.param((A, [B, None, C]), ("0", "1.0", "1.2"), id="a tuple"),
        pytest.param({"x": A, "y": {"z": B}}, ("x", "y.z"), id="mappings"),
        pytest.param(Answer(loss=None, logits=A, states=(B, C)), ("logits", "states.0", "states.1"), id="a dataclass"),
        pytest.param(Pair(A, second=B), ("first", "second"), id="a named tuple"),
        pytest.param(TransformersOutput(logits=A, cache=object()), ("logits",), id="a mapping that is a dataclass"),
    ],
)
def test_every_tensor_is_an_output(returned: Any, names: tuple[str, ...]) -> None:
    outputs = outputs_of(_model(Yields.LOGITS), returned)
    assert tuple(output.name for output in outputs) == names
    assert {output.yields for output in outputs} == {Yields.LOGITS}
    assert all(isinstance(output.of(returned), torch.Tensor) for output in outputs)


def test_what_is_not_told_of_is_a_score() -> None:
    found = outputs_of(_model({"y": Yields.BOXES}), {"x": A, "y": B})
    assert [output.yields for output in found] == [Yields.SCORES, Yields.BOXES]


@pytest.mark.parametrize(
    ("yields", "returned", "said"),
    [
        pytest.param(Yields.LOGITS, {"x": 3}, "it returns a dict, in which there is no tensor", id="no tensor"),
        pytest.param({"z": Yields.LOGITS}, {"x": A, "y": B}, "names z; it returns x, y", id="another name"),
    ],
)
def test_what_is_no_answer_is_told(yields: Any, returned: Any, said: str) -> None:
    with pytest.raises(AssetError, match=said):
        outputs_of(_model(yields), returned)


class Sum(torch.nn.Module):  # type: ignore[misc,name-defined]
    def forward(self, x: Any, y: Any = None) -> Any:
        return x if y is None else x + y


class Wide(torch.nn.Module):  # type: ignore[misc,name-defined]
    def forward(self, pair: Any, *, scale: float) -> Any:
        return Answer(loss=None, logits=pair["x"] * scale, states=(pair["y"],))


@pytest.mark.parametrize(
    ("batch", "adapted"),
    [
        pytest.param((A, A), False, id="positional"),
        pytest.param({"x": A, "y": A}, False, id="keywords in the module's order"),
        pytest.param({"y": A, "x": A}, True, id="in another order"),
        pytest.param({"x": A, "y": 1.0}, True, id="a plain value"),
        pytest.param((A, None), True, id="a plain value in the place of a tensor"),
    ],
)
def test_a_module_that_takes_tensors_as_they_are_stays_as_it_is(batch: Any, adapted: bool) -> None:
    call, tensors = flatten(batch)
    module = positional(Sum(), call, outputs_of(_model(Yields.SCORES), A))
    assert isinstance(module, Positional) is adapted
    expected = Sum()(**batch) if isinstance(batch, dict) else Sum()(*batch)
    assert torch.equal(module(*tensors), expected)


@pytest.mark.parametrize("how", ["eager", "traced", "exported"])
def test_dictionaries_in_and_a_dataclass_out(how: str) -> None:
    call, tensors = flatten({"pair": {"x": A, "y": B}, "scale": 2.0})
    outputs = outputs_of(_model(Yields.SCORES), Wide()({"x": A, "y": B}, scale=2.0))
    module = positional(Wide(), call, outputs)
    if how == "traced":
        module = torch.jit.trace(module, tensors)
    elif how == "exported":
        module = torch.export.export(module, tensors, strict=True).module()
    first, second = module(*tensors)
    assert torch.equal(first, 2 * A)
    assert torch.equal(second, B)


def _model(yields: Any) -> Any:
    return cast(Any, SimpleNamespace(name="mine", yields=yields))
