"""Correctness in several processes: how many, which test goes where and first, and what they hand on."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders import VARIANT
from evidence_builders import evidence

from perfsuite.options import RUN
from perfsuite.parallel import hooks
from perfsuite.parallel.groups import group, is_long
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.explanation import Difference, EvidenceChange
from perfsuite.report.github import Annotation, Place
from perfsuite.settings import Settings

_ACCURACY = Accuracy(sqnr_db=40.0, centred_cosine=None, variation=0.5, agreement=1.0, max_error=0.01)
_FIRST = dataclasses.replace(VARIANT, backend="ipex")
_LAST = dataclasses.replace(VARIANT, backend="stock")


@pytest.mark.parametrize(
    ("cores", "available_gib", "expected"),
    [(1, 64, 0), (2, 64, 2), (2, 7, 0), (8, 13, 3), (64, 512, 4)],
    ids=["one core", "two cores", "little memory", "memory for three", "more than help"],
)
def test_processes_are_as_many_as_cores_and_memory_carry(cores: int, available_gib: int, expected: int) -> None:
    assert hooks.share(cores, available_gib) == expected


def _config(folder: Path, **options: Any) -> Any:
    (folder / "test_it.py").touch()
    (folder / "tests").mkdir()
    defaults = {"numprocesses": None, "dist": "no", "capture": "fd"}
    arguments = options.pop("arguments", ["tests"])
    return SimpleNamespace(
        option=SimpleNamespace(**{**defaults, **options}),
        args=arguments,
        invocation_params=SimpleNamespace(dir=folder),
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 3),
        ({"arguments": ["test_it.py"]}, None),
        ({"arguments": ["tests", "test_it.py::test_one"]}, None),
        ({"benchmark_only": True}, None),
        ({"collectonly": True}, None),
        ({"usepdb": True}, None),
        ({"trace": True}, None),
        ({"capture": "no"}, None),
        ({"keyword": "resnet50"}, None),
        ({"lf": True}, None),
        ({"markexpr": "resnet50"}, 3),
        ({"numprocesses": 0}, 0),
        ({"numprocesses": 7}, 7),
        ({"dist": "each"}, None),
    ],
    ids=str,
)
def test_a_run_of_folders_is_shared_unless_it_needs_one_process_or_the_user_says_how_many(
    options: dict[str, Any], expected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "share", lambda *_: 3)
    config = _config(tmp_path, **options)
    hooks.pytest_cmdline_main(config)
    assert config.option.numprocesses == expected


def test_one_of_several_processes_starts_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "share", lambda *_: 3)
    config = _config(tmp_path)
    config.workerinput = {}
    hooks.pytest_cmdline_main(config)
    assert config.option.numprocesses is None


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("suite/test_c.py::test_outputs[bert-base-ipex-dynamo-bf16-smoke]", "bert-base-ipex-dynamo-bf16-smoke"),
        ("suite/test_k.py::test_kernels[bert-base-ipex-dynamo-bf16-smoke]", "bert-base-ipex-dynamo-bf16-smoke"),
        (
            "suite/test_p.py::test_plant_is_named[SSE41-in-resnet50-ipex-torchscript-int8-static-latency]",
            "resnet50-ipex-torchscript-int8-static-latency",
        ),
        ("unit/test_u.py::test_it[a-b]", "unit/test_u.py"),
        ("unit/test_u.py::TestThem::test_it", "unit/test_u.py"),
    ],
)
def test_tests_of_a_variant_run_in_one_process_and_others_with_their_file(nodeid: str, expected: str) -> None:
    assert group(nodeid) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("minilm-stock-dynamo-fp32-smoke", True),
        ("minilm-stock-deployed-fp32-smoke", True),
        ("minilm-ipex-deployed-fp32-smoke", False),
        ("minilm-stock-eager-fp32-smoke", False),
        ("tests/unit/test_spec.py", False),
    ],
)
def test_what_inductor_compiles_is_long(name: str, expected: bool) -> None:
    assert is_long(name) is expected


def _run(**found: Any) -> Any:
    empty: dict[str, Any] = {"annotations": [], "accuracies": [], "observed": [], "evidence_changes": {}}
    return SimpleNamespace(settings=Settings(), **{**empty, **found})


def _handed_on(run: Any) -> Any:
    """What xdist carries from a process with this run."""
    config = SimpleNamespace(stash={RUN: run}, workeroutput={})
    hooks.pytest_sessionfinish(SimpleNamespace(config=config))  # type: ignore[arg-type]
    return config.workeroutput


def test_what_processes_found_is_told_in_the_order_of_the_matrix() -> None:
    change = EvidenceChange(kind=Difference.BREAKS, before=0, after=1)
    slower = Annotation(title=_LAST.id, text="slower", place=Place(file="a.py", line=3))
    later = _run(
        annotations=[slower],
        accuracies=[(_LAST, _ACCURACY)],
        observed=[(_LAST, evidence())],
        evidence_changes={_LAST: (change,)},
    )
    earlier = _run(accuracies=[(_FIRST, _ACCURACY)], observed=[(_FIRST, evidence())], evidence_changes={_FIRST: ()})
    told = _run()
    config = SimpleNamespace(stash={RUN: told})
    for run in (later, earlier):
        hooks.pytest_testnodedown(SimpleNamespace(config=config, workeroutput=_handed_on(run)))
    assert told.accuracies == [(_FIRST, _ACCURACY), (_LAST, _ACCURACY)]
    assert told.observed == [(_FIRST, evidence()), (_LAST, evidence())]
    assert list(told.evidence_changes.items()) == [(_FIRST, ()), (_LAST, (change,))]
    assert told.annotations == [slower]


def test_a_process_that_crashed_hands_on_nothing() -> None:
    told = _run()
    hooks.pytest_testnodedown(SimpleNamespace(config=SimpleNamespace(stash={RUN: told})))
    assert told.observed == []
