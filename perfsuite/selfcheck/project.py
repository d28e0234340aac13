"""A project of its own over a tiny model: runs are started in it, and what they leave is seen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from perfsuite.errors import BaselineError
from perfsuite.measure.environment import cache_folder
from perfsuite.measure.lock import takes
from perfsuite.store.baselines import Baselines

VARIANTS, REPLICATES = 2, 2
#: Nothing is to be learnt of its speed: runs are to be short.
_SETTINGS = f"""
[tool.perfsuite]
weights = "seeded"
threads = 1
replicates = {REPLICATES}
measure_s = 0.1
warm_up_limit_s = 0.2
[tool.perfsuite.models]
tiny = "perfsuite.models.tiny:TINY"
[tool.pytest.ini_options]
norecursedirs = ["*"]
"""
_SELECTION = "tiny and stock and eager and (fp32 or bf16)"
#: Without evidence, which takes three times as long as all else and ends as any worker's step does.
COMMAND = (
    sys.executable, "-m", "pytest", "--benchmark-only", "--baseline-update", "--no-evidence", "-p", "no:cacheprovider",
    "-k", _SELECTION,
)  # fmt: skip
#: Variables of a pytest that runs this check are not for those that it starts.
_OTHERS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_CURRENT_TEST", "PERFSUITE_HISTORY")
#: All that perfsuite keeps in its cache and that costs minutes; the tiny model's weights are made anew.
_KEPT = ("packages", "path", "bytecode", "inductor")


class Project:
    """Its files, its cache, its lock and its temporary folder lie in ``folder``, and nowhere else."""

    def __init__(self, folder: Path, command: Sequence[str] = COMMAND) -> None:
        self.folder = folder
        self.output = folder / "output.txt"
        self.mark = f"PERFSUITE_KILLS={uuid.uuid4().hex}"
        self._command = command
        self._temporary = folder / "tmp"
        self._baselines = folder / "baselines"
        cache = folder / "cache"
        for made in (self._temporary, cache):
            made.mkdir()
        for name in _KEPT:
            (cache_folder() / name).mkdir(parents=True, exist_ok=True)
            (cache / name).symlink_to((cache_folder() / name).absolute())
        (folder / "pyproject.toml").write_text(_SETTINGS)
        name, _, value = self.mark.partition("=")
        own = {
            name: value,
            "PERFSUITE_LOCK_FOLDER": str(folder),
            "PERFSUITE_CACHE": str(cache),
            "TMPDIR": str(self._temporary),
        }
        inherited = {key: text for key, text in os.environ.items() if key not in _OTHERS and "XDIST" not in key}
        self._environment = inherited | own

    def start(self, *, resume: bool) -> subprocess.Popen[bytes]:
        """A timing run of two variants, in a session of its own; its output goes to ``output``."""
        with self.output.open("wb") as output:
            return subprocess.Popen(
                [*self._command, *(["--resume"] if resume else [])],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def forget(self) -> None:
        """Remove the tiny model's weights and inputs: the next run makes them."""
        shutil.rmtree(self.folder / "cache" / "assets", ignore_errors=True)

    def tail(self) -> str:
        """The end of the newest run's output."""
        lines = self.output.read_text(errors="replace").splitlines()[-15:]
        return "\n".join(f"    {line}" for line in lines)

    def journals(self) -> list[Path]:
        """Those of all runs, the oldest first."""
        return sorted((self.folder / ".perfsuite").glob("*.jsonl"))

    def scratch(self) -> list[Path]:
        """What lies in the runs' temporary folder."""
        return sorted(self._temporary.iterdir())

    def faults(self) -> list[str]:
        """What no run may leave: a held lock, baselines that cannot be read, partial files there and of weights."""
        found = []
        for lock in self.folder.glob("*.lock"):
            with lock.open("rb") as file:
                if not takes(file, lock):
                    found.append(f"{lock.name} is held")
        try:
            Baselines(self._baselines, most=1).check()
        except BaselineError as error:
            found.append(str(error))
        assets = self.folder / "cache" / "assets"
        found += [f"{path.name} is left" for root in (self._baselines, assets) for path in root.rglob(".*")]
        return found
