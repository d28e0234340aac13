"""-k and -m outside pytest select what pytest would."""

import pytest
from builders import VARIANT

from perfsuite.errors import UsageError
from perfsuite.selection import selects
from perfsuite.spec import Mode, Precision, Variant

BF16 = Variant(model="bert-base", backend="ipex", mode=Mode.TORCHSCRIPT, precision=Precision.BF16, workload="latency")


@pytest.mark.parametrize(
    ("names", "marks", "fits"),
    [
        ("", "", True),
        ("bert", "", True),
        ("BERT", "", True),
        ("bert and not dynamo", "", True),
        ("resnet50 or minilm", "", False),
        ("bert-base-ipex", "", True),
        ("not (bert and bf16)", "", False),
        ("", "bf16", True),
        ("", "bf1", False),  # a mark is whole, a piece of a name is not
        ("", "bert-base and (bf16 or int8-static) and not dynamo", True),
        ("", "ipex and not published", False),
        ("torchscript", "int8-static", False),
        ("not bf16 or bert", "", True),  # not binds closest
        ("bert or resnet50 and dynamo", "", True),  # and binds closer than or
    ],
)
def test_a_variant_fits_or_not(names: str, marks: str, fits: bool) -> None:
    assert selects(names, marks)(BF16) is fits


@pytest.mark.parametrize("expression", ["bert and", "and", "(bert", "bert bf16", "not", "bert)", "()"])
@pytest.mark.parametrize("option", ["-k", "-m"])
def test_what_is_no_expression_is_refused(option: str, expression: str) -> None:
    arguments = (expression, "") if option == "-k" else ("", expression)
    with pytest.raises(UsageError, match=f"^{option} .*no expression"):
        selects(*arguments)(VARIANT)
