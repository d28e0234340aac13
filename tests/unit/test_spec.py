"""The matrix: complete, with unique ids, and the published example scripts in it."""

from itertools import product

import pytest

from perfsuite.backends import BACKENDS
from perfsuite.backends.registry import backend_named, marks
from perfsuite.models import MODELS
from perfsuite.spec import WORKLOADS, Mode, Precision, Shape, Variant, matrix, workload

MODEL_NAMES = tuple(model.name for model in MODELS)
BACKEND_NAMES = tuple(backend.name for backend in BACKENDS)
WORKLOAD_NAMES = tuple(w.name for w in WORKLOADS)
EVERY = list(matrix(MODEL_NAMES, BACKEND_NAMES, WORKLOAD_NAMES))

#: ipex's examples/cpu/inference/python/python-scripts: script -> what it runs.
SCRIPTS = {
    "resnet50_eager_mode_inference_fp32": {"resnet50 eager fp32"},
    "resnet50_eager_mode_inference_bf16": {"resnet50 eager bf16"},
    "resnet50_torchdynamo_mode_inference_fp32": {"resnet50 dynamo fp32"},
    "resnet50_torchdynamo_mode_inference_bf16": {"resnet50 dynamo bf16"},
    "resnet50_general_inference_script": {
        "resnet50 torchscript fp32",
        "resnet50 torchscript bf16",
        "resnet50 torchscript int8-static",
    },
    "bert_eager_mode_inference_fp32": {"bert-base eager fp32"},
    "bert_eager_mode_inference_bf16": {"bert-base eager bf16"},
    "bert_torchdynamo_mode_inference_fp32": {"bert-base dynamo fp32"},
    "bert_torchdynamo_mode_inference_bf16": {"bert-base dynamo bf16"},
    "bert_general_inference_script": {"bert-base torchscript fp32", "bert-base torchscript bf16"},
    "int8_quantization_static": {"resnet50 torchscript int8-static"},
    "int8_deployment": {"resnet50 deployed int8-static"},
    "int8_quantization_dynamic": {"bert-base torchscript int8-dynamic"},
}


def _names(variant: Variant) -> str:
    return f"{variant.model} {variant.mode} {variant.precision}"


def test_matrix_is_every_combination_once() -> None:
    combinations = product(MODEL_NAMES, BACKEND_NAMES, Mode, Precision, WORKLOAD_NAMES)
    assert [(v.model, v.backend, v.mode, v.precision, v.workload) for v in EVERY] == list(combinations)


def test_ids_are_unique() -> None:
    assert len({variant.id for variant in EVERY}) == len(EVERY)


def test_id_reads_as_documented() -> None:
    variant = Variant(model="resnet50", backend="ipex", mode=Mode.DYNAMO, precision=Precision.BF16, workload="latency")
    assert variant.id == "resnet50-ipex-dynamo-bf16-latency"


def test_marks_name_every_part_of_the_id() -> None:
    assert all("-".join(marks(v)[:5]) == v.id and set(marks(v)[5:]) <= {"published"} for v in EVERY)


def test_the_thirteen_published_scripts_are_fifteen_variants() -> None:
    published = [v for v in EVERY if "published" in marks(v) and v.workload == "example"]
    assert len(SCRIPTS) == 13
    assert len(published) == len(backend_named("ipex").published) == 15
    assert {_names(v) for v in published} == set().union(*SCRIPTS.values())


def test_only_ipex_is_published() -> None:
    assert {v.backend for v in EVERY if "published" in marks(v)} == {"ipex"}


def test_the_example_workload_has_the_scripts_shapes() -> None:
    example = workload("example")
    assert example.images == (Shape(batch=128, pixels=224),)
    assert example.text == (Shape(batch=128, tokens=512),)


def test_the_mixed_workload_comes_back_to_what_it_has_seen() -> None:
    mixed = workload("mixed")
    assert {shape.batch for shape in mixed.text} == {shape.batch for shape in mixed.images} == {1, 3, 8}
    assert {16, 37, 64, 128} == {shape.tokens for shape in mixed.text}
    assert len(set(mixed.text)) == len(mixed.text)
    assert all(shape.uneven for shape in mixed.text)


@pytest.mark.parametrize("name", WORKLOAD_NAMES)
def test_workload_is_found_by_name(name: str) -> None:
    found = workload(name)
    assert found.name == name
    # Agreement between inputs needs a second sample to be nearest to.
    assert all(found.inputs * shape.batch >= 2 for shape in (*found.images, *found.text))


def test_unknown_workload_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        workload("no-such")


@pytest.mark.parametrize("precision", Precision)
def test_is_int8(precision: Precision) -> None:
    assert precision.is_int8 is precision.value.startswith("int8-")
