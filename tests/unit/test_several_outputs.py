"""Several outputs of one model, each held by its meaning, and by the model's own figures."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import DIGESTS, VARIANT
from test_outputs import ANSWER, NAN, REFERENCE, Array, changed_at, checked, held, referred

from perfsuite.check.outputs import Answer, Outputs, hold_references, own_violations
from perfsuite.models.base import Figure, Yields
from perfsuite.records.violation import Against, Kind
from perfsuite.spec import Precision


def _several(*, shape: str = "", **values: Array) -> Outputs:
    """Scores, and what the model's own figures judge."""
    answers = (
        Answer(name=name, shape=shape, values=array, yields=Yields.FIGURES if name == "order" else Yields.SCORES)
        for name, array in values.items()
    )
    return Outputs(answers=tuple(answers), digests=DIGESTS)


ORDER = np.zeros((2, 4), np.float32)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(_several(scores=ANSWER, order=ORDER + 1), [], id="figures judge the order"),
        pytest.param(
            _several(scores=REFERENCE + 1, order=ORDER),
            [(Kind.SQNR_LOW, "scores"), (Kind.COSINE, "scores")],
            id="one is wrong",
        ),
        pytest.param(
            _several(scores=ANSWER, order=changed_at(ORDER, {(0, 1): NAN})), [(Kind.NOT_FINITE, "order")], id="nan"
        ),
        pytest.param(_several(scores=ANSWER, order=ORDER[:, :3]), [(Kind.SHAPE, "order")], id="another shape"),
        pytest.param(_several(scores=ANSWER), [(Kind.OUTPUTS, "")], id="one is missing"),
        pytest.param(_several(scores=ANSWER, places=ORDER), [(Kind.OUTPUTS, "")], id="another name"),
        pytest.param(_several(scores=ANSWER, order=ORDER, shape="1 x 16"), [(Kind.OUTPUTS, "")], id="at another shape"),
    ],
)
def test_each_of_several_outputs_is_held(answer: Outputs, expected: list[tuple[Kind, str]]) -> None:
    found = checked(_several(scores=REFERENCE, order=ORDER), answer)
    assert [(violation.kind, violation.subject) for violation in found.violations] == expected


@pytest.mark.parametrize(
    ("least", "most", "found"),
    [(None, 0.0, None), (1.0, None, 1.0), (None, -1.0, -1.0), (0.0, 0.0, None), (NAN, None, NAN)],
)
def test_a_model_s_own_figures_are_held_by_their_bounds(
    least: float | None, most: float | None, found: float | None
) -> None:
    def figures(reference: Any, answer: Any, precision: Precision) -> list[Figure]:
        assert precision is VARIANT.precision
        assert reference.keys() == answer.keys() == {"scores", "order"}
        return [Figure(name="moved", value=float(np.abs(reference["order"] - answer["order"]).max()),
                       least=least, most=most)]  # fmt: skip

    both = [*_several(scores=REFERENCE, order=ORDER, shape="1 x 16").answers, *_several(
        scores=REFERENCE, order=ORDER, shape="3 x 37").answers]  # fmt: skip
    seen = [dataclasses.replace(one, values=ANSWER) if one.name == "scores" else one for one in both]
    violations = checked(
        Outputs(answers=tuple(both), digests=DIGESTS), Outputs(answers=tuple(seen), digests=DIGESTS), figures=figures
    ).violations
    told = [] if found is None else ["moved at 1 x 16", "moved at 3 x 37"]
    assert [violation.subject for violation in violations] == told
    assert all(str(violation.expected) == str(found) for violation in violations)


def test_a_figure_that_is_no_number_is_out_of_its_bounds() -> None:
    outputs = _several(scores=REFERENCE, order=ORDER)
    (found,) = own_violations(
        lambda *_: [Figure(name="mine", value=NAN, most=1.0)], outputs, outputs, Precision.FP32, Against.EXPECTATION
    )
    assert (found.kind, found.expected) == (Kind.FIGURE, 1.0)


def test_other_stacks_are_held_output_by_output() -> None:
    before = _several(scores=ANSWER, order=ORDER)
    after = _several(scores=ANSWER + 1, order=ORDER + 1)
    assert [one.subject for one in held(before, after).violations] == ["scores"]
    assert {one.subject for one in referred(before, after).violations} == {"scores"}
    own = hold_references(before, before, figures=lambda *_: [Figure(name="mine", value=0.0, least=1.0)])
    assert [(one.subject, one.against) for one in own.violations] == [("mine", Against.BASELINE_REFERENCE)]
