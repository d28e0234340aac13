"""[tool.perfsuite] and command-line options, as one record built once at the edge."""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfsuite.errors import UsageError
from perfsuite.limits import (
    CostLimits,
    Entry,
    Limits,
    limits_of,
    read_cost_limits,
    read_entries,
    read_matters,
    read_share,
)
from perfsuite.spec import Variant

WEIGHTS_POLICIES = ("auto", "pretrained", "seeded")
CONFIRM_POLICIES = ("suspects", "all", "none")
REQUIRABLE_ISAS = ("amx",)
LAUNCH_MODES = ("latency", "throughput")
#: What an option says of one of these takes the place of what the table says of the other.
_INSTEAD = {
    "cores": ("numa_node",),
    "numa_node": ("cores",),
    "launch_mode": ("instances", "threads"),
    "instances": ("launch_mode",),
    "threads": ("launch_mode",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a user can set.

    Of the first five, which say where workers run (``perfsuite/machine/placement.py``), None leaves it to the machine;
    ``threads`` are those of each instance, ``launch_mode`` shares all cores as run_cpu's mode of that name does.
    """

    cores: tuple[int, ...] | None = None
    numa_node: int | None = None
    instances: int | None = None
    threads: int | None = None
    launch_mode: str | None = None
    #: Libraries that workers load before all others, each a name such as jemalloc, or a path: ``machine/preload.py``.
    preload: tuple[str, ...] = ()
    weights: str = "auto"
    #: Two workers are the fewest that show how much workers differ (the issue of replication:
    #: iterations inside one process are not independent).
    replicates: int = 2
    #: Seconds of timed iterations in each worker: some 20 iterations of the slowest latency
    #: variant here (0.35 s simulated INT8 aside), within a ten-minute session.
    measure_s: float = 2.0
    #: The longest warm-up; variants here are steady after 0.4 to 2 s, or not at all. What is left of a drift the
    #: faster half of the iterations hardly shows, and pairs share.
    warm_up_limit_s: float = 2.0
    step_timeout_s: float | None = None
    baselines: Path = Path("baselines")
    #: The address of the database that keeps every session; None is a file of the project's own.
    history: str | None = None
    #: How many accepted sessions of a variant count. Of 8 the mean is so well known that a candidate's own session
    #: makes eight ninths of the doubt, and older ones tell of an older machine (judgement).
    sessions: int = 8
    #: Slower by more than this fails. Machine states alone moved BERT by 19 % with no change
    #: (19 sessions of one process each on a 2-core machine); 1.25 leaves room above that.
    regression_ratio: float = 1.25
    #: The ratio from which on slower matters, by default. Changes of libraries that people report are 5 % and
    #: more (pt#150514, ipex#768); some ten pairs of processes resolve 2 %, as of ``perfsuite compare``'s resolution.
    matters: float = 1.02
    #: How often a night may call regressed what is no slower, and unchanged what is slower by what matters. Judgement:
    #: a false alarm a quarter of a year wears nobody out, and what one night misses the next will find.
    false_alarm: float = 0.01
    missed: float = 0.05
    #: What is measured again, side by side with the baseline's stack: what may be slower, all, or nothing.
    confirm: str = "suspects"
    #: How long measuring again may take, in seconds; None where the run itself decides.
    budget_s: float | None = None
    costs: CostLimits = field(default_factory=CostLimits)
    #: What some variants have of their own: the first entry that fits decides.
    match: tuple[Entry, ...] = ()
    #: The instruction set without which a variant that would use it fails: amx, or none.
    require_isa: str | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    #: The user's own stacks, as tables: perfsuite/stacks/definitions.py reads them.
    stacks: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        positive = (
            "replicates", "measure_s", "warm_up_limit_s", "step_timeout_s", "threads", "instances", "sessions",
            "budget_s",
        )  # fmt: skip
        for name in positive:
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise UsageError(f"{name} must be above 0, not {value}")
        if self.numa_node is not None and self.numa_node < 0:
            raise UsageError(f"numa_node must be 0 or above, not {self.numa_node}")
        if self.launch_mode not in (None, *LAUNCH_MODES):
            raise UsageError(f"launch_mode must be one of {', '.join(LAUNCH_MODES)}, not {self.launch_mode!r}")
        if self.launch_mode and (self.instances or self.threads):
            raise UsageError("launch_mode must be without instances and threads: it says itself how many there are")
        if self.cores is not None and self.numa_node is not None:
            raise UsageError("numa_node must be without cores: both say where workers run")
        if not 1 < self.regression_ratio < math.inf:
            raise UsageError(f"regression_ratio must be above 1 (1.25 is 25 % slower), not {self.regression_ratio}")
        if self.require_isa not in (None, *REQUIRABLE_ISAS):
            raise UsageError(f"require_isa must be one of {', '.join(REQUIRABLE_ISAS)}, not {self.require_isa!r}")
        if self.weights not in WEIGHTS_POLICIES:
            raise UsageError(f"weights must be one of {', '.join(WEIGHTS_POLICIES)}, not {self.weights!r}")
        if self.confirm not in CONFIRM_POLICIES:
            raise UsageError(f"confirm must be one of {', '.join(CONFIRM_POLICIES)}, not {self.confirm!r}")

    def limits(self, variant: Variant) -> Limits:
        """What holds for the variant."""
        return limits_of(variant, matters=self.matters, costs=self.costs, entries=self.match)


def project_root(start: Path) -> Path:
    """The folder whose settings hold in ``start``: pytest's rootdir there, so that commands read what pytest reads.

    Where no folder upward configures pytest, the nearest with [tool.perfsuite] is meant: without configuration
    pytest would stop at any pyproject.toml below it, and know nothing of perfsuite there.
    """
    rules: tuple[Callable[[Path], bool], ...] = (
        _configures_pytest,
        lambda folder: "perfsuite" in _tools(folder / "pyproject.toml"),
        lambda folder: (folder / "pyproject.toml").is_file(),
        lambda folder: (folder / "setup.py").is_file(),
    )
    return next((folder for rule in rules for folder in (start, *start.parents) if rule(folder)), start)


def _configures_pytest(folder: Path) -> bool:
    """As pytest 9 decides (_pytest/config/findpaths.py): files of its own even if empty, others with its table."""
    return (
        any((folder / name).is_file() for name in ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"))
        or bool(_tools(folder / "pyproject.toml").get("pytest"))
        or _has_section(folder / "tox.ini", "pytest")
        or _has_section(folder / "setup.cfg", "tool:pytest")
    )


def _has_section(file: Path, name: str) -> bool:
    return file.is_file() and bool(re.search(rf"(?m)^\[{name}\]", file.read_text(encoding="utf-8", errors="replace")))


def read_settings(root: Path, options: Mapping[str, Any]) -> Settings:
    """``options`` that are not None win over ``[tool.perfsuite]`` in root's pyproject.toml."""
    table = _table(root / "pyproject.toml")
    fields = {entry.name: entry for entry in dataclasses.fields(Settings)}
    unknown = sorted(table.keys() - fields.keys())
    if unknown:
        raise UsageError(
            f"[tool.perfsuite] in {root / 'pyproject.toml'} has unknown settings {', '.join(unknown)}; "
            f"known are {', '.join(sorted(fields))}"
        )
    values = overridden(table, options)
    for name, value in values.items():
        values[name] = _converted(name, value)
    settings = Settings(**values)
    return dataclasses.replace(settings, baselines=root / settings.baselines)


def overridden(values: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with what ``options`` say that is not None, and without what that takes the place of."""
    given = {name: value for name, value in options.items() if value is not None}
    replaced = {other for name in given for other in _INSTEAD.get(name, ())}
    return {name: value for name, value in values.items() if name not in replaced} | given


def _table(pyproject: Path) -> dict[str, Any]:
    table = _tools(pyproject).get("perfsuite", {})
    if not isinstance(table, dict):
        raise UsageError(f"{pyproject}: [tool.perfsuite] must be a table, not {table!r}")
    return table


def _tools(pyproject: Path) -> dict[str, Any]:
    """The tables under [tool]; none if there is no such file."""
    if not pyproject.is_file():
        return {}
    try:
        tools = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{pyproject}: {error}") from error
    if not isinstance(tools, dict):
        raise UsageError(f"{pyproject}: [tool] must be a table, not {tools!r}")
    return tools


_TYPES: Mapping[str, tuple[type, ...]] = {
    "numa_node": (int,),
    "instances": (int,),
    "threads": (int,),
    "launch_mode": (str,),
    "replicates": (int,),
    "sessions": (int,),
    "weights": (str,),
    "measure_s": (int, float),
    "warm_up_limit_s": (int, float),
    "step_timeout_s": (int, float),
    "regression_ratio": (int, float),
    "confirm": (str,),
    "budget_s": (int, float),
    "baselines": (str, Path),
    "history": (str,),
    "require_isa": (str,),
    "models": (dict,),
    "stacks": (dict,),
}


def read_cores(name: str, value: object) -> tuple[int, ...]:
    """The CPUs of ``0-27,56``, in order; UsageError where there are none."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text):
        raise UsageError(f"{name} must be a list of CPUs such as 0-27,56, not {value!r}")
    numbers: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    if not numbers:
        raise UsageError(f"{name} must be a list of CPUs such as 0-27,56: {value} names none")
    return tuple(sorted(numbers))


def read_preload(name: str, value: object) -> tuple[str, ...]:
    """The libraries of ``["jemalloc", "/opt/lib/mine.so"]`` or of ``jemalloc,/opt/lib/mine.so``."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise UsageError(f"{name} must be a list of libraries such as jemalloc, not {value!r}")
    libraries = tuple(filter(None, (part.strip() for part in parts)))
    for library in libraries:
        if "/" in library and not library.startswith("/"):
            raise UsageError(f"{name} must be of names and absolute paths, not {library!r}")
        if re.search(r"[\s:]", library):
            raise UsageError(f"{name} must be of libraries without spaces or colons, which part them, not {library!r}")
    return libraries


#: Settings that are written otherwise than they are kept.
_READERS: Mapping[str, Callable[[str, object], object]] = {
    "cores": read_cores,
    "preload": read_preload,
    "matters": read_matters,
    "false_alarm": read_share,
    "missed": read_share,
    "costs": read_cost_limits,
    "match": read_entries,
}


def _converted(name: str, value: object) -> object:
    if name in _READERS:
        return _READERS[name](name, value)
    accepted = _TYPES[name]
    if isinstance(value, bool) or not isinstance(value, accepted):
        raise UsageError(f"{name} must be {' or '.join(kind.__name__ for kind in accepted)}, not {value!r}")
    return Path(value) if name == "baselines" and isinstance(value, str) else value
