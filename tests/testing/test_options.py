"""What may be said of a request, and what is told to who says something else."""

from __future__ import annotations

from typing import Any

import pytest

from photon.testing.options import check_opening, check_options

CHECKS = {"request": check_options, "WebSocket": check_opening}


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("request", {"body": b""}, "a request has no 'body': here it is content"),
        ("request", {"stream": True}, r"here it is the method stream\(\), in a with block"),
        ("request", {"jsn": 1}, "here it is json"),
        ("request", {"colour": 1}, "a request has no 'colour': it has params, json, "),
        ("WebSocket", {"timeout": 1}, "a WebSocket has no 'timeout': here it is timeout_s"),
        ("WebSocket", {"compression": None}, "here it is deflate"),
        ("WebSocket", {"colour": 1}, "a WebSocket has no 'colour': it has params, headers, "),
        ("WebSocket", {"subprotocols": "a"}, r"a list, as in \['a'\]"),
    ],
)
def test_a_name_that_there_is_not(kind: str, options: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        CHECKS[kind](options)


@pytest.mark.parametrize("kind", CHECKS)
@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_time_out_that_is_none(kind: str, seconds: float) -> None:
    with pytest.raises(ValueError, match="it is a number of seconds above 0"):
        CHECKS[kind]({"timeout_s": seconds})


def test_what_is_in_order() -> None:
    check_options({"json": 1, "timeout_s": 0.1, "headers": None})
    check_opening({"subprotocols": ["a"], "origin": None, "deflate": True, "timeout_s": None})
