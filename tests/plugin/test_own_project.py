"""perfsuite in a project of one's own, installed from its wheel: a folder, a table, a model that is not ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_TABLE = """
[tool.perfsuite]
weights = "seeded"
measure_s = 0.3
warm_up_limit_s = 0.5
threads = 1

[tool.perfsuite.models]
two-layers = "network:TWO_LAYERS"
"""
_OWN, _README_S = 'two-layers = "network:TWO_LAYERS"', 'mine = "my_package.my_module:MODEL"'
_MODEL = """
from perfsuite.models.base import Images, Yields


class TwoLayers(Images):
    name = "two-layers"
    yields = Yields.LOGITS

    def build(self, sources):
        from layers import Network

        return Network()


TWO_LAYERS = TwoLayers()
"""
_LAYERS = """
import torch


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 16, 7, stride=4)
        self.classes = torch.nn.Linear(16, 10)

    def forward(self, images):
        for _ in range(TIMES):
            found = self.convolution(images).relu()
        return self.classes(found.mean((2, 3)))
"""
_ONE = "two-layers and stock and eager and fp32"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Home:
    """A project and the environment that perfsuite is installed in."""

    folder: Path
    binaries: Path
    environment: dict[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.binaries / command[0]), *command[1:]],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has perfsuite from its wheel, and all else from this one.

    A path in a .pth file is searched, but its own .pth files are not: what is installed editable here is not there.
    """
    folder = tmp_path_factory.mktemp("installed")
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "build", "--wheel", "--out-dir", str(folder), str(_ROOT)], check=True)
    subprocess.run([*uv, "venv", "--python", sys.executable, str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    # pytest too, for its program to be of this environment.
    (pytest_version,) = {pytest.__version__}
    subprocess.run(
        [*uv, "pip", "install", "--python", str(python), "--no-deps", str(wheel), f"pytest=={pytest_version}"],
        check=True,
    )
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


@pytest.fixture
def home(installed: Path, tmp_path: Path) -> _Home:
    """An empty folder, and nothing of the run that this test is part of."""
    foreign = ("PYTEST_", "PYTHON", "PERFSUITE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    if "PERFSUITE_CACHE" in os.environ:
        environment["PERFSUITE_CACHE"] = os.environ["PERFSUITE_CACHE"]
    return _Home(
        folder=tmp_path,
        binaries=installed,
        environment=environment | {"PERFSUITE_LOCK_FOLDER": str(tmp_path), "VIRTUAL_ENV": str(installed.parent)},
    )


def _write(home: _Home, *, times: int) -> None:
    (home.folder / "pyproject.toml").write_text(_TABLE)
    (home.folder / "network.py").write_text(_MODEL)
    (home.folder / "layers.py").write_text(_LAYERS.replace("TIMES", str(times)))
    (home.folder / ".gitignore").write_text("*\n!*.py\n!*.toml\n!.gitignore\n")


def test_a_model_of_ones_own_is_checked_timed_accepted_and_found_slower(home: _Home) -> None:
    _write(home, times=1)
    home.git("init", "--quiet")
    home.git("add", ".")
    home.git("commit", "--quiet", "-m", "one layer once")

    checked = home.run("pytest", "--pyargs", "perfsuite.suite", "-k", "two-layers and stock and eager and bf16")
    assert checked.returncode == 0, checked.stdout
    assert "2 passed" in checked.stdout

    first = home.run("pytest", "--benchmark-only", "-k", _ONE, "--baseline-update")
    assert first.returncode == 0, first.stdout
    assert "accepted 1 into " in first.stdout

    _write(home, times=6)
    slower = home.run("pytest", "--benchmark-only", "-k", _ONE)
    assert slower.returncode == 1, slower.stdout
    assert "confirmed regression" in slower.stdout


@pytest.mark.parametrize(
    ("kernels", "status", "said"),
    [
        pytest.param(
            'least_share = "50%"', 0, "least_share 0.5 (was 0.95): the rest is pooling: two-layers-", id="loose"
        ),
        pytest.param('dtype = "int8"', 1, "int8", id="not met"),
    ],
)
def test_kernels_are_held_against_ones_own_expectation(home: _Home, kernels: str, status: int, said: str) -> None:
    _write(home, times=1)
    with (home.folder / "pyproject.toml").open("a") as file:
        file.write(f'[[tool.perfsuite.match]]\nmodel = "two-layers"\nkernels = {{ {kernels} }}\n')
        file.write('reason = "the rest is pooling"\n')
    done = home.run("pytest", "--pyargs", "perfsuite.suite", "-m", "kernels", "-k", _ONE)
    assert done.returncode == status, done.stdout
    assert said in " ".join(done.stdout.split())


#: What the README's model is of: dictionaries in, a dataclass out, and a checkpoint in BF16.
_RANKER = """
import dataclasses

import torch


@dataclasses.dataclass
class Ranking:
    scores: torch.Tensor
    order: torch.Tensor
    user: torch.Tensor


class Ranker(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.user, self.item = torch.nn.Linear(64, 128), torch.nn.Linear(32, 128)

    def forward(self, *, user, items):
        found = self.user(user).relu()
        scores = (self.item(items["text"]) @ found.unsqueeze(-1)).squeeze(-1)
        return Ranking(scores=scores, order=scores.argsort(dim=1, descending=True), user=found)


if __name__ == "__main__":
    torch.manual_seed(1)
    torch.save(Ranker().bfloat16().state_dict(), "my_package/ranker.pt")
"""


def _write_readme_s_model(home: _Home, wrong: Mapping[str, tuple[str, str]] | None = None) -> None:
    """The model that the README shows; or of each name one in which a text is another."""
    (model,) = re.findall(r"```python\n(.*?)```", (_ROOT / "README.md").read_text(), re.DOTALL)
    package = home.folder / "my_package"
    package.mkdir()
    (package / "network.py").write_text(_RANKER)
    assert home.run("python", "-m", "my_package.network").returncode == 0
    (package / "my_module.py").write_text(model)
    models = [_README_S]
    for name, (before, after) in (wrong or {}).items():
        assert before in model
        (package / f"{name}.py").write_text(model.replace(before, after).replace('"mine"', f'"{name}"'))
        models.append(f'{name} = "my_package.{name}:MODEL"')
    table = _TABLE.replace('"seeded"', '"pretrained"').replace(_OWN, "\n".join(models))
    (home.folder / "pyproject.toml").write_text(table)


def test_the_readme_s_model_is_checked_in_every_mode(home: _Home) -> None:
    _write_readme_s_model(home)
    done = home.run("pytest", "--pyargs", "perfsuite.suite", "-m", "mine and bf16")
    assert done.returncode == 0, done.stdout
    assert " failed" not in done.stdout
    assert re.search(r"\d+ passed", done.stdout)


def test_what_is_wrong_with_a_model_of_ones_own_is_told(home: _Home) -> None:
    wrong = {
        "figure": ("most=0.02", "most=-1", " is above -1"),
        "field": ('"scores": Y', '"score": Y', "`yields` names score; it returns scores, order, user"),
        "count": ("range(ask.count)", "range(3)", "`inputs` made 3 batches in the place of 4"),
        "no_tensor": ('"user": torch', '"user": object(), "u": torch', "input user is a object"),
    }
    _write_readme_s_model(home, {name: (before, after) for name, (before, after, _) in wrong.items()})
    selected = f"stock and eager and bf16 and not kernels and (mine or {' or '.join(wrong)})"
    done = home.run("pytest", "--pyargs", "perfsuite.suite", "-m", selected)
    assert done.returncode == 1, done.stdout
    assert "4 failed, 1 passed" in done.stdout
    told = done.stdout.partition("= FAILURES =")[2]
    for name, (_, _, said) in wrong.items():
        _, found, after = told.partition(f" test_outputs[{name}-stock-eager-bf16-smoke] ")
        assert found
        assert said in " ".join(after.partition("____ test_outputs[")[0].split())


@pytest.mark.parametrize(
    ("command", "said"),
    [
        pytest.param(("perfsuite", "matrix"), "two-layers", id="matrix"),
        pytest.param(("perfsuite", "stacks", "list"), "ipex-2.8", id="stacks"),
        pytest.param(("perfsuite", "doctor", "--help"), "usage: perfsuite doctor", id="doctor"),
        pytest.param(("pytest", "--markers"), "two-layers", id="markers"),
        pytest.param(("pytest", "--help"), "--baseline-update", id="help"),
    ],
)
def test_commands_know_the_project(home: _Home, command: tuple[str, ...], said: str) -> None:
    _write(home, times=1)
    done = home.run(*command)
    assert done.returncode == 0, done.stderr
    assert said in " ".join(done.stdout.split())


_OTHERS_CONFTEST = """
def pytest_addoption(parser):
    for name in ("--stack", "--workload", "--resume", "--confirm"):
        parser.addoption(name, default="theirs")
"""
_OTHERS_TEST = """
import sys


def test_theirs(pytestconfig):
    assert pytestconfig.getoption("--stack") == "theirs"
    assert not {name for name in sys.modules if name.split(".")[0] in ("numpy", "torch", "scipy", "rich", "msgspec")}
    assert not {name for name in sys.modules if name.startswith("perfsuite.")} - {"perfsuite.arguments"}


def test_their_benchmark(benchmark):
    benchmark(sum, [1, 2])
"""


@pytest.mark.parametrize(
    ("table", "options"),
    [
        pytest.param("", (), id="no table"),
        pytest.param("[tool.other]\nuses = 'perfsuite'\n", (), id="its name elsewhere"),
        pytest.param(_TABLE, ("-p", "no:perfsuite"), id="turned off"),
    ],
)
def test_a_project_that_does_not_use_it_is_not_disturbed(home: _Home, table: str, options: tuple[str, ...]) -> None:
    (home.folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\nfilterwarnings = ['error']\n" + table)
    (home.folder / "conftest.py").write_text(_OTHERS_CONFTEST)
    (home.folder / "test_theirs.py").write_text(_OTHERS_TEST)
    done = home.run("pytest", "--strict-markers", *options)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    assert "perfsuite ===" not in done.stdout


def test_a_plain_run_of_ones_project_is_of_its_own_tests_and_a_timing_run_of_its_benchmarks_too(home: _Home) -> None:
    _write(home, times=1)
    (home.folder / "test_theirs.py").write_text("def test_it(): ...\ndef test_speed(benchmark): benchmark(sum, [1])\n")
    plain = home.run("pytest", "--collect-only", "-q")
    assert [line for line in plain.stdout.splitlines() if "::" in line] == [
        "test_theirs.py::test_it",
        "test_theirs.py::test_speed",
    ]
    timed = home.run("pytest", "--collect-only", "-q", "--benchmark-only")
    collected = [line for line in timed.stdout.splitlines() if "::" in line]
    assert "test_theirs.py::test_speed" in collected
    assert any("test_latency[two-layers-stock-eager-fp32-latency]" in line for line in collected)
    assert not any("test_it" in line for line in collected)
