"""How much slower or costlier a variant may become: defaults, and what [[tool.perfsuite.match]] says of some."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from perfsuite.errors import UsageError
from perfsuite.kernel_limits import KernelLimits, read_kernel_limits
from perfsuite.match import Match, variant_facts
from perfsuite.spec import WORKLOADS, Mode, Precision, Variant

_COSTS_TABLE = "[tool.perfsuite.costs]"
_MATCH_TABLE = "[[tool.perfsuite.match]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLimits:
    """By how much more than its baseline each cost of a variant may take.

    A share of the baseline's (0.1 is a tenth more) where the name has no unit; ``stalls`` is a share of the time.
    What little costs vary by anyhow is allowed beside it (``perfsuite/judge/costs.py``, which has what was measured).
    """

    #: Workers differed by 4 % at most, by 1 % where none had compiled.
    peak_memory: float = 0.10
    #: No worker grew at all. Judgement: half of the smallest leak that is to be seen, 128 KiB at every pass.
    memory_growth_bytes: float = 64 * 1024.0
    #: Judgement, of all times.
    first_inference: float = 0.50
    preparing: float = 0.50
    compiling: float = 0.50
    importing: float = 0.50
    #: Judgement: other versions of a format differ by less, weights of a wider type by half and more.
    artefact_size: float = 0.10
    #: Kernels of one precision round otherwise, by 2 dB at most (``perfsuite/check/windows.py``).
    accuracy_drift_db: float = 3.0
    #: Judgement: a pass in 100 that takes ten times as long.
    stalls: float = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What holds for one variant: ratios of latency above ``matters`` matter; ``ignore`` is why nothing does.

    ``kernels`` is what the user expects of its kernels; None where perfsuite's own expectation holds.
    """

    matters: float
    costs: CostLimits
    ignore: str = ""
    kernels: KernelLimits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the variants that match have of their own; ``costs`` by the names of CostLimits' fields."""

    match: Match
    matters: float | None = None
    costs: Mapping[str, float] = field(default_factory=dict)
    ignore: str = ""
    kernels: KernelLimits | None = None


def limits_of(variant: Variant, *, matters: float, costs: CostLimits, entries: Sequence[Entry]) -> Limits:
    """The first entry that fits and says something of a limit decides that limit; the defaults decide the rest."""
    facts = variant_facts(variant)
    fitting = [entry for entry in entries if entry.match.fits(facts)]
    own_costs: dict[str, float] = {}
    for entry in reversed(fitting):
        own_costs |= entry.costs
    return Limits(
        matters=next((entry.matters for entry in fitting if entry.matters is not None), matters),
        costs=dataclasses.replace(costs, **own_costs),
        ignore=next((entry.ignore for entry in fitting if entry.ignore), ""),
        kernels=next((entry.kernels for entry in fitting if entry.kernels), None),
    )


def read_share(name: str, value: object, *, most: float = 1.0) -> float:
    """The share that 2% or 0.02 means; UsageError where it is none, or not between 0 and ``most``.

    A bare number of 1 or more is refused: nobody could tell whether 10 means 10 % or ten times.
    """
    share = None
    if isinstance(value, str) and (number := re.fullmatch(r"(\d+(?:\.\d+)?) ?%", value)):
        share = float(number[1]) / 100
    elif isinstance(value, int | float) and not isinstance(value, bool) and value < 1:
        share = float(value)
    if share is None or not 0 < share < most:
        reach = f" between 0 and {most:.0%}" if most < float("inf") else " above 0"
        raise UsageError(f"{name} must be a share{reach}, such as 2% or 0.02, not {value!r}")
    return share


def read_matters(name: str, value: object) -> float:
    """The ratio from which on slower matters: 1.02 of 2%."""
    return 1 + read_share(name, value)


def read_costs(name: str, value: object) -> dict[str, float]:
    """The limits of a table of costs, by the names of CostLimits' fields; UsageError on what cannot be meant."""
    if not isinstance(value, dict):
        raise UsageError(f'{name} must be a table of limits, such as {{ peak_memory = "10%" }}, not {value!r}')
    if unknown := sorted(value.keys() - _COSTS.keys()):
        raise UsageError(f"{name} has unknown costs {', '.join(unknown)}; known are {', '.join(_COSTS)}")
    found = {}
    for cost, limit in value.items():
        of, read = _COSTS[cost]
        found[of] = read(f"{name}: {cost}", limit)
    return found


def read_cost_limits(name: str, value: object) -> CostLimits:
    """[tool.perfsuite.costs] over the defaults."""
    return CostLimits(**read_costs(_COSTS_TABLE, value))


def read_entries(name: str, value: object) -> tuple[Entry, ...]:
    """The entries of [[tool.perfsuite.match]]; UsageError names the one that cannot be meant."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise UsageError(f"match must be tables, each under {_MATCH_TABLE}, not {value!r}")
    return tuple(_entry(f"{_MATCH_TABLE} {number}", table) for number, table in enumerate(value, 1))


def check_entries(entries: Sequence[Entry], variants: Sequence[Variant]) -> None:
    """UsageError on an entry that fits none of the variants: a name in it is misspelt, or of no model any more."""
    facts = [variant_facts(variant) for variant in variants]
    for number, entry in enumerate(entries, 1):
        if not any(map(entry.match.fits, facts)):
            raise UsageError(
                f"{_MATCH_TABLE} {number} ({entry.match}) fits no variant; `perfsuite matrix` lists them all"
            )


def _entry(name: str, table: Mapping[str, Any]) -> Entry:
    if unknown := sorted(table.keys() - _FACTS - _ENTRY_SETTINGS - {"reason"}):
        known = ", ".join((*sorted(_FACTS), *sorted(_ENTRY_SETTINGS), "reason"))
        raise UsageError(f"{name} has unknown keys {', '.join(unknown)}; known are {known}")
    match = Match(accepted={fact: _accepted(f"{name}: {fact}", fact, table[fact]) for fact in table if fact in _FACTS})
    if not match.accepted:
        raise UsageError(f"{name} names no variants: give it one of {', '.join(sorted(_FACTS))}")
    name = f"{name} ({match})"
    if not table.keys() & _ENTRY_SETTINGS:
        raise UsageError(f"{name} sets nothing: give it one of {', '.join(sorted(_ENTRY_SETTINGS))}")
    ignore = table.get("ignore", "")
    if not isinstance(ignore, str) or ("ignore" in table and not ignore.strip()):
        raise UsageError(f"{name}: ignore must be the reason, such as the number of an issue, not {ignore!r}")
    if "reason" in table and "kernels" not in table:
        raise UsageError(f"{name}: reason is of kernels, which it does not set; ignore has its reason as its value")
    return Entry(
        match=match,
        matters=read_matters(f"{name}: matters", table["matters"]) if "matters" in table else None,
        costs=read_costs(f"{name}: costs", table.get("costs", {})),
        ignore=ignore,
        kernels=read_kernel_limits(name, table["kernels"], table.get("reason")) if "kernels" in table else None,
    )


def _accepted(name: str, fact: str, value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    values = [one for one in listed if isinstance(one, str) and one]
    if not values or len(values) < len(listed):
        raise UsageError(f"{name} must be a name or a list of names, not {value!r}")
    known = _KNOWN.get(fact)
    if known and (unknown := [one for one in values if "*" not in one and one not in known]):
        raise UsageError(f"{name} {', '.join(unknown)}: there are {', '.join(known)}")
    return tuple(values)


def _cost_share(name: str, value: object) -> float:
    return read_share(name, value, most=float("inf"))


def _bytes(name: str, value: object) -> float:
    number = re.fullmatch(r"(\d+(?:\.\d+)?) ?(B|kB|KiB|MB|MiB|GB|GiB)", value) if isinstance(value, str) else None
    if number is None or float(number[1]) == 0:
        raise UsageError(f"{name} must be an amount of memory above 0, such as 64KiB or 1MB, not {value!r}")
    return float(number[1]) * _UNITS[number[2]]


def _decibels(name: str, value: object) -> float:
    number = re.fullmatch(r"(\d+(?:\.\d+)?) ?dB", value) if isinstance(value, str) else None
    if number is None or float(number[1]) == 0:
        raise UsageError(f"{name} must be above 0, such as 3dB, not {value!r}")
    return float(number[1])


_UNITS = {"B": 1, "kB": 10**3, "KiB": 1 << 10, "MB": 10**6, "MiB": 1 << 20, "GB": 10**9, "GiB": 1 << 30}
_FACTS = frozenset({"model", "backend", "mode", "precision", "workload", "variant"})
_ENTRY_SETTINGS = frozenset({"matters", "costs", "ignore", "kernels"})
#: What facts may be, as far as the words of the glossary tell; of models and backends see ``check_entries``.
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "mode": tuple(Mode),
    "precision": tuple(Precision),
    "workload": tuple(workload.name for workload in WORKLOADS),
}
#: Each cost as the user writes it: the field of CostLimits, and how its limit is read.
_COSTS: Mapping[str, tuple[str, Callable[[str, object], float]]] = {
    "peak_memory": ("peak_memory", _cost_share),
    "memory_growth": ("memory_growth_bytes", _bytes),
    "first_inference": ("first_inference", _cost_share),
    "prepare": ("preparing", _cost_share),
    "compile": ("compiling", _cost_share),
    "import": ("importing", _cost_share),
    "artefact_size": ("artefact_size", _cost_share),
    "accuracy_drift": ("accuracy_drift_db", _decibels),
    "stalls": ("stalls", read_share),
}
