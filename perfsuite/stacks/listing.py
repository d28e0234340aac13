"""What there is of each stack: built, building, interrupted or outdated, for a terminal or as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from perfsuite.backends import BACKENDS
from perfsuite.errors import UsageError
from perfsuite.stacks.definitions import StackDefinition
from perfsuite.stacks.folders import Built, is_locked, kept_folders, read_record, stack_folder, stacks_folder, usage


class State(StrEnum):
    """What there is of a stack."""

    BUILT = "built"
    NOT_BUILT = "not built"
    BUILDING = "building"
    INTERRUPTED = "interrupted"
    #: Built from other requirements or for another Python than the definition has now.
    OUTDATED = "outdated"
    #: Its requirements cannot be had as they are: its pinned file belongs to others, say.
    UNUSABLE = "unusable"
    INTERPRETER = "interpreter"
    MISSING = "missing"


_SHOWN = 2  # requirements: what fits beside the rest in 80 columns
_STYLES = {State.BUILT: "green", State.INTERPRETER: "green", State.NOT_BUILT: "dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One folder, or one definition that has none."""

    name: str
    what: str
    state: State
    builtin: bool
    pinned: bool
    problem: str = ""
    folder: Path | None = None
    size_bytes: int = 0
    #: Since it was built; since it was last touched, where it is not whole.
    age_s: float | None = None
    record: Built | None = None


def rows(definitions: Mapping[str, StackDefinition], *, now: datetime | None = None) -> list[Row]:
    """A row for each definition and each folder: the definitions in their order, then what is defined no more."""
    now_s = (now or datetime.now(UTC)).timestamp()
    folders = kept_folders()
    found: list[Row] = []
    for name, definition in definitions.items():
        mine = [_folder_row(name, definition, path, now_s) for owner, path in folders if owner == name]
        if not any(row.state in (State.BUILT, State.BUILDING, State.INTERRUPTED) for row in mine):
            found.append(_bare_row(definition))
        found += mine
    gone = [(name, path) for name, path in folders if name not in definitions]
    return found + [_folder_row(name, None, path, now_s) for name, path in gone]


def print_rows(found: list[Row], console: Console) -> None:
    """A table and a total."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("stack", no_wrap=True)
    table.add_column("what it is", overflow="fold")
    table.add_column("state", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("age", justify="right", no_wrap=True)
    for row in found:
        # Text, not markup: requirements may hold square brackets.
        table.add_row(
            Text(row.name),
            Text(row.what),
            Text(_state(row), style=_STYLES.get(row.state, "yellow")),
            _size(row.size_bytes) if row.folder else "",
            "" if row.age_s is None else _age(row.age_s),
        )
    console.print(table)
    for row in found:
        if row.problem:
            console.print(Text(f"{row.name}: {row.problem}"))
    built = sum(row.state is State.BUILT for row in found)
    total = _size(sum(row.size_bytes for row in found))
    # What a folder takes, not what its removal frees: uv links the same files into its cache and other stacks.
    console.print(Text(f"{built} built, {total} under {stacks_folder()}, shared files counted in each"), soft_wrap=True)


def rows_json(found: list[Row]) -> str:
    """A JSON list, one object a row."""
    return json.dumps([asdict(row) for row in found], indent=1, default=str)


def _folder_row(name: str, definition: StackDefinition | None, path: Path, now_s: float) -> Row:
    record = read_record(path)
    if record:
        backend = record.torch_backend
        current = definition is not None and not definition.interpreter and _folder(definition, backend) == path
        state = State.BUILT if current else State.OUTDATED
        begun_s, size_bytes = datetime.fromisoformat(record.built_at).timestamp(), record.size_bytes
    else:
        state = State.BUILDING if is_locked(name) else State.INTERRUPTED
        begun_s, size_bytes = path.stat().st_mtime, usage(path).size_bytes
    return Row(
        name=name,
        what=_what(definition) if definition else "(defined no more)",
        state=state,
        builtin=bool(definition and definition.builtin),
        pinned=bool(definition and definition.lock),
        folder=path,
        size_bytes=size_bytes,
        age_s=max(0.0, now_s - begun_s),
        record=record,
    )


def _bare_row(definition: StackDefinition) -> Row:
    state, problem = State.NOT_BUILT, ""
    if definition.interpreter:
        state = State.INTERPRETER if os.access(definition.interpreter, os.X_OK) else State.MISSING
    else:
        try:
            stack_folder(definition, None)
        except UsageError as error:
            state, problem = State.UNUSABLE, str(error)
    return Row(
        name=definition.name,
        what=_what(definition),
        state=state,
        builtin=definition.builtin,
        pinned=definition.lock is not None,
        problem=problem,
    )


def _folder(definition: StackDefinition, torch_backend: str | None) -> Path | None:
    try:
        return stack_folder(definition, torch_backend)
    except UsageError:
        return None


def _what(definition: StackDefinition) -> str:
    if definition.interpreter:
        return str(definition.interpreter)
    short = {backend.package: backend.alias for backend in BACKENDS}
    requirements = (line.partition("==") for line in definition.requirements)
    lines = [short.get(name, name) + equals + version for name, equals, version in requirements]
    more = [f"+{len(lines) - _SHOWN}"] if len(lines) > _SHOWN else []
    return ", ".join([*lines[:_SHOWN], *more]).replace("==", " ")


def _state(row: Row) -> str:
    backend = row.record.torch_backend if row.record else None
    return f"{row.state} ({backend})" if backend else str(row.state)


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e8 else f"{size_bytes / 1e6:.1f} MB"


def _age(age_s: float) -> str:
    for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
        if age_s >= seconds:
            return f"{age_s / seconds:.0f} {unit}"
    return f"{age_s:.0f} s"
