"""What lies on PYTHONPATH may not run in the place of a stack's own packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from builders import STACK

from perfsuite.errors import StackError
from perfsuite.measure.rig import Rig
from perfsuite.measure.stack import ReadyStack, refuse_others_packages
from perfsuite.settings import Settings

_TORCH = STACK.packages["torch"]


def _folder(path: Path, packages: dict[str, str]) -> str:
    for name, version in packages.items():
        info = path / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    path.mkdir(exist_ok=True)
    return str(path)


@pytest.mark.parametrize(
    ("packages", "python", "refused"),
    [
        pytest.param({"torch": "0.1", "mine": "1.0"}, Path("/another/python"), "torch 0.1 of ", id="another torch"),
        pytest.param({"torch": _TORCH}, Path("/another/python"), None, id="the same torch"),
        pytest.param({"mine": "1.0"}, Path("/another/python"), None, id="what the stack has not"),
        pytest.param({}, Path("/another/python"), None, id="code that nobody installed"),
        pytest.param({"torch": "0.1"}, Path(sys.executable), None, id="the interpreter itself"),
    ],
)
def test_other_versions_of_a_stack_s_packages_are_refused(
    tmp_path: Path, packages: dict[str, str], python: Path, refused: str | None
) -> None:
    path = [_folder(tmp_path / "plain", {}), _folder(tmp_path / "site", packages)]
    ready = ReadyStack(name="older", python=python, environment={}, stack=STACK)
    if refused is None:
        refuse_others_packages(ready, path)
        return
    with pytest.raises(StackError, match=f"stack older: {refused}{tmp_path}/site would run .*take the folder off"):
        refuse_others_packages(ready, path)


def test_a_rig_of_another_stack_refuses_them(tmp_path: Path) -> None:
    ready = ReadyStack(name="older", python=Path("/another/python"), environment={}, stack=STACK)
    environ = {"PYTHONPATH": f":{_folder(tmp_path, {'torch': '0.1'})}"}
    with pytest.raises(StackError, match=r"torch 0\.1"), Rig(Settings(), ready=ready, environ=environ):
        pass
