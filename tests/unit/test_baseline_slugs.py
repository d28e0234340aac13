"""What --baseline-stack may say: a stack's name as --stack takes it, or the slug of a baseline's file."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import pytest

from perfsuite.backends.registry import slug_of
from perfsuite.errors import StackError, UsageError
from perfsuite.measure.stack import current_stack
from perfsuite.stacks import folders
from perfsuite.stacks.definitions import StackDefinition, stack_definitions
from perfsuite.stacks.folders import Built, stack_folder, write_record
from perfsuite.stacks.slugs import baseline_slug, stack_slug

HASH = " \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"


@pytest.fixture(autouse=True)
def nothing_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv("UV_TORCH_BACKEND", raising=False)


def _define(root: Path, table: dict[str, Any], pinned: str = "") -> StackDefinition:
    if pinned:
        (root / "stacks").mkdir()
        (root / "stacks" / "mine.txt").write_text(pinned)
    return stack_definitions({"mine": table}, root)["mine"]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("ipex-2.6", "ipex-2.6.0_torch-2.6.0"),
        ("ipex-2.7", "ipex-2.7.0_torch-2.7.0"),
        ("ipex-2.8", "ipex-2.8.0_torch-2.8.0"),
        ("torch-2.8", "torch-2.8.0"),
        ("torch-2.14", "torch-2.14.1"),
    ],
)
def test_a_built_in_stacks_slug_is_known_without_building_it(tmp_path: Path, name: str, slug: str) -> None:
    definitions = stack_definitions({}, tmp_path)
    assert stack_slug(definitions[name]) == slug
    assert baseline_slug(name, definitions, ("torch-1.0", slug)) == slug
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("table", "pinned", "slug"),
    [
        ({"requirements": ["torch==2.9.1"]}, "", "torch-2.9.1"),
        ({"requirements": ["torch===2.9.1", "pillow"]}, "", "torch-2.9.1"),
        ({"requirements": ["torch==2.9.1+cpu"]}, "", "torch-2.9.1-cpu"),
        ({"requirements": ["torch[opt]==2.9.1 ; python_version >= '3.11'"]}, "", "torch-2.9.1"),
        ({"requirements": ["Torch == 2.9.1", "Intel_Extension.for_PyTorch==2.9.0"]}, "", "ipex-2.9.0_torch-2.9.1"),
        ({"requirements": ["./mine.whl", "torch==2.9.1"]}, "", "torch-2.9.1"),
        ({"requirements": ["torch>=2.7"]}, f"torch==2.9.1{HASH}", "torch-2.9.1"),
        ({"requirements": ["torch"]}, f"six==1.0{HASH}torch==2.9.1 ; sys_platform == 'linux'{HASH}", "torch-2.9.1"),
        (
            {"requirements": ["torch"]},
            f"torch==2.2.2 ; sys_platform == 'darwin'{HASH}torch==2.9.1 ; sys_platform != 'darwin'{HASH}",
            "torch-2.9.1",
        ),
        (
            {"requirements": ["torch"], "python": "3.12"},
            f"torch==2.2.2 ; python_full_version < '3.12'{HASH}torch==2.9.1 ; python_full_version >= '3.12'{HASH}",
            "torch-2.9.1",
        ),
        (
            {"requirements": ["torch"], "python": "3.11.4"},
            f"torch==2.2.2 ; python_version < '3.12'{HASH}torch==2.9.1 ; python_version >= '3.12'{HASH}",
            "torch-2.2.2",
        ),
        ({"requirements": ["torch"]}, f"torch-like==1.0{HASH}torch==2.9.1{HASH}", "torch-2.9.1"),
    ],
    ids=[
        "exact", "arbitrary", "local", "extra-and-marker", "spelling", "path", "pinned", "pinned-marker", "platforms",
        "newer-python", "older-python", "similar-name",
    ],
)  # fmt: skip
def test_a_users_stacks_slug_follows_from_its_pins(
    tmp_path: Path, table: dict[str, Any], pinned: str, slug: str
) -> None:
    assert stack_slug(_define(tmp_path, table, pinned)) == slug


@pytest.mark.parametrize(
    "requirements",
    [["torch>=2.7"], ["torch"], ["torch==2.8.*"], ["pillow==1.0"], ["torch==2.8.0 ; sys_platform == 'win32'"]],
)
def test_a_stack_that_pins_no_torch_has_to_be_built_first(tmp_path: Path, requirements: list[str]) -> None:
    with pytest.raises(UsageError, match=r"mine does not pin its torch.* `perfsuite stacks build mine`"):
        stack_slug(_define(tmp_path, {"requirements": requirements}))


@pytest.mark.parametrize("backend", [None, "cpu"])
def test_what_is_built_is_believed_before_what_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str | None
) -> None:
    mine = _define(tmp_path, {"requirements": ["torch==2.9.1"]})
    folder = stack_folder(mine, backend)
    folder.mkdir(parents=True)
    built = Built(
        python=sys.executable,
        python_version="3.11.7",
        packages={"torch": "2.9.1+cpu"},
        torch_backend=backend,
        size_bytes=0,
        build_s=0,
        built_at="2026-01-01T00:00:00+00:00",
    )
    write_record(folder, built)
    assert stack_slug(mine) == ("torch-2.9.1-cpu" if backend is None else "torch-2.9.1")
    if backend:
        monkeypatch.setenv("UV_TORCH_BACKEND", backend)
        assert stack_slug(mine) == "torch-2.9.1-cpu"
    assert stack_slug(dataclasses.replace(mine, requirements=("torch==2.9.2",))) == "torch-2.9.2"


def test_an_interpreter_is_asked(tmp_path: Path) -> None:
    mine = _define(tmp_path, {"interpreter": sys.executable})
    assert baseline_slug("mine", {"mine": mine}, (slug_of(current_stack()),)) == slug_of(current_stack())
    with pytest.raises(StackError, match=r"stack mine: .*cannot be run"):
        stack_slug(_define(tmp_path, {"interpreter": "nowhere"}))


def test_the_current_stack_is_the_interpreters(tmp_path: Path) -> None:
    slug = slug_of(current_stack())
    assert baseline_slug("current", stack_definitions({}, tmp_path), (slug,)) == slug


def test_a_slug_as_printed_is_taken(tmp_path: Path) -> None:
    assert baseline_slug("torch-2.5.1", stack_definitions({}, tmp_path), ("torch-2.5.1",)) == "torch-2.5.1"


def test_a_name_is_taken_before_a_slug(tmp_path: Path) -> None:
    definitions = stack_definitions({"torch-2.5.1": {"requirements": ["torch==2.9.1"]}}, tmp_path)
    assert baseline_slug("torch-2.5.1", definitions, ("torch-2.5.1", "torch-2.9.1")) == "torch-2.9.1"


@pytest.mark.parametrize(
    ("name", "accepted", "words"),
    [
        (
            "ipex-27",
            ("torch-2.8.0", "torch-2.5.1"),
            r"^--baseline-stack ipex-27: no such stack; there are current, ipex-2.6, .*openvino, mine; "
            r"accepted for this machine class: torch-2.8.0, torch-2.5.1$",
        ),
        ("torch-2.5.1", (), r"no such stack; .*accepted for this machine class: none yet$"),
        (
            "ipex-2.7",
            ("torch-2.8.0",),
            r"^--baseline-stack ipex-2.7: stack ipex-2.7 \(ipex-2.7.0_torch-2.7.0\) has no accepted baseline; "
            r"accepted for this machine class: torch-2.8.0$",
        ),
        ("mine", ("torch-2.8.0",), r"stack mine \(torch-2.9.1\) has no accepted baseline; "),
        ("current", (), r"stack current \(.*\) has no accepted baseline; accepted for this machine class: none yet$"),
    ],
    ids=["misspelt", "slug-without-file", "built-in", "user's", "current"],
)
def test_what_has_no_baseline_is_refused_with_those_there_are(
    tmp_path: Path, name: str, accepted: tuple[str, ...], words: str
) -> None:
    definitions = stack_definitions({"mine": {"requirements": ["torch==2.9.1"]}}, tmp_path)
    with pytest.raises(UsageError, match=words):
        baseline_slug(name, definitions, accepted)
