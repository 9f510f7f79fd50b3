"""Text as wide as the terminal."""

from __future__ import annotations

import io
import sys

import pytest

from photon.cli.paper import (
    bold,
    columns_there,
    has_colours,
    in_columns,
    printable,
    say,
    widths_of,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_piped_has_any_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.delenv("COLUMNS", raising=False)
    assert columns_there() is None
    monkeypatch.setenv("COLUMNS", "90")
    assert columns_there() == 90
    monkeypatch.setenv("COLUMNS", "wide")
    assert columns_there() is None


def test_a_terminal_has_a_least_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "7")
    assert columns_there() == 40


def test_only_a_terminal_that_wants_them_has_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert has_colours()
    assert bold("a") != "a"
    monkeypatch.setenv("NO_COLOR", "1")
    assert bold("a") == "a"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not has_colours()


def test_a_terminal_that_knows_ascii_alone_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    say(["└─ a → b…", "café"])
    sys.stdout.flush()
    assert written.getvalue() == b"`- a -> b...\ncaf\\xe9\n"


def test_nothing_printed_controls_the_terminal() -> None:
    assert printable("/a\x1b[2J\u202e\udc80é") == "/a\\x1b[2J\\u202e\\udc80é"


def test_columns_are_as_wide_as_their_cells() -> None:
    assert in_columns([("a", "bbb", "c"), ("aa", "b")]) == ["a   bbb  c", "aa  b"]
    assert widths_of([("a",), ("", "bb")]) == [1, 2]
