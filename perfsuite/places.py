"""The options that say where and with what workers run, the same for pytest and for perfsuite's own commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Settings of the same names; None where nothing is said.
WORKER_OPTIONS = ("cores", "numa_node", "instances", "threads", "launch_mode", "preload")


def add_worker_options(add: Callable[..., Any]) -> None:
    """``add`` is ``add_argument`` or pytest's ``addoption``."""
    add("--cores", metavar="LIST", help="the CPUs that workers run on, such as 0-27,56 (default: one for each P core "
        "of the NUMA node with the most of them)")  # fmt: skip
    add("--numa-node", type=int, metavar="N", help="the NUMA node that workers run on, and its memory")
    add("--threads", type=int, metavar="N", help="threads of each worker (default: one for each of these cores)")
    add("--instances", type=int, metavar="N", help="workers that start together, each on cores of its own; "
        "what counts is the time for each pass that any of them makes (default: 1)")  # fmt: skip
    add("--latency-mode", dest="launch_mode", action="store_const", const="latency",
        help="as run_cpu and ipexrun: an instance for every 4 cores of all nodes")  # fmt: skip
    add("--throughput-mode", dest="launch_mode", action="store_const", const="throughput",
        help="as run_cpu and ipexrun: an instance on every NUMA node")  # fmt: skip
    add("--preload", type=_libraries, action="extend", metavar="NAMES", help="libraries that workers load before all "
        "others: jemalloc, tcmalloc, iomp5, another name that the loader finds, or an absolute path; may be repeated "
        "(default: none)")  # fmt: skip


def _libraries(text: str) -> list[str]:
    """What settings take for one; nothing at all takes back what the table says."""
    return text.split(",") if text else []


#: Between the name of a side and that of an option.
_OF_SIDE = "{side}_{name}"


def add_side_worker_options(add: Callable[..., Any], side: str) -> None:
    """The same options with the side's letter in front, for what it has otherwise; ``side_options`` reads them."""

    def add_of_side(option: str, *, help: str, **how: Any) -> None:
        how["dest"] = _OF_SIDE.format(side=side, name=how.get("dest", option.removeprefix("--").replace("-", "_")))
        add(f"--{side}-{option.removeprefix('--')}", help=f"as {option}, of {side.upper()} alone", **how)

    add_worker_options(add_of_side)


def side_options(options: Any, side: str) -> dict[str, Any]:
    """What was said of the side alone, by the names of settings; None where nothing was."""
    return {name: getattr(options, _OF_SIDE.format(side=side, name=name)) for name in WORKER_OPTIONS}
