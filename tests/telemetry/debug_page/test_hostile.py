"""Exceptions that are as odd as they can be still have a page, and in time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from photon.http.errors import HTTPError
from photon.telemetry.debug_page.answer import debug_response
from tests.app.requests import make_request


class StrFails(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class StrLies(Exception):
    __str__: Any = int


class Odd(Exception):
    __notes__ = "not a list"  # type: ignore[assignment]


class NamedBadly(Exception):
    pass


NamedBadly.__qualname__ = "</h1><script>alert(1)</script>"
NamedBadly.__module__ = "<b>"


def raise_it(error: BaseException) -> None:
    raise error


def a_loop() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    raise first


def a_deep_group() -> None:
    error: Exception = ValueError("innermost")
    for _ in range(500):
        error = ExceptionGroup("group", [error])
    raise error


def a_wide_group() -> None:
    raise ExceptionGroup("group", [ValueError(str(number)) for number in range(5000)])


def a_long_chain() -> None:
    error: Exception = ValueError("first")
    for number in range(2000):
        following = ValueError(str(number))
        following.__context__ = error
        error = following
    raise error


def many_variables() -> None:
    scope: dict[str, Any] = {}
    names = "; ".join(f"name_{number} = 'x' * 10_000" for number in range(1000))
    exec(f"def work():\n  {names}\n  raise ValueError('many')", scope)
    scope["work"]()


def slow_variables() -> None:
    class Slow:
        def __repr__(self) -> str:
            number = 0
            while True:
                number += 1

    slow = [Slow() for _ in range(100)]
    a, b, c, d = (Slow() for _ in range(4))
    del a, b, c, d
    raise ValueError(len(slow))


def a_syntax_error() -> None:
    compile("x = = '" + "<script>" * 10_000, "<script>alert(1)</script>", "exec")


def a_huge_message() -> None:
    raise ValueError("<script>" * 1_000_000)


def surrogates() -> None:
    raise ValueError("\ud800 \x00 \u202e")


def without_a_source() -> None:
    exec(compile("raise ValueError('no source')", "/nowhere/<img src=x>.py", "exec"), {})


def a_long_line() -> None:
    exec("raise ValueError(" + "'x' +" * 2000 + "'')", {})


def half_of_it() -> None:
    error = ValueError("x")
    error.__traceback__ = None
    raise error


CASES: list[Callable[[], object]] = [
    lambda: raise_it(StrFails()),
    lambda: raise_it(StrLies()),
    lambda: raise_it(Odd()),
    lambda: raise_it(NamedBadly("x")),
    lambda: raise_it(KeyError()),
    lambda: raise_it(UnicodeDecodeError("utf-8", b"\xff" * 10**6, 0, 1, "bad")),
    lambda: raise_it(KeyboardInterrupt()),
    lambda: sys.exit("</pre><script>"),
    *(a_loop, a_deep_group, a_wide_group, a_long_chain, many_variables, slow_variables),
    *(a_syntax_error, a_huge_message, surrogates, without_a_source, a_long_line, half_of_it),
]


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_any_exception_has_a_page(
    case: Callable[[], object], accept: str, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        case()
    except BaseException as error:
        cause = error
    began = time.process_time()
    response = debug_response(
        make_request("GET", "/</title><script>", accept=accept),
        cause,
        HTTPError(500, "failed"),
        routes=tuple,
        mounts=tuple,
    )
    took_s = time.process_time() - began
    assert "the debug page failed" not in caplog.text
    text = response.body.decode()
    assert ("debug" in text) or accept == "text/html"
    assert len(text) < 250_000
    assert took_s < 5  # a bound on what is quadratic, not on how fast this machine is
    if accept == "text/html":
        assert text.count("<script") == 1
        assert "<img" not in text
