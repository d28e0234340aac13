"""A model's weights and inputs are made anew when anything of the user's that makes them changes, and only then."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from perfsuite.errors import UsageError
from perfsuite.measure.assets import Assets
from perfsuite.measure.code import Code

MODEL = """
import json
from mine import helper
from mine.data import words as vocabulary
from perfsuite.models.base import Model, Reads, Yields
class Mine(Model):
    name = "mine"
    reads = Reads.TEXT
    yields = Yields.LOGITS
    files = ({files})
    def build(self, sources):
        import torch
        from . import late
        from .nets import block
    def inputs(self, ask, sources): ...
MINE = Mine()
"""
PROJECT = {
    "mine/__init__.py": "",
    "mine/model.py": MODEL.replace("{files}", '"weights.bin", "../vocabulary.txt"'),
    "mine/helper.py": "import mine.deep",
    "mine/deep.py": "from mine import model  # a circle",
    "mine/data/__init__.py": "",
    "mine/data/words.py": "",
    "mine/late.py": "",
    "mine/nets/__init__.py": "",
    "mine/nets/block.py": "",
    "mine/unused.py": "",
    "mine/weights.bin": "w",
    "vocabulary.txt": "v",
    "other.py": "",
}
OWN = {"mine": "mine.model:MINE"}


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _folder(code: Code | None = None) -> Path:
    """As a run that starts now names it."""
    _forget()
    importlib.invalidate_caches()
    return Assets("seeded", OWN, code).folder("mine")


def _forget() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "mine"]:
        del sys.modules[name]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    _write(tmp_path, PROJECT)
    yield tmp_path
    _forget()


@pytest.mark.parametrize(
    ("name", "anew"),
    [
        pytest.param("mine/model.py", True, id="the model"),
        pytest.param("mine/__init__.py", True, id="its package"),
        pytest.param("mine/helper.py", True, id="a module it imports"),
        pytest.param("mine/deep.py", True, id="a module which that imports"),
        pytest.param("mine/data/__init__.py", True, id="the package of another"),
        pytest.param("mine/data/words.py", True, id="a module imported by another name"),
        pytest.param("mine/late.py", True, id="a module imported late, beside it"),
        pytest.param("mine/nets/block.py", True, id="a module imported late, from a package beside it"),
        pytest.param("mine/weights.bin", True, id="a file that it declares"),
        pytest.param("vocabulary.txt", True, id="one outside its folder"),
        pytest.param("mine/unused.py", False, id="a module that it does not import"),
        pytest.param("other.py", False, id="another file of the project"),
    ],
)
def test_an_edit_makes_them_anew_where_it_can_matter(project: Path, name: str, anew: bool) -> None:
    before = _folder()
    assert _folder() == before
    with (project / name).open("a") as file:
        file.write("\n# edited\n")
    assert (_folder() != before) is anew


def test_two_projects_that_differ_in_a_helper_share_nothing(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = _folder()
    there = tmp_path_factory.mktemp("there")
    _write(there, PROJECT)
    monkeypatch.syspath_prepend(there)
    assert _folder() == here
    _write(there, {"mine/late.py": "X = 1"})
    assert _folder() != here


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        pytest.param(
            lambda project: _write(project, {"mine/model.py": PROJECT["mine/model.py"] + "\n"}), False, id="code"
        ),
        pytest.param(lambda project: _write(project, {"mine/weights.bin": "W"}), True, id="a file"),
    ],
)
def test_of_another_commit_the_code_is_told_by_the_commit(
    project: Path, change: Callable[[Path], None], anew: bool
) -> None:
    code = Code(commit="0123456789abcdef", repository=project, project=project)
    before = _folder(code)
    assert "0123456789ab" in before.name
    change(project)
    assert (_folder(code) != before) is anew


def test_a_declared_file_that_is_not_there_is_named(project: Path) -> None:
    (project / "mine" / "weights.bin").unlink()
    with pytest.raises(UsageError, match=r"model mine: its file weights\.bin cannot be read"):
        _folder()


def test_a_model_of_perfsuite_s_is_named_by_its_recipe() -> None:
    assert Assets("seeded", OWN).folder("bert-base").name.count("-") == 3
