"""[tool.perfsuite] and command-line options, as one record built once at the edge."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfsuite.errors import UsageError

WEIGHTS_POLICIES = ("auto", "pretrained", "seeded")
REQUIRABLE_ISAS = ("amx",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a user can set. ``threads`` None means one for each usable physical core."""

    threads: int | None = None
    weights: str = "auto"
    #: Two workers are the fewest that show how much workers differ (the issue of replication:
    #: iterations inside one process are not independent).
    replicates: int = 2
    #: Seconds of timed iterations in each worker: some 20 iterations of the slowest latency
    #: variant here (0.35 s simulated INT8 aside), within a ten-minute session.
    measure_s: float = 2.0
    #: The longest warm-up; variants here are steady after 0.4 to 2 s, or not at all.
    warm_up_limit_s: float = 5.0
    step_timeout_s: float | None = None
    baselines: Path = Path("baselines")
    #: Slower by more than this fails. Machine states alone moved BERT by 19 % with no change
    #: (19 sessions of one process each on a 2-core machine); 1.25 leaves room above that.
    regression_ratio: float = 1.25
    #: The instruction set without which a variant that would use it fails: amx, or none.
    require_isa: str | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    #: The user's own stacks, as tables: perfsuite/stacks/definitions.py reads them.
    stacks: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        positive = ("replicates", "measure_s", "warm_up_limit_s", "step_timeout_s", "threads")
        for name in positive:
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise UsageError(f"{name} must be above 0, not {value}")
        if not 1 < self.regression_ratio < math.inf:
            raise UsageError(f"regression_ratio must be above 1 (1.25 is 25 % slower), not {self.regression_ratio}")
        if self.require_isa not in (None, *REQUIRABLE_ISAS):
            raise UsageError(f"require_isa must be one of {', '.join(REQUIRABLE_ISAS)}, not {self.require_isa!r}")
        if self.weights not in WEIGHTS_POLICIES:
            raise UsageError(f"weights must be one of {', '.join(WEIGHTS_POLICIES)}, not {self.weights!r}")


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
    values = table | {name: value for name, value in options.items() if value is not None}
    for name, value in values.items():
        values[name] = _converted(name, value)
    settings = Settings(**values)
    return dataclasses.replace(settings, baselines=root / settings.baselines)


def _table(pyproject: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{pyproject}: {error}") from error
    tool = document.get("tool", {})
    table = tool.get("perfsuite", {}) if isinstance(tool, dict) else tool
    if not isinstance(table, dict):
        raise UsageError(f"{pyproject}: [tool.perfsuite] must be a table, not {table!r}")
    return table


_TYPES: Mapping[str, tuple[type, ...]] = {
    "threads": (int,),
    "replicates": (int,),
    "weights": (str,),
    "measure_s": (int, float),
    "warm_up_limit_s": (int, float),
    "step_timeout_s": (int, float),
    "regression_ratio": (int, float),
    "baselines": (str, Path),
    "require_isa": (str,),
    "models": (dict,),
    "stacks": (dict,),
}


def _converted(name: str, value: object) -> object:
    accepted = _TYPES[name]
    if isinstance(value, bool) or not isinstance(value, accepted):
        raise UsageError(f"{name} must be {' or '.join(kind.__name__ for kind in accepted)}, not {value!r}")
    return Path(value) if name == "baselines" and isinstance(value, str) else value
