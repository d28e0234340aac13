"""Where models' weights and inputs lie: a folder of the cache that changes when the code that makes them does."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from collections.abc import Mapping
from pathlib import Path

from filelock import BaseFileLock, FileLock

import perfsuite.models
from perfsuite.measure.code import Code
from perfsuite.measure.environment import cache_folder
from perfsuite.measure.packages import fetch_sources
from perfsuite.models import load_models
from perfsuite.models.base import Sources
from perfsuite.spec import Variant


class Assets:
    """The weights and inputs of one weights policy; a worker makes what is missing of them.

    Those of the user's ``own`` models are named by what the models' files hold, and those of ``code``, another commit
    of the project, by the commit.
    """

    def __init__(self, policy: str, own: Mapping[str, str], code: Code | None = None) -> None:
        self._policy = policy
        self._own = own
        self._commit = f"-{code.commit[:12]}" if code else ""
        self._made: set[Variant] = set()

    @functools.cached_property
    def sources(self) -> Sources:
        """Real data from packages, fetched when first asked for."""
        return fetch_sources()

    def folder(self, model: str) -> Path:
        return (
            cache_folder() / "assets" / f"{model}-{self._policy}-{_recipe_digest()}{self._source(model)}{self._commit}"
        )

    def _source(self, model: str) -> str:
        if model not in self._own:
            return ""
        file = inspect.getsourcefile(type(load_models(self._own)[model]))
        return f"-{hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12]}" if file else ""

    def lock(self, model: str) -> BaseFileLock:
        """To be held while they are made; whoever has waited finds what another process has made."""
        folder = self.folder(model)
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / "lock")

    def about(self, model: str) -> dict[str, str]:
        """The weights' origin in words, and their kind: pretrained or seeded. The model must have been run."""
        about: dict[str, str] = json.loads((self.folder(model) / "weights.json").read_text())
        return about

    def are_made(self, maker: Variant) -> bool:
        """Whether the model's weights and the workload's inputs are there, so that no worker need make them."""
        names = ("weights.json", f"{maker.workload}.npz")
        if maker not in self._made and all((self.folder(maker.model) / name).exists() for name in names):
            self._made.add(maker)
        return maker in self._made


@functools.cache
def _recipe_digest() -> str:
    """A digest of everything that decides what weights and inputs are made."""
    package = Path(perfsuite.models.__file__).parent
    files = [*package.rglob("*.py"), *package.rglob("*.txt"), package.parent / "worker" / "assets.py"]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
