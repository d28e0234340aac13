"""What is expected of each variant's kernels: the rules of reading it, and that nothing is left out."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from builders import ANSWERS
from test_machine_isa import AMX
from test_support import IPEX_2_7, IPEX_2_8, OPENVINO, STOCK

from perfsuite.backends import BACKENDS
from perfsuite.errors import PerfsuiteError
from perfsuite.gates import expectations
from perfsuite.gates.expectations import Expectation, expectation
from perfsuite.gates.offer import offer
from perfsuite.models import MODELS
from perfsuite.models.base import Reads
from perfsuite.records.isa import Isa
from perfsuite.spec import WORKLOADS, Mode, Precision, Variant, matrix

_DOCUMENT = tomllib.loads(resources.files("perfsuite.gates").joinpath("expected.toml").read_text(encoding="utf-8"))
_ENTRIES: list[dict[str, Any]] = _DOCUMENT["expect"]
_IDS = [" ".join("+".join(values) for values in entry.get("match", {}).values()) for entry in _ENTRIES]
_READS = {model.name: model.reads for model in MODELS}
_FACTS: dict[str, set[str]] = {
    "backend": {backend.name for backend in BACKENDS},
    "mode": set(Mode),
    "precision": set(Precision),
    "reads": set(Reads),
}


def _supported() -> Iterator[Variant]:
    """Every variant that one of the stacks can run."""
    backends = {backend.name: backend for backend in BACKENDS}
    for variant in matrix(tuple(_READS), tuple(backends), tuple(workload.name for workload in WORKLOADS)):
        how = _READS[variant.model], variant.mode, variant.precision
        if any(
            backends[variant.backend].support(*how, stack, AMX.flags).supported
            for stack in (IPEX_2_8, IPEX_2_7, OPENVINO, STOCK)
        ):
            yield variant


def _as_read(entry: dict[str, Any]) -> Expectation:
    fields = {**_DOCUMENT["default"], **{name: entry[name] for name in entry.keys() - {"match"}}}
    return Expectation(**fields)


def test_every_supported_variant_has_an_entry_and_every_entry_a_variant() -> None:
    variants = list(_supported())
    assert len(variants) == 3 * 5 * (20 + 9 + 22)
    used = (expectation(variant, _READS[variant.model]) for variant in variants)
    of_any_mode = {dataclasses.replace(one, least_compiled_graphs=0, recompilations=math.inf) for one in used}
    assert of_any_mode == {_as_read(entry) for entry in _ENTRIES}


def test_what_torch_compile_compiles_has_compiled_a_graph() -> None:
    modes = {backend.name: backend.compiled_modes for backend in BACKENDS}
    for variant in _supported():
        least = expectation(variant, _READS[variant.model]).least_compiled_graphs
        assert least == (variant.mode is Mode.DYNAMO or variant.mode in modes[variant.backend]), variant.id


@pytest.mark.parametrize("entry", _DOCUMENT["compiled"], ids=lambda entry: str(entry["match"]))
def test_a_number_of_graphs_has_a_source(entry: dict[str, Any]) -> None:
    assert entry["source"]
    for name, accepted in entry["match"].items():
        assert set(accepted) <= _FACTS[name]


@pytest.mark.parametrize("entry", _ENTRIES, ids=_IDS)
def test_an_entry_says_what_can_be_held_against_kernels(entry: dict[str, Any]) -> None:
    for name, accepted in entry.get("match", {}).items():
        assert set(accepted) <= _FACTS[name]
        assert accepted
    expected = _as_read(entry)
    assert expected.source
    assert expected.dtype or expected.known
    if expected.dtype:
        assert offer(expected.dtype, AMX, {}, ANSWERS).best is not Isa.GENERIC
    for share in (expected.least_share, expected.least_best_isa_share, expected.most_reference_share):
        assert share is not None
        assert 0 <= share <= 1
    assert expected.graph_breaks >= 0


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.BF16, Precision.FP16])
def test_no_float_variant_is_excused_from_its_type(precision: Precision) -> None:
    floats = [variant for variant in _supported() if variant.precision is precision]
    assert {expectation(variant, _READS[variant.model]).dtype for variant in floats} == {precision.value}


def test_what_a_backend_calls_simulated_or_partial_is_known() -> None:
    backends = {backend.name: backend for backend in BACKENDS}
    for variant in _supported():
        how = _READS[variant.model], variant.mode, variant.precision
        caveats = [
            backends[variant.backend].support(*how, stack, AMX.flags).limit for stack in (IPEX_2_8, OPENVINO, STOCK)
        ]
        expected = expectation(variant, _READS[variant.model])
        assert bool(expected.dtype) is not any(caveats), variant.id
        assert expected.known or not any(caveats)


_RULES = """
[default]
dtype = ""
least_share = 0.95
least_best_isa_share = 0.9
most_reference_share = 0.01
graph_breaks = 0
least_compiled_graphs = 0
recompilations = inf
most_growth_bytes = 65536
known = ""
source = ""

[[expect]]
match = { backend = ["ipex"], mode = ["torchscript", "deployed"], precision = ["bf16"], reads = ["images"] }
dtype = "bf16"
source = "first"

[[expect]]
match = { precision = ["bf16"] }
least_share = 0.5
known = "attention stays float"
source = "second"

[[compiled]]
match = { backend = ["stock"], mode = ["torchscript"] }
least_compiled_graphs = 3
source = "third"

[[compiled]]
match = { mode = ["torchscript"] }
least_compiled_graphs = 2
source = "fourth"

[[shapes]]
match = { workload = ["mixed"] }
recompilations = 7
source = "fifth"
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Entries of the test's own in the place of the product's."""
    (tmp_path / "expected.toml").write_text(_RULES)
    monkeypatch.setattr("perfsuite.gates.expectations.resources.files", lambda package: tmp_path)
    expectations._document.cache_clear()
    yield
    expectations._document.cache_clear()


def _variant(**changes: Any) -> Variant:
    facts = {"backend": "ipex", "mode": Mode.TORCHSCRIPT, "precision": Precision.BF16, **changes}
    return Variant(model="mine", workload="smoke", **facts)


@pytest.mark.usefixtures("rules")
def test_an_entry_overrides_the_default() -> None:
    assert expectation(_variant(mode=Mode.DEPLOYED), Reads.IMAGES) == Expectation(
        dtype="bf16",
        least_share=0.95,
        least_best_isa_share=0.9,
        most_reference_share=0.01,
        graph_breaks=0,
        least_compiled_graphs=0,
        recompilations=math.inf,
        most_growth_bytes=65536,
        known="",
        source="first",
    )
    other = expectation(_variant(mode=Mode.EAGER), Reads.IMAGES)
    assert (other.dtype, other.least_share, other.least_best_isa_share) == ("", 0.5, 0.9)


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize(
    ("changes", "reads", "source"),
    [
        ({}, Reads.IMAGES, "first"),
        ({"mode": Mode.DEPLOYED}, Reads.IMAGES, "first"),
        ({"mode": Mode.DYNAMO}, Reads.IMAGES, "second"),
        ({"backend": "stock"}, Reads.IMAGES, "second"),
        ({}, Reads.TEXT, "second"),
    ],
)
def test_the_first_entry_that_fits_in_every_respect_decides(changes: dict[str, Any], reads: Reads, source: str) -> None:
    assert expectation(_variant(**changes), reads).source == source


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize(
    ("changes", "least"), [({}, 2), ({"backend": "stock"}, 3), ({"backend": "stock", "mode": Mode.EAGER}, 0)]
)
def test_the_first_entry_that_fits_says_how_many_graphs(changes: dict[str, Any], least: int) -> None:
    assert expectation(_variant(**changes), Reads.IMAGES).least_compiled_graphs == least


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize(("workload", "most"), [("mixed", 7), ("smoke", math.inf)])
def test_recompilations_are_bounded_where_shapes_differ(workload: str, most: float) -> None:
    variant = dataclasses.replace(_variant(), workload=workload)
    found = expectation(variant, Reads.IMAGES)
    assert (found.recompilations, found.least_compiled_graphs, found.source) == (most, 2, "first")


@pytest.mark.usefixtures("rules")
def test_a_variant_of_which_nothing_is_expected_is_named() -> None:
    with pytest.raises(PerfsuiteError, match=r"^mine-ipex-torchscript-fp32-smoke: .*expected\.toml$"):
        expectation(_variant(precision=Precision.FP32), Reads.IMAGES)
