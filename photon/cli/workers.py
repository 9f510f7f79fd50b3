"""How many processes serve: `--workers N|auto`."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import click

MOST_WORKERS = 1024


class WorkersType(click.ParamType[int]):
    """A number of workers; `auto` is as many as there are cores for this process."""

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, str) and value.strip().lower() == "auto":
            return usable_cores()
        try:
            workers = int(value)
        except ValueError:
            self.fail(f"{value!r} is no number of workers; write one, or auto", param, ctx)
        if not 1 <= workers <= MOST_WORKERS:
            self.fail(f"{value!r}: there can be 1 to {MOST_WORKERS} workers", param, ctx)
        return workers


def usable_cores(cgroups: Path = Path("/sys/fs/cgroup"), of: Path = Path("/proc/self")) -> int:
    """How many cores this process may keep busy, at least 1.

    That is what its affinity allows (taskset, cpusets), or what its control group is given of
    time, whichever is less: a container that may have 1.5 cores sees all 64 of its machine.

    Args: cgroups: where control groups are mounted; of: the folder of the process in /proc.
    """
    cores = allowed_cores()
    quota = cpu_quota(cgroups, of)
    # Half a core more is a worker more: two that share 1.5 cores serve more than one alone.
    return max(1, min(cores, math.ceil(quota)) if quota is not None else cores)


def allowed_cores() -> int:
    """How many cores this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # macOS has none
        return os.cpu_count() or 1


def cpu_quota(
    cgroups: Path = Path("/sys/fs/cgroup"), of: Path = Path("/proc/self")
) -> float | None:
    """Cores' worth of time that the control group of this process may use; None for any.

    The least of the group's own and of those above it, which limit it as well.
    Source: Documentation/admin-guide/cgroup-v2.rst (cpu.max), cgroup-v1's sched-bwc.rst.
    """
    quotas = [*_quotas_v2(cgroups, of), *_quotas_v1(cgroups, of)]
    return min(quotas, default=None)


def _quotas_v2(cgroups: Path, of: Path) -> list[float]:
    """Of cpu.max: two numbers in us, the first of which may be "max"."""
    found = []
    for folder in group_folders(cgroups, _group_of(of, "")):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        found += _share(quota, period)
    return found


def _quotas_v1(cgroups: Path, of: Path) -> list[float]:
    """Of cpu.cfs_quota_us, which is -1 for any."""
    found = []
    for mount in ("cpu", "cpu,cpuacct"):
        for folder in group_folders(cgroups / mount, _group_of(of, "cpu")):
            quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
            found += _share(quota, period)
    return found


def _share(quota: str, period: str) -> list[float]:
    if quota.isdecimal() and period.isdecimal() and int(quota) > 0 and int(period) > 0:
        return [int(quota) / int(period)]
    return []


def group_folders(mount: Path, group: str) -> list[Path]:
    """The folder of a control group, and those above it; the mount alone where it is not seen.

    In a container that has a namespace of its own the group is "/"; in one that has none, its
    name is that of the host, under which nothing is mounted.
    """
    here = mount / group.strip("/")
    if ".." in here.parts or not here.is_dir():
        here = mount
    return [here, *(above for above in here.parents if above.is_relative_to(mount))]


def _group_of(of: Path, controller: str) -> str:
    """The group of this process, of lines such as `0::/a/b` and `4:cpu,cpuacct:/a/b`."""
    for line in _read(of / "cgroup").splitlines():
        _, controllers, group = (*line.split(":", 2), "", "")[:3]
        if controller in controllers.split(","):
            return group
    return "/"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
