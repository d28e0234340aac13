"""Reading, judging and reporting stored results load no heavy library, in an interpreter of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import perfsuite

#: Notes who asks for a heavy package, even where none is installed and the asker hides that.
_PROBE = """
import importlib, json, pkgutil, sys
class Recorder:
    asked = []
    def find_spec(self, name, path=None, target=None):
        if name in ("torch", "scipy", "transformers", "torchvision", "intel_extension_for_pytorch"):
            self.asked.append(name)
sys.meta_path.insert(0, Recorder())
names = sys.argv[1:]
import perfsuite.machine
names += [m.name for m in pkgutil.iter_modules(perfsuite.machine.__path__, "perfsuite.machine.")]
found = {}
for name in names:
    importlib.import_module(name)
    found[name] = Recorder.asked[:]
    Recorder.asked.clear()
print(json.dumps(found))
"""

_LIGHT = (
    "perfsuite.records.measurement", "perfsuite.stats.intervals", "perfsuite.judge.stored", "perfsuite.store.baselines",
    "perfsuite.report.text", "perfsuite.report.matrix", "perfsuite.backends", "perfsuite.models",
    "perfsuite.cli", "perfsuite.plugin",
    "perfsuite.stats.sequential", "perfsuite.records.comparison", "perfsuite.judge.paired",
    "perfsuite.report.compare", "perfsuite.selection", "perfsuite.stacks.definitions",
    "perfsuite.explain.causes", "perfsuite.store.sessions", "perfsuite.commands.explain", "perfsuite.report.explain",
    "perfsuite.commands.judge", "perfsuite.report.judge", "perfsuite.stats.between", "perfsuite.measure.head",
)  # fmt: skip


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(perfsuite.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_light_modules_ask_for_no_heavy_package() -> None:
    run = _python("-c", _PROBE, *_LIGHT)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert set(_LIGHT) < set(found)
    assert {name: asked for name, asked in found.items() if asked} == {}


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), ([], 2), (["no-such"], 2)])
def test_the_command_answers_and_lists_what_it_can(arguments: list[str], status: int) -> None:
    run = _python("-c", f"from perfsuite.cli import main; main({arguments!r})")
    assert run.returncode == status
    assert "usage: perfsuite" in run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    if status == 0:
        assert "matrix" in run.stdout
        assert "doctor" in run.stdout


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        ("perfsuite.errors.UsageError('no stack mine')", 2, "perfsuite: no stack mine"),
        ("perfsuite.errors.AssetError('no weights')", 3, "perfsuite: no weights"),
        ("ZeroDivisionError('1/0')", 3, "perfsuite itself failed"),
        ("KeyboardInterrupt('kept in x')", 130, "interrupted; kept in x"),
    ],
)
def test_no_failure_of_perfsuite_has_the_status_of_slower(raised: str, status: int, said: str) -> None:
    code = (
        "import perfsuite.errors, perfsuite.commands.matrix as matrix\n"
        f"def fail(options): raise {raised}\n"
        "matrix._run = fail\n"
        "from perfsuite.cli import main; raise SystemExit(main(['matrix']))"
    )
    run = _python("-c", code)
    assert run.returncode == status
    assert said in run.stderr
