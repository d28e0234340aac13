"""The one registry: what each backend says it is, and what follows from it for stacks, variables and variants."""

from dataclasses import fields, replace

import pytest
from builders import ANSWERS, VARIANT, measurement

from perfsuite.backends import BACKENDS
from perfsuite.backends.base import Backend, Instrument
from perfsuite.backends.registry import NAMES, backend_named, decisive_packages, marks, own_backend, slug_of, variants
from perfsuite.explain.notes import notes
from perfsuite.measure.environment import decisive
from perfsuite.records.machine import StackAnswers, Versions
from perfsuite.records.measurement import Stack
from perfsuite.spec import REFERENCE_BACKEND, Mode, Precision
from perfsuite.worker.probe import DISTRIBUTIONS

IPEX, TORCH = "intel-extension-for-pytorch", "torch"


def test_names_and_aliases_tell_backends_apart() -> None:
    for told in (NAMES, [one.alias for one in BACKENDS], [one.package for one in BACKENDS]):
        assert len(set(told)) == len(BACKENDS)
    assert BACKENDS[-1].name == REFERENCE_BACKEND
    assert all(backend_named(name).name == name for name in NAMES)
    with pytest.raises(KeyError, match="cuda"):
        backend_named("cuda")


@pytest.mark.parametrize("backend", BACKENDS, ids=NAMES)
def test_a_backend_says_what_it_is(backend: object) -> None:
    (one,) = (known for known in BACKENDS if known is backend)
    assert one.package in one.packages
    assert one.instruments <= frozenset(Instrument)
    assert one.instruments
    assert one.artefact_suffix.isalnum()
    assert one.compiled_modes <= frozenset(Mode)
    assert one.how_to_install.startswith("pip install")
    # Who asks a stack what it is, by the same name.
    assert one.alias in DISTRIBUTIONS
    assert one.alias in {field.name for field in fields(Versions)}
    assert f"{one.alias}_import_error" in {field.name for field in fields(StackAnswers)}
    assert ANSWERS.import_error(one.alias) == ""
    for variable in one.variables:
        assert decisive({f"{variable}X": "1"})


@pytest.mark.parametrize(
    ("packages", "slug", "own"),
    [
        ({IPEX: "2.8.0", TORCH: "2.8.0"}, "ipex-2.8.0_torch-2.8.0", "ipex"),
        ({TORCH: "2.14.1", "torchao": "0.18.0"}, "torch-2.14.1", "stock"),
        ({TORCH: "2.8.0+cpu"}, "torch-2.8.0-cpu", "stock"),
        ({IPEX: "2.7.0+cpu", TORCH: "2.7.0"}, "ipex-2.7.0-cpu_torch-2.7.0", "ipex"),
        ({"openvino": "2026.4.1", TORCH: "2.8.0"}, "openvino-2026.4.1_torch-2.8.0", "openvino"),
        ({IPEX: "2.8.0", "openvino": "2026.4.1", TORCH: "2.8.0"}, "ipex-2.8.0_openvino-2026.4.1_torch-2.8.0", "ipex"),
        ({"numpy": "2.4.6"}, "no-torch", "stock"),
        ({}, "no-torch", "stock"),
    ],
)
def test_a_stack_is_named_by_its_backends_and_is_there_for_the_first(
    packages: dict[str, str], slug: str, own: str
) -> None:
    assert slug_of(Stack(python="3.11.7", packages=packages)) == slug
    assert own_backend(packages).name == own


def test_every_backend_has_every_cell_once() -> None:
    found = list(variants(("a", "b"), ("smoke",)))
    assert len(set(found)) == len(found) == 2 * len(BACKENDS) * len(Mode) * len(Precision)
    assert {variant.backend for variant in found} == set(NAMES)
    assert all(marks(variant)[:5] == variant.names for variant in found)


def test_a_baseline_may_hold_a_backend_s_that_nobody_knows() -> None:
    variant = replace(VARIANT, backend="another")
    assert marks(variant) == variant.names


@pytest.mark.parametrize("package", decisive_packages())
def test_what_a_backend_runs_is_named_where_it_is_another(package: str) -> None:
    before, after = (
        measurement(20, stack=Stack(python="3.11.7", packages={package: version})) for version in ("1", "2")
    )
    told = notes(before, after)
    assert [setting.name for setting in told.packages] == [package]
    assert told.other_packages == 0


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_a_profile_is_there_where_the_instruments_have_one(backend: Backend) -> None:
    has_profile = type(backend).layers is not Backend.layers
    assert has_profile is (Instrument.LAYERS in backend.instruments)
