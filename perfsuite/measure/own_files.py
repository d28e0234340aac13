"""Which files of the user's project make a model of theirs: its module, and what that imports of the project."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
from collections.abc import Iterator
from pathlib import Path

from perfsuite.errors import UsageError
from perfsuite.models.base import Model

_DIGITS = 12
_CHUNK_BYTES = 1 << 20


def digest_code(model: Model) -> str:
    """Of the model's module and all modules beside it that it imports, wherever in their files they do.

    What is installed is left out: the stack tells of it.
    """
    kind = type(model)
    file = inspect.getsourcefile(kind)
    if file is None:  # typed in, say
        return ""
    module = _Module(kind.__module__, Path(file))
    digest = hashlib.sha256()
    for name, path in sorted(_imported(module).items()):
        digest.update(f"{name} ".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def digest_files(model: Model) -> str:
    """Of the contents of the files that the model declares; empty if there are none, UsageError if one is not there."""
    if not model.files:
        return ""
    folder = Path(inspect.getfile(type(model))).parent
    digest = hashlib.sha256()
    for name in model.files:
        path = folder / name
        try:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    digest.update(chunk)
        except OSError as error:
            raise UsageError(
                f"model {model.name}: its file {name} cannot be read ({error.strerror}); `files` are paths from "
                f"{folder}"
            ) from error
        digest.update(b"|")
    return digest.hexdigest()[:_DIGITS]


class _Module:
    """A module of the project, and the folder that its whole name begins in."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self.is_package = path.name == "__init__.py"
        levels = name.count(".") + self.is_package
        self.root = path.resolve().parents[levels]

    def imports(self) -> Iterator[str]:
        """Whole names of what it imports; of ``from a import b`` both, for b may be a module."""
        package = self.name if self.is_package else self.name.rpartition(".")[0]
        for node in ast.walk(ast.parse(self.path.read_bytes())):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                try:
                    base = importlib.util.resolve_name("." * node.level + (node.module or ""), package or None)
                except ImportError:  # beyond the top: importing it will say so
                    continue
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)


def _imported(first: _Module) -> dict[str, Path]:
    """The module and all that lie under the same root and are imported from it, by name."""
    found: dict[str, Path] = {}
    left = [first]
    while left:
        module = left.pop()
        if module.name in found:
            continue
        found[module.name] = module.path
        for name in module.imports():
            left += _under(first.root, name)
    return found


def _under(root: Path, name: str) -> Iterator[_Module]:
    """The module of that name under the root, and the packages it lies in, which are imported first."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:count])
        for path in (place / "__init__.py", place.with_name(f"{place.name}.py")):
            if path.is_file():
                yield _Module(".".join(parts[:count]), path)
