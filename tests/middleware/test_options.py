"""What is wrong with an option is told when it is given."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import photon.middleware
from photon.middleware.options import (
    called_elsewhere,
    checked_fields,
    checked_flag,
    checked_number,
    checked_paths,
    checked_strings,
    shown_options,
)


@called_elsewhere(allow_origins="origins")
class Example:
    def __init__(self, hosts: list[str], *, origins: str = "") -> None:
        self.given = (hosts, origins)


def test_what_others_call_an_option_is_told() -> None:
    make: Any = Example
    with pytest.raises(TypeError, match=r"has no option 'allow_origins': here it is origins$"):
        make([], allow_origins=[])
    with pytest.raises(TypeError, match=r"Example has no option 'host'; did you mean hosts\?"):
        make(host=[])
    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'hosts'"):
        make()
    assert Example(["a"], origins="b").given == (["a"], "b")
    assert list(inspect.signature(Example).parameters) == ["hosts", "origins"]


@pytest.mark.parametrize("name", photon.middleware.__all__)
def test_each_of_them_tells_it(name: str) -> None:
    cls = getattr(photon.middleware, name)
    with pytest.raises(TypeError, match=f"{name} has no option 'zzz'; there are "):
        cls(zzz=1)


def test_strings() -> None:
    assert checked_strings("X", "names", ["a", "b"]) == ("a", "b")
    assert checked_strings("X", "names", iter(["a"])) == ("a",)
    with pytest.raises(TypeError, match=r"X\(names='ab'\): give a list, as in names=\['ab'\]"):
        checked_strings("X", "names", "ab")
    for wrong in (3, [1], None):
        with pytest.raises(TypeError, match="give a list of strings"):
            checked_strings("X", "names", wrong)  # type: ignore[arg-type]


def test_numbers() -> None:
    assert checked_number("X", "size", 3) == 3
    with pytest.raises(ValueError, match=r"X\(size=-1\): give 0 or more"):
        checked_number("X", "size", -1)
    for wrong in ("3", 1.5, True, None):
        with pytest.raises(TypeError, match="give a whole number"):
            checked_number("X", "size", wrong)


def test_flags_are_not_words() -> None:
    assert checked_flag("X", "on", True)
    with pytest.raises(TypeError, match=r"X\(on='false'\): give True or False"):
        checked_flag("X", "on", "false")


def test_paths() -> None:
    assert checked_paths("X", "exempt", ["/a"]) == ("/a",)
    with pytest.raises(ValueError, match="'a/b' begins no path; write '/a/b'"):
        checked_paths("X", "exempt", ["a/b"])


def test_fields() -> None:
    assert checked_fields("X", {"A-B": "c "}) == (("a-b", "c"),)
    with pytest.raises(ValueError, match=r"X\(\.\.\.\): .*line break"):
        checked_fields("X", {"a": "b\r\nc: d"})


def test_a_call_is_shown() -> None:
    class Some: ...

    assert shown_options(Some(), {"a": 1, "b": ["c"]}) == "Some(a=1, b=['c'])"
