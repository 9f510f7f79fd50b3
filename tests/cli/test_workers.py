"""How many workers there are to be."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

from photon.cli.workers import (
    MOST_WORKERS,
    WorkersType,
    allowed_cores,
    cpu_quota,
    usable_cores,
)


def groups(tmp_path: Path, of: str, **files: str) -> tuple[Path, Path]:
    """A tree of control groups. Args: of: what /proc/self/cgroup says; files: by their path."""
    process = tmp_path / "self"
    process.mkdir()
    (process / "cgroup").write_text(of)
    for name, text in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "groups", process


def test_a_number_is_a_number() -> None:
    assert WorkersType().convert("4", None, None) == 4
    assert WorkersType().convert(4, None, None) == 4


@pytest.mark.parametrize("text", ["auto", "AUTO", " auto "])
def test_auto_is_the_cores_there_are(text: str) -> None:
    assert WorkersType().convert(text, None, None) == usable_cores()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("many", "'many' is no number of workers; write one, or auto"),
        ("1.5", "is no number of workers"),
        ("", "'' is no number of workers"),
        ("0", "'0': there can be 1 to"),
        ("-2", "there can be 1 to"),
        (str(MOST_WORKERS + 1), "there can be 1 to"),
        ("9" * 5000, "is no number of workers"),
    ],
)
def test_what_is_no_number_of_workers(text: str, told: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        WorkersType().convert(text, None, None)
    assert told in caught.value.message


def test_affinity_is_obeyed() -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert (allowed_cores(), usable_cores()) == (1, 1)
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("of", "files", "quota"),
    [
        ("0::/\n", {}, None),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "50000 100000"}, 0.5),
        ("0::/a/b\n", {"a/b/cpu.max": "200000 100000", "a/cpu.max": "300000 100000"}, 2),
        ("0::/docker/of-the-host\n", {"cpu.max": "200000 100000"}, 2),
        ("0::/../../above\n", {"cpu.max": "200000 100000"}, 2),
        ("0::/\n", {"cpu.max": "nonsense"}, None),
        ("0::/\n", {"cpu.max": "0 0"}, None),
        ("", {"cpu.max": ""}, None),
        ("nonsense\n", {}, None),
        (
            "4:cpu,cpuacct:/x\n0::/\n",
            {"cpu/x/cpu.cfs_quota_us": "250000", "cpu/x/cpu.cfs_period_us": "100000"},
            2.5,
        ),
        (
            "4:cpu,cpuacct:/x\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "-1", "cpu,cpuacct/cpu.cfs_period_us": "100000"},
            None,
        ),
    ],
)
def test_the_quota_of_the_control_group(
    of: str, files: dict[str, str], quota: float | None, tmp_path: Path
) -> None:
    assert cpu_quota(*groups(tmp_path, of, **files)) == quota


@pytest.mark.parametrize(("quota", "workers"), [(20_000, 1), (100_000, 1), (6_400_000, None)])
def test_auto_is_the_less_of_both(quota: int, workers: int | None, tmp_path: Path) -> None:
    where = groups(tmp_path, "0::/\n", **{"cpu.max": f"{quota} 100000"})
    assert usable_cores(*where) == (workers or allowed_cores())


def test_a_part_of_a_core_is_a_worker(tmp_path: Path) -> None:
    where = groups(tmp_path, "0::/\n", **{"cpu.max": "110000 100000"})
    assert usable_cores(*where) == min(2, allowed_cores())
