"""What CPUs and a process did, read from files as the kernel writes them."""

import os
from pathlib import Path

import pytest

from perfsuite.machine.moment import frequency_mhz, moment

TICKS = os.sysconf("SC_CLK_TCK")
STAT = """\
cpu  900 90 300 5000 10 9 6 60 40 0
cpu0 300 30 100 2000 5 3 2 20 20 0
cpu1 300 30 100 2000 5 3 2 20 20 0
cpu11 300 30 100 1000 0 3 2 20 0 0
intr 12345
"""


def _root(folder: Path, stat: str = STAT, process: str | None = None) -> Path:
    (folder / "proc" / "77").mkdir(parents=True)
    (folder / "proc" / "stat").write_text(stat)
    if process:
        (folder / "proc" / "77" / "stat").write_text(process)
    return folder


def test_only_the_cpus_asked_for_count_and_guests_only_once(tmp_path: Path) -> None:
    found = moment({0, 1}, [77], _root(tmp_path))
    assert found.busy_s == pytest.approx(2 * (300 + 30 + 100 + 3 + 2) / TICKS)
    assert found.steal_s == pytest.approx(40 / TICKS)


def test_a_process_counts_with_all_its_threads_whatever_it_is_called(tmp_path: Path) -> None:
    process = "77 (a ) name (x) S 1 77 77 0 -1 4194560 11 0 0 0 250 50 7 7 20 0 3 0 9 1 1\n"
    assert moment({0}, [77], _root(tmp_path, process=process)).idle_s == pytest.approx(300 / TICKS)


def test_a_process_that_is_gone_did_nothing(tmp_path: Path) -> None:
    assert moment({0}, [77], _root(tmp_path)).idle_s == 0.0


def test_this_process_is_seen_to_compute() -> None:
    before = moment({0}, [os.getpid()])
    while moment({0}, [os.getpid()]).idle_s == before.idle_s:
        pass  # a clock tick, 10 ms


def test_the_frequency_is_the_mean_of_the_cpus_asked_for(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    assert frequency_mhz({0}, tmp_path) is None
    blocks = (f"processor\t: {number}\ncpu MHz\t\t: {value}\n" for number, value in enumerate((1000.5, 2000.5, 9.0)))
    (tmp_path / "proc" / "cpuinfo").write_text("\n".join(blocks))
    assert frequency_mhz({0, 1}, tmp_path) == pytest.approx(1500.5)
