"""What a deployment is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from photon.cli.deployment.plan import (
    DeployedWorkers,
    Plan,
    checked_name,
    checked_plain,
    health_of,
    name_for,
)


def plan(**values: Any) -> Plan:
    given = {
        "target": "app:app",
        "name": "shop",
        "folder": "/srv/shop",
        "host": "127.0.0.1",
        "port": 8000,
        "uds": "",
        "workers": "auto",
        "health": "8081",
        "drain_s": 30.0,
        "cleanup_s": 5.0,
        "tasks_s": 13.0,
        "idle_s": 75.0,
        "handler_s": 30.0,
        "body_bytes": 16 * 1024**2,
    }
    return Plan(**{**given, **values})


def test_the_end_takes_what_all_its_parts_may_take() -> None:
    assert plan().stop_s == 30 + 5 + 13 + 5
    assert plan(drain_s=0.2, cleanup_s=0.2, tasks_s=0.0).stop_s == 1 + 5


@pytest.mark.parametrize(
    ("size", "expected"),
    [(16 * 1024**2, "16m"), (1024**3, "1024m"), (64 * 1024, "64k"), (1000, "1000")],
)
def test_sizes_of_nginx(size: int, expected: str) -> None:
    assert plan(body_bytes=size).size == expected


def test_only_what_differs_is_a_flag() -> None:
    assert plan().flags == ["--workers", "auto", "--health-port", "8081"]
    changed = plan(
        drain_s=0.5, body_bytes=1000, factory=True, health="0.0.0.0:8081", control="/run/c"
    )
    assert changed.flags == [
        *("--factory", "--workers", "auto", "--health-port", "0.0.0.0:8081"),
        *("--control", "/run/c", "--timeout-drain", "500ms", "--limit-body-bytes", "1000"),
    ]


@pytest.mark.parametrize(
    ("target", "folder", "expected"),
    [
        ("shop.main:app", "work", "shop"),
        ("My_Shop:app", "work", "my-shop"),
        ("app:app", "Web Shop", "web-shop"),
        ("app:app", "3d", "photon-app"),
        ("main:app", "src", "photon-app"),
        ("app:app", "a" * 40, "a" * 32),
    ],
)
def test_names(target: str, folder: str, expected: str) -> None:
    assert name_for(target, Path("/srv") / folder) == expected
    assert checked_name(expected) == expected


@pytest.mark.parametrize("name", ["Shop", "3d", "a b", "-a", "a-", "a" * 33, "a\nb", "$(x)"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(click.BadParameter, match="up to 32 characters"):
        checked_name(name)


@pytest.mark.parametrize("text", ["a b", "a;b", "a\nb", '"', "$HOME", "%h", "{", "ä"])
def test_what_would_need_quotes(text: str) -> None:
    with pytest.raises(click.BadParameter, match="can stand in all of the files"):
        checked_plain(text)


@pytest.mark.parametrize("text", ["0", "1025", "many", "-1", "²"])
def test_workers_that_are_no_number(text: str) -> None:
    with pytest.raises(click.BadParameter, match="a number from 1 to 1024, or auto"):
        DeployedWorkers().convert(text, None, None)


def test_where_health_is_told() -> None:
    assert health_of("8081", for_all=False) == "8081"
    assert health_of("8081", for_all=True) == "0.0.0.0:8081"
    assert health_of("10.0.0.1:8081", for_all=True) == "10.0.0.1:8081"
    assert plan(health="[::]:8081").health_port == 8081
    for text in ("", "health", "0", "65536", "8081:", "²"):
        with pytest.raises(click.BadParameter, match="it is written 8081"):
            health_of(text, for_all=False)
