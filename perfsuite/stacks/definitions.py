"""Which stacks there are: the built-in ones, and the user's in [tool.perfsuite.stacks]."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfsuite.errors import UsageError

CURRENT = "current"  # the interpreter that runs perfsuite

LOCKED = Path(__file__).parent / "locked"
#: Where the user's pinned files are, under the root of their project.
USER_LOCKED = "stacks"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PYTHON = re.compile(r"\d+\.\d+(\.\d+)?")
_COMMENT = re.compile(r"(^|\s)#.*")
_MADE_FROM = re.compile(r"^# made from requirements (\w+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackDefinition:
    """A stack: either requirements, perhaps pinned in ``lock``, or the user's own ``interpreter``."""

    name: str
    requirements: tuple[str, ...] = ()
    lock: Path | None = None
    #: The Python version to build with; None is that of the interpreter that runs perfsuite.
    python: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    interpreter: Path | None = None
    builtin: bool = False
    #: What relative paths in requirements are relative to.
    root: Path = LOCKED

    @property
    def own_lock(self) -> Path:
        """The pinned file that `perfsuite stacks lock` writes."""
        return (LOCKED if self.builtin else self.root / USER_LOCKED) / f"{self.name}.txt"


def _built_in(name: str, *requirements: str) -> StackDefinition:
    # numpy and pillow are those that pyproject.toml pins, in every stack, so that inputs are the same bytes everywhere.
    common = ("numpy==2.4.6", "pillow==13.0.0", "safetensors==0.8.0")
    return StackDefinition(name=name, requirements=(*requirements, *common), lock=LOCKED / f"{name}.txt", builtin=True)


# Ipex's wheels do not pin their torch: each has the torch of its own minor version, and the torchvision of that.
BUILT_IN = (
    # ipex 2.6 and 2.7 import pkg_resources: setuptools<81. transformers 5 asks for torch.compiler.is_exporting,
    # which torch 2.6 lacks; 4.57.6 is what pyproject.toml has for ipex.
    # torchao: the newest that quantises (pt2e) with this torch and whose compiled part loads; 0.12 to 0.14 ask for
    # AffineQuantizedObserverBase, which torch 2.6 lacks.
    _built_in(
        "ipex-2.6",
        "intel-extension-for-pytorch==2.6.0", "torch==2.6.0", "torchvision==0.21.0",
        "torchao==0.11.0", "transformers==4.57.6", "setuptools<81",
    ),
    _built_in(
        "ipex-2.7",
        "intel-extension-for-pytorch==2.7.0", "torch==2.7.0", "torchvision==0.22.0",
        "torchao==0.13.0", "transformers==4.57.6", "setuptools<81",
    ),
    # The extras ipex and stock of pyproject.toml.
    _built_in(
        "ipex-2.8",
        "intel-extension-for-pytorch==2.8.0", "torch==2.8.0", "torchvision==0.23.0",
        "torchao==0.14.1", "transformers==4.57.6",
    ),
    _built_in("torch-2.8", "torch==2.8.0", "torchvision==0.23.0", "torchao==0.14.1", "transformers==4.57.6"),
    _built_in("torch-2.14", "torch==2.14.1", "torchvision==0.29.2", "torchao==0.18.0", "transformers==5.23.0"),
    # torch: under 2.14 OpenVINO compiles weights as inputs, and converts them at every pass (measured, 2026.4.1: a
    # ResNet18 in BF16 takes 17 ms with its 43 reorders; 4.3 ms under 2.8).
    _built_in(
        "openvino",
        "openvino==2026.4.1", "nncf==3.4.0", "torch==2.8.0", "torchvision==0.23.0", "transformers==4.57.6",
    ),
)  # fmt: skip


def stack_definitions(tables: Mapping[str, Any], root: Path) -> dict[str, StackDefinition]:
    """The built-in stacks and those of ``[tool.perfsuite.stacks]`` in root's pyproject.toml, which win."""
    return {stack.name: stack for stack in BUILT_IN} | {
        name: _from_table(name, table, root) for name, table in tables.items()
    }


def find(name: str, definitions: Mapping[str, StackDefinition]) -> StackDefinition:
    """The definition of that name; UsageError, with the known names, if there is none."""
    if name == CURRENT:
        raise UsageError(f"{CURRENT} is the interpreter that runs perfsuite: there is nothing to build, lock or remove")
    if name not in definitions:
        raise UsageError(f"no stack {name}; there are {', '.join(definitions)}")
    return definitions[name]


def requirements_digest(requirements: tuple[str, ...]) -> str:
    """Stands at the head of a pinned file, and tells whether it was made from these requirements."""
    return hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:12]


def pinned_text(definition: StackDefinition) -> str | None:
    """The pinned file without comments, None where the stack has none.

    Raises UsageError if it was made from other requirements than the stack has now.
    """
    if definition.lock is None:
        return None
    try:
        text = definition.lock.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{definition.lock} cannot be read ({error}); `perfsuite stacks lock {definition.name}` writes it"
        ) from error
    made_from = _MADE_FROM.search(text)
    if made_from and made_from.group(1) != requirements_digest(definition.requirements):
        raise UsageError(
            f"{definition.lock} was made from other requirements than stack {definition.name} has now; "
            f"run `perfsuite stacks lock {definition.name}`, or delete the file"
        )
    pinned = "".join(f"{line}\n" for line in text.splitlines() if line.strip() and not line.startswith("#"))
    if not pinned:
        raise UsageError(f"{definition.lock} pins nothing; run `perfsuite stacks lock {definition.name}`")
    return pinned


def _from_table(name: str, table: object, root: Path) -> StackDefinition:
    where = f"[tool.perfsuite.stacks.{name}]"
    if name == CURRENT or not _NAME.fullmatch(name):
        raise UsageError(
            f"{where}: a stack cannot be named {name!r}; use letters, digits, '.', '_' and '-', "
            f"and not {CURRENT!r}, which is the interpreter that runs perfsuite"
        )
    if not isinstance(table, dict):
        raise UsageError(f"{where} must be a table with requirements or interpreter, not {table!r}")
    unknown = sorted(table.keys() - _KEYS.keys())
    if unknown:
        # TOML reads [stacks.ipex-2.9] as a stack ipex-2 with a table 9.
        tables = [key for key in unknown if isinstance(table[key], dict)]
        hint = f'; a name with a dot needs quotes: [tool.perfsuite.stacks."{name}.{tables[0]}"]' if tables else ""
        raise UsageError(f"{where} has unknown keys {', '.join(unknown)}; known are {', '.join(_KEYS)}{hint}")
    for key, value in table.items():
        if not isinstance(value, _KEYS[key][0]):
            raise UsageError(f"{where}: {key} must be {_KEYS[key][1]}, not {value!r}")
    if ("interpreter" in table) == ("requirements" in table):
        has = "both" if "interpreter" in table else "neither"
        raise UsageError(f"{where} must have either requirements or interpreter; it has {has}")
    environment: dict[str, str] = table.get("environment", {})
    for variable, value in environment.items():
        if not isinstance(value, str):
            raise UsageError(f"{where}: environment.{variable} must be a string, not {value!r}; put it in quotes")
    if "interpreter" in table:
        if "python" in table:
            raise UsageError(f"{where}: leave out python; the interpreter has its own")
        interpreter = root / Path(table["interpreter"]).expanduser()
        return StackDefinition(name=name, interpreter=interpreter, environment=environment, root=root)
    python = table.get("python")
    if python is not None and not _PYTHON.fullmatch(python):
        raise UsageError(f'{where}: python must be a version such as "3.12", not {python!r}')
    requirements, lock = _requirements(where, table["requirements"], root)
    return StackDefinition(
        name=name,
        requirements=requirements,
        lock=lock or _existing(root / USER_LOCKED / f"{name}.txt"),
        python=python,
        environment=environment,
        root=root,
    )


_KEYS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "requirements": ((list, str), "a list of requirements or the path of a requirements file"),
    "python": (str, 'a version in quotes, such as "3.12"'),
    "environment": (dict, "a table of strings"),
    "interpreter": (str, "the path of a python"),
}


def _requirements(where: str, given: list[object] | str, root: Path) -> tuple[tuple[str, ...], Path | None]:
    """The requirements, and the file they are in if that pins them with hashes already."""
    if isinstance(given, str):
        file = root / Path(given).expanduser()
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"{where}: requirements names {file}, which cannot be read ({error}); "
                "give a pip requirements file, or a list of requirements"
            ) from error
        lines: list[object] = [_COMMENT.sub("", line).strip() for line in text.replace("\\\n", " ").splitlines()]
        lines = [line for line in lines if line]
        if lines and "--hash=" in text:
            return tuple(str(line).partition(" --hash")[0].strip() for line in lines), file
        where = f"{where}: {file}"
    else:
        lines = given
    if not lines:
        raise UsageError(f"{where}: requirements is empty; name at least one, such as torch==2.8.0")
    for line in lines:
        if not isinstance(line, str) or not line.strip() or "\n" in line:
            raise UsageError(f'{where}: a requirement must be a string such as "torch==2.8.0", not {line!r}')
        if line.startswith("-"):
            raise UsageError(
                f"{where}: {line!r} is an option, not a requirement; uv takes package indexes from "
                "its own variables and configuration (UV_DEFAULT_INDEX, uv.toml)"
            )
    return tuple(str(line) for line in lines), None


def _existing(file: Path) -> Path | None:
    return file if file.exists() else None
