"""Which stack a suspect's baseline is stepped in, and with which variables."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from builders import OLD_STACK, STACK

from perfsuite.errors import StackError
from perfsuite.measure.stack import ReadyStack
from perfsuite.records.measurement import Stack
from perfsuite.stacks import rebuild
from perfsuite.stacks.definitions import StackDefinition
from perfsuite.stacks.folders import Built
from perfsuite.stacks.rebuild import baseline_environ, baseline_stack, same_stack

NEW = Path("/new/python")
AT_HAND = ReadyStack(name="current", python=Path(sys.executable), environment={}, stack=STACK)


def _with(stack: Stack, **packages: str) -> Stack:
    return dataclasses.replace(stack, packages=stack.packages | packages)


#: What ``--stack`` names; the interpreter's own is at hand besides.
MEASURED = ReadyStack(name="older", python=Path("/older/python"), environment={}, stack=_with(STACK, torch="2.5.0"))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param(STACK, True, id="itself"),
        pytest.param(OLD_STACK, False, id="another torch"),
        pytest.param(_with(STACK, ruff="0.1"), True, id="a linter more"),
        pytest.param(_with(STACK, numpy="1.0"), False, id="numpy more"),
        pytest.param(_with(STACK, sympy="1.0"), False, id="what torch depends on"),
        pytest.param(_with(STACK, **{"nobody-knows-it": "1.0"}), False, id="what nobody here knows"),
        pytest.param(dataclasses.replace(STACK, python="3.12.1"), False, id="another Python"),
    ],
)
def test_another_stack_is_one_whose_forward_passes_run_other_code(other: Stack, same: bool) -> None:
    assert same_stack(STACK, other) is same
    assert same_stack(other, STACK) is same


class _Builds:
    """What is built already, and what is built now."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *,
        built: Stack | None = None,
        made: Stack = OLD_STACK,
        files: Mapping[Path, Mapping[str, str]] | None = None,
    ) -> None:
        self.definition: StackDefinition | None = None
        self.torch_backend: str | None = None
        monkeypatch.setattr(rebuild, "kept_folders", lambda: [("ipex-2.7", Path("kept"))] if built else [])
        monkeypatch.setattr(rebuild, "read_record", lambda folder: built and _record(built))
        monkeypatch.setattr(rebuild, "build_stack", self._build)
        monkeypatch.setattr(rebuild, "installed_stack", lambda definition, python: made)
        monkeypatch.setattr(rebuild, "contents", lambda python: (files or {}).get(python, {}))

    def _build(self, definition: StackDefinition, *, torch_backend: str | None, say: object) -> Path:
        self.definition, self.torch_backend = definition, torch_backend
        return NEW

    def find(self, wanted: Stack, digests: Mapping[str, str] | None = None) -> ReadyStack:
        return baseline_stack(
            wanted, (MEASURED, AT_HAND), digests=digests or {}, root=Path("/here"), say=lambda text: None
        )


def _record(stack: Stack) -> Built:
    return Built(
        python="/kept/python",
        python_version=stack.python,
        packages=stack.packages,
        torch_backend=None,
        size_bytes=1,
        build_s=1.0,
        built_at="2026-01-01",
    )


def test_nothing_is_built_where_nothing_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    builds = _Builds(monkeypatch)
    assert builds.find(_with(STACK, ruff="0.1")) == AT_HAND
    assert builds.definition is None


def test_a_stack_that_is_built_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    builds = _Builds(monkeypatch, built=OLD_STACK)
    found = builds.find(OLD_STACK)
    assert (found.python, found.stack, builds.definition) == (Path("/kept/python"), OLD_STACK, None)


def test_any_other_is_built_from_what_the_baseline_had(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = _with(OLD_STACK, perfsuite="0.9", ruff="0.1")
    builds = _Builds(monkeypatch, built=STACK, made=wanted)
    assert builds.find(wanted).python == NEW
    assert builds.definition is not None
    assert builds.definition.requirements == ("intel-extension-for-pytorch==2.7.0", "torch==2.7.0")
    assert builds.definition.python == OLD_STACK.python


def test_what_came_from_no_index_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = _with(OLD_STACK, **{"my-models": "0.1"})
    builds = _Builds(monkeypatch, made=wanted, files={NEW: dict.fromkeys(OLD_STACK.packages, "a")})
    builds.find(wanted, dict.fromkeys(OLD_STACK.packages, "a"))
    assert builds.definition is not None
    assert not any("my-models" in line for line in builds.definition.requirements)


ONE, OTHER = dict.fromkeys(STACK.packages, "a"), {**dict.fromkeys(STACK.packages, "a"), "torch": "b"}


@pytest.mark.parametrize(
    ("here", "builds_anew"),
    [
        pytest.param(ONE, False, id="the same wheels"),
        pytest.param(OTHER, True, id="another torch of the same version"),
        pytest.param(
            {name: digest for name, digest in ONE.items() if name != "torch"}, True, id="a torch of one's own"
        ),
    ],
)
def test_a_stack_of_the_same_versions_and_other_files_is_another(
    monkeypatch: pytest.MonkeyPatch, here: dict[str, str], builds_anew: bool
) -> None:
    builds = _Builds(monkeypatch, made=STACK, files={AT_HAND.python: here, NEW: ONE})
    found = builds.find(STACK, ONE)
    assert found.python == (NEW if builds_anew else AT_HAND.python)


def test_an_index_that_has_other_files_now_has_not_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    builds = _Builds(monkeypatch, made=STACK, files={AT_HAND.python: OTHER, NEW: OTHER})
    with pytest.raises(StackError, match="other files now of torch"):
        builds.find(STACK, ONE)


def test_wheels_for_the_cpu_alone_come_from_their_own_index(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = _with(OLD_STACK, torch="2.7.0+cpu")
    builds = _Builds(monkeypatch, made=wanted)
    builds.find(wanted)
    assert builds.torch_backend == "cpu"


def test_what_was_built_must_be_what_was_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    builds = _Builds(monkeypatch, made=_with(OLD_STACK, numpy="9.9"))
    with pytest.raises(StackError, match=r"numpy 9\.9 for None"):
        builds.find(OLD_STACK)


@pytest.mark.parametrize(
    ("environ", "recorded", "expected"),
    [
        pytest.param({"HOME": "/h"}, {}, {"HOME": "/h"}, id="what decides nothing stays"),
        pytest.param({"ONEDNN_MAX_CPU_ISA": "SSE41"}, {}, {}, id="a cap of today goes"),
        pytest.param({}, {"ONEDNN_MAX_CPU_ISA": "AVX2"}, {"ONEDNN_MAX_CPU_ISA": "AVX2"}, id="a cap of then comes"),
        pytest.param(
            {"ONEDNN_MAX_CPU_ISA": "SSE41"},
            {"ONEDNN_MAX_CPU_ISA": "AVX2"},
            {"ONEDNN_MAX_CPU_ISA": "AVX2"},
            id="another",
        ),
        pytest.param(
            {"LD_PRELOAD": "/opt/libjemalloc.so"},
            {"LD_PRELOAD": "libjemalloc.so"},
            {"LD_PRELOAD": "/opt/libjemalloc.so"},
            id="the same file keeps its folder",
        ),
    ],
)
def test_the_variables_are_the_baselines(
    environ: dict[str, str], recorded: dict[str, str], expected: dict[str, str]
) -> None:
    assert baseline_environ(environ, recorded) == expected
