"""Expectations of one's own: read, laid over perfsuite's, told with their reason, and never nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from builders import OTHER_VARIANT, VARIANT

from perfsuite.errors import UsageError
from perfsuite.gates.expectations import expectation
from perfsuite.kernel_limits import KernelLimits
from perfsuite.models.base import Reads
from perfsuite.report.own_expectations import own_expectation_lines
from perfsuite.settings import Settings, read_settings

_ENTRY = '[[tool.perfsuite.match]]\nmodel = "resnet50"\n'


def _read(folder: Path, text: str) -> Settings:
    (folder / "pyproject.toml").write_text(_ENTRY + text, encoding="utf-8")
    return read_settings(folder, {})


def test_what_the_user_says_takes_the_place_of_what_perfsuite_does(tmp_path: Path) -> None:
    settings = _read(tmp_path, 'kernels = { least_share = "60%", graph_breaks = 2 }\nreason = "issue 12"\n')
    limits = settings.limits(VARIANT).kernels
    assert limits == KernelLimits(fields={"least_share": 0.6, "graph_breaks": 2}, reason="issue 12")
    before = expectation(VARIANT, Reads.IMAGES)
    after = expectation(VARIANT, Reads.IMAGES, limits)
    assert after == dataclasses.replace(before, least_share=0.6, graph_breaks=2, source="issue 12")
    assert before.least_share > 0.6


@pytest.mark.parametrize(
    ("kernels", "fields"),
    [
        ('{ least_best_isa_share = "100%" }', {"least_best_isa_share": 1.0}),
        ("{ least_share = 0.5 }", {"least_share": 0.5}),
        ('{ dtype = "fp16" }', {"dtype": "fp16"}),
        ('{ most_reference_share = "0%" }', {"most_reference_share": 0.0}),
        ('{ dtype = "bf16", least_compiled_graphs = 3 }', {"dtype": "bf16", "least_compiled_graphs": 3}),
    ],
)
def test_every_bound_can_be_set(kernels: str, fields: dict[str, object], tmp_path: Path) -> None:
    limits = _read(tmp_path, f'kernels = {kernels}\nreason = "why"\n').limits(VARIANT).kernels
    assert limits is not None
    assert limits.fields == fields


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kernels = { least_share = "0%" }\nreason = "a"', "least_share must be a share above 0"),
        ('kernels = { least_share = 1.5 }\nreason = "a"', "least_share must be a share above 0 and up to 100%"),
        ('kernels = { least_share = true }\nreason = "a"', "least_share must be a share"),
        ('kernels = { most_reference_share = "100%" }\nreason = "a"', "100% would let pass all"),
        ('kernels = { dtype = "" }\nreason = "a"', "dtype must be one of fp32, bf16, fp16, int8"),
        ('kernels = { graph_breaks = -1 }\nreason = "a"', "graph_breaks must be a number from 0 on"),
        ('kernels = { least_compiled_graphs = 0 }\nreason = "a"', "least_compiled_graphs must be a number from 1 on"),
        ('kernels = { no_such = 1 }\nreason = "a"', "unknown bounds no_such"),
        ('kernels = {}\nreason = "a"', "kernels must be a table of bounds"),
        ("kernels = { graph_breaks = 1 }", "kernels needs a reason"),
        ('kernels = { graph_breaks = 1 }\nreason = " "', "kernels needs a reason"),
        ('matters = "3%"\nreason = "a"', "reason is of kernels, which it does not set"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_the_entry_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        _read(tmp_path, text)
    assert "[[tool.perfsuite.match]] 1 (model resnet50)" in str(refused.value)


def test_each_is_told_with_its_reason_and_what_it_replaces() -> None:
    own = {VARIANT: KernelLimits(fields={"least_share": 0.6, "dtype": "bf16"}, reason="its head stays FP32")}
    lines = own_expectation_lines([VARIANT, OTHER_VARIANT], own.get, lambda one: expectation(one, Reads.IMAGES))
    before = expectation(VARIANT, Reads.IMAGES)
    assert lines == [
        f"kernels as [tool.perfsuite] expects (1): least_share 0.6 (was {before.least_share:.3g}), "
        f"dtype bf16 (was {before.dtype}): its head stays FP32: {VARIANT.id}"
    ]
