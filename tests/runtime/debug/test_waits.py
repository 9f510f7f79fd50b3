"""What is waited for, as the functions of libraries tell it."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from photon.runtime.debug.waits import WAITS, _without_values, waiting_for


def frame_in(path: str, function: str, inner: Callable[[], FrameType]) -> FrameType:
    """A frame in a function of a file that there is not."""
    code = compile(f"def {function}(inner):\n    query = QUERY\n    return inner()\n", path, "exec")
    names: dict[str, Any] = {"QUERY": "SELECT * FROM users WHERE name = 'O''Hara' AND id = 7"}
    exec(code, names)
    frame: FrameType = names[function](inner)
    return frame


def here() -> FrameType:
    return sys._getframe(1)


LIBRARIES = sysconfig.get_path("purelib") + "/"


@pytest.mark.parametrize(
    ("path", "function", "told"),
    [
        ("redis/connection.py", "read_response", "Redis"),
        ("requests/sessions.py", "get", "an HTTP response (requests)"),
        ("sqlalchemy/engine/base.py", "execute", "the database (sqlalchemy)"),
        ("psycopg/waiting.py", "wait", "the database (psycopg)"),
        (
            "psycopg/cursor.py",
            "execute",
            "the database (psycopg): SELECT * FROM users WHERE name = ? AND id = ?",
        ),
    ],
)
def test_well_known_libraries(path: str, function: str, told: str) -> None:
    frame = frame_in(LIBRARIES + path, function, here)
    assert waiting_for(frame).what == told


def test_a_library_nobody_knows_is_told_by_its_line() -> None:
    frame = frame_in(LIBRARIES + "shoplib/net.py", "fetch", here)
    assert waiting_for(frame).what == "something"


def test_the_users_own_frames_end_the_search() -> None:
    """A library that calls the user's function does not hide what that waits for."""

    def users() -> FrameType:
        return sys._getframe()

    frame = frame_in(LIBRARIES + "redis/client.py", "transaction", users)
    assert waiting_for(frame).what == "`return sys._getframe()`"


def test_nothing_has_no_frame() -> None:
    assert waiting_for(None).what == ""


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT 1", "SELECT ?"),
        (b"INSERT INTO t\n VALUES ('it''s', 12)", "INSERT INTO t VALUES (?, ?)"),
        ("x" * 300, "x" * 100 + "..."),
        ("'" * 5000, "?"),
        (None, "None"),
    ],
)
def test_queries_without_values(query: object, told: str) -> None:
    assert _without_values(query) == told


@pytest.mark.parametrize("key", sorted(WAITS))
def test_each_sentence_survives_locals_that_are_not_what_they_were(key: tuple[str, str]) -> None:
    def inside() -> FrameType:
        return frame_in(f"/site-packages/{key[0]}", "within", here)

    waiting_for(frame_in(f"/site-packages/{key[0]}", key[1], inside))
