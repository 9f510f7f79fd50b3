"""What the machine lets a server have: descriptors, backlog, memory; and who it runs as."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

from photon.cli.checks.finding import Finding, ok, warn
from photon.cli.quantities import write_size
from photon.cli.workers import group_folders, usable_cores

_SPARE = 100
"""Descriptors that are no connections: the loop's, logs, modules, a pool of database."""
_FEW = 4096

SOMAXCONN = Path("/proc/sys/net/core/somaxconn")
CGROUPS = Path("/sys/fs/cgroup")


def descriptors(connections: int, limits: tuple[int, int] | None = None) -> Finding:
    """Args: connections: the settings' limit of a process; 0 for any."""
    soft, hard = limits or resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return ok("descriptors", "any number")
    most = "any number" if hard == resource.RLIM_INFINITY else str(hard)
    saw = f"{soft} for a process, and it may ask for {most}"
    enough = connections + _SPARE if connections else _FEW
    if soft >= enough:
        return ok("descriptors", saw)
    if connections:
        saw = f"{soft} for a process, but --limit-connections lets in {connections}"
    else:
        saw = f"{saw}; about {max(soft - _SPARE, 0)} connections are served at a time"
    return warn(
        "descriptors",
        saw,
        f"ulimit -n {max(65536, enough)}, or LimitNOFILE={max(65536, enough)} for systemd; "
        "or a --limit-connections that fits.",
    )


def backlog(wanted: int, somaxconn: Path = SOMAXCONN) -> Iterator[Finding]:
    """Args: wanted: `--backlog`."""
    try:
        least = int(somaxconn.read_text())
    except (OSError, ValueError):
        return
    if least >= wanted:
        yield ok("backlog", f"{wanted} connections may wait to be accepted")
    else:
        yield warn(
            "backlog",
            f"the kernel lets {least} connections wait, and not the {wanted} of --backlog",
            f"sysctl -w net.core.somaxconn={wanted}",
        )


def cores(workers: int | None) -> Finding:
    """Args: workers: None for one process without a supervisor."""
    there = usable_cores()
    words = f"{there} core{'s'[: there > 1]} for this process"
    if workers is not None and workers > 2 * there:
        return warn(
            "cores",
            f"{workers} workers share {words.removesuffix(' for this process')}",
            "--workers auto takes one for each core.",
        )
    return ok("cores", words)


def memory(worker_bytes: int, workers: int, mount: Path = CGROUPS) -> Iterator[Finding]:
    """Args: worker_bytes: what a process holds once the application is imported; 0 if unknown."""
    limit = memory_limit(mount)
    if limit is None:
        return
    saw = f"at most {_mib(limit)} for the control group"
    if worker_bytes * workers > limit * 0.8:
        yield warn(
            "memory",
            f"{saw}; {workers} x {_mib(worker_bytes)} are taken before the first request",
            "Fewer --workers, --preload, or a larger limit.",
        )
    else:
        yield ok("memory", saw)


def memory_limit(mount: Path = CGROUPS, of: Path = Path("/proc/self")) -> int | None:
    """Bytes that the control group of this process may hold; None for any."""
    try:
        groups = [line.split(":", 2)[2] for line in (of / "cgroup").read_text().splitlines()]
    except (OSError, IndexError):
        groups = ["/"]
    found = []
    for group in groups:
        for folder in group_folders(mount, group):
            found += _number(folder / "memory.max")
        for folder in group_folders(mount / "memory", group):
            found += _number(folder / "memory.limit_in_bytes")
    return min(found, default=None)


def _number(path: Path) -> list[int]:
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return []
    # Of version 1 "any" is the largest number of pages that a long has.
    return [int(text)] if text.isdecimal() and int(text) < 1 << 60 else []


def _mib(size: int) -> str:
    mib = max(1, round(size / (1 << 20)))
    return write_size(mib << 20)


def user(uid: int | None = None) -> Iterator[Finding]:
    if (os.geteuid() if uid is None else uid) == 0:
        yield warn(
            "user",
            "this is root: whoever breaks into the application has the machine",
            "Serve as a user of its own; a proxy, systemd or a capability takes care of port 80.",
        )
