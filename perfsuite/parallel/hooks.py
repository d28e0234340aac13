"""How many processes there are, and what they hand on: pytest-xdist's hooks; without it none is called."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from perfsuite.machine.cpu import one_cpu_per_core, read_cpu
from perfsuite.machine.sysfs import text_of
from perfsuite.options import RUN
from perfsuite.parallel.findings import packed, unpack

#: The workers of each process use every core, so that more processes only fill each other's pauses (judgement).
_MOST = 4
#: What a process holds at most: its launchers and a BERT that is saved or compiled (measured: 3.3 GiB).
_MEMORY_GIB = 4


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist's, which starts as many
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Share the tests among processes, unless the user says among how many."""
    one_of_them = hasattr(config, "workerinput")
    if not one_of_them and getattr(config.option, "numprocesses", 0) is None and config.option.dist == "no":
        config.option.numprocesses = processes(config) or None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    return processes(config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.option.dist != "load":  # another was asked for
        return None
    from perfsuite.parallel.scheduling import Scheduling

    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In one of several processes: hand on what the tables at the end are made of."""
    run = session.config.stash.get(RUN, None)
    if run is not None and hasattr(session.config, "workeroutput"):
        session.config.workeroutput["perfsuite"] = packed(run)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """In the process that prints; one that crashed has handed on nothing."""
    if found := getattr(node, "workeroutput", {}).get("perfsuite"):
        unpack(node.config.stash[RUN], found)


def processes(config: pytest.Config) -> int:
    """How many pytest processes share this run's tests; 0 where one runs them all.

    Timing runs, debuggers and output that is not captured need the run for themselves; and single files and tests
    begin sooner than processes do.
    """
    option = config.option
    alone = ("benchmark_only", "collectonly", "usepdb", "trace")
    if any(getattr(option, name, False) for name in alone) or option.capture == "no":
        return 0
    if not all((config.invocation_params.dir / argument).is_dir() for argument in config.args):
        return 0
    return share(len(one_cpu_per_core(read_cpu())), _available_gib())


def share(cores: int, available_gib: int) -> int:
    """How many processes so many cores and so much memory carry; 0 where that is one."""
    wanted = min(cores, _MOST, available_gib // _MEMORY_GIB)
    return wanted if wanted > 1 else 0


def _available_gib() -> int:
    found = re.search(r"^MemAvailable: *(\d+) kB$", text_of(Path("/proc/meminfo")), re.MULTILINE)
    return int(found[1]) // 2**20 if found else 0
