"""What the machine lets a server have."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from photon.cli.checks.machine import backlog, cores, descriptors, memory, memory_limit, user
from photon.cli.workers import usable_cores

MANY = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("connections", "limits", "state", "saw"),
    [
        (0, (65536, 65536), "ok", "65536 for a process, and it may ask for 65536"),
        (0, (1024, MANY), "warn", "about 924 connections are served at a time"),
        (0, (MANY, MANY), "ok", "any number"),
        (900, (1024, MANY), "ok", "1024 for a process"),
        (1000, (1024, MANY), "warn", "but --limit-connections lets in 1000"),
    ],
)
def test_descriptors(connections: int, limits: tuple[int, int], state: str, saw: str) -> None:
    finding = descriptors(connections, limits)
    assert finding.state == state
    assert saw in finding.saw
    assert ("ulimit -n 65536" in finding.way_out) == (state == "warn")


@pytest.mark.parametrize(
    ("text", "states"), [("4096\n", ["ok"]), ("128\n", ["warn"]), ("nonsense", [])]
)
def test_backlog(text: str, states: list[str], tmp_path: Path) -> None:
    (tmp_path / "somaxconn").write_text(text)
    assert [each.state for each in backlog(2048, tmp_path / "somaxconn")] == states


def test_more_workers_than_cores_is_a_warning() -> None:
    assert cores(None).state == cores(usable_cores()).state == "ok"
    assert cores(100 * usable_cores()).state == "warn"


def test_memory_is_counted_for_all_workers(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(f"{256 << 20}\n")
    (one,) = memory(50 << 20, 2, tmp_path)
    assert (one.state, one.saw) == ("ok", "at most 256MiB for the control group")
    (many,) = memory(50 << 20, 8, tmp_path)
    assert (many.state, "8 x 50MiB are taken" in many.saw) == ("warn", True)


@pytest.mark.parametrize("text", ["max", "", "nonsense"])
def test_memory_without_a_limit(text: str, tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(text)
    assert list(memory(1, 1, tmp_path)) == []


def test_memory_of_version_1(tmp_path: Path) -> None:
    group = tmp_path / "memory"
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text(str(9223372036854771712))
    assert memory_limit(tmp_path, tmp_path) is None
    (group / "memory.limit_in_bytes").write_text("1048576")
    assert memory_limit(tmp_path, tmp_path) == 1 << 20


def test_root_is_a_warning() -> None:
    assert [each.state for each in user(0)] == ["warn"]
    assert list(user(1000)) == []
