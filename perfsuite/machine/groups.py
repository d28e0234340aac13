"""What control groups leave to this process: a cpu quota, a set of cpus. Of both versions, nested as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from perfsuite.machine.sysfs import parse_cpu_list, text_of


def quota_cpus(root: Path) -> float | None:
    """The tightest cpu quota on this process, in cpus; None if no control group sets one."""
    quotas = [_v2_quota(folder) if unified else _v1_quota(folder) for unified, folder in _groups(root, "cpu")]
    return min((quota for quota in quotas if quota is not None), default=None)


def cpuset_cpus(root: Path) -> frozenset[int] | None:
    """The cpus that its control group leaves to this process; None if none says.

    The innermost group that says decides: a cpu that a partition of its own has is missing in the groups above it.
    """
    for unified, folder in _groups(root, "cpuset"):
        names = ("cpuset.cpus.effective",) if unified else ("cpuset.effective_cpus", "cpuset.cpus")
        for name in names:
            if cpus := parse_cpu_list(text_of(folder / name)):
                return frozenset(cpus)
    return None


def _groups(root: Path, controller: str) -> Iterator[tuple[bool, Path]]:
    """The folders of this process's groups, innermost first, and whether they are of the unified hierarchy (v2)."""
    for line in text_of(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        group = Path(path.lstrip("/"))
        top = root / "sys/fs/cgroup" / (controller if controllers else "")
        for folder in (group, *group.parents):
            yield not controllers, top / folder


def _v2_quota(group: Path) -> float | None:
    quota, _, period = text_of(group / "cpu.max").partition(" ")
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None


def _v1_quota(group: Path) -> float | None:
    quota, period = text_of(group / "cpu.cfs_quota_us"), text_of(group / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None
