"""The rooms of the house: imports point one way, no file is too long, and torch stays where it may be."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import perfsuite

ROOT = Path(perfsuite.__file__).parent
#: From the ground up; a room may import from the rooms below it. Names on one floor know nothing of one another.
FLOORS = (
    ("errors", "arguments", "quantities", "places", "partial"),
    ("spec", "stats", "kernel_limits"),
    ("match",),
    ("limits",),
    ("settings",),
    ("models", "records"),
    ("backends",),
    ("evidence", "worker", "selection"),
    ("machine", "check"),
    ("gates", "explain"),
    ("store",),
    ("measure", "history", "judge"),
    ("stacks", "compare", "confirm"),
    ("tune",),
    ("report", "replay"),
    ("github",),
    ("options",),
    ("session", "parallel", "suite"),
    ("ending", "serve"),
    ("selfcheck", "terminal", "sharding"),
    ("commands",),
    ("plugin", "cli"),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")
TESTS = sorted((ROOT.parent / "tests").rglob("*.py"))
#: The rooms that run inside a stack; in models and backends only the functions that need torch import it.
TORCH_ROOMS = {"worker", "models", "backends"}
LONGEST = 350


def _room(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def _imported(path: Path) -> Iterator[str]:
    """Every module that the file names in an import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    mine = _room(path)
    rooms = {name.split(".")[1] for name in _imported(path) if name.startswith("perfsuite.")} - {mine, "__version__"}
    assert not {room for room in rooms if FLOOR_OF[room] >= FLOOR_OF[mine]}


@pytest.mark.parametrize("path", [*FILES, *TESTS], ids=lambda path: str(path.relative_to(ROOT.parent)))
def test_no_file_is_longer_than_a_reader_s_patience(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize(
    "path", [path for path in FILES if _room(path) not in TORCH_ROOMS], ids=lambda path: str(path.relative_to(ROOT))
)
def test_torch_is_imported_where_it_may_be(path: Path) -> None:
    assert not {name for name in _imported(path) if name.split(".")[0] in ("torch", "transformers", "torchvision")}


def test_files_import_one_another_in_no_circle() -> None:
    module_of = {path: ".".join(path.relative_to(ROOT.parent).with_suffix("").parts) for path in FILES}
    modules = set(module_of.values())
    graph = {
        module: {name for one in _imported(path) for name in (one, one.rpartition(".")[0]) if name in modules}
        for path, module in module_of.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_every_room_has_a_floor() -> None:
    assert {_room(path) for path in FILES} <= FLOOR_OF.keys()
