"""What members say of themselves: JSON outside, values of a type inside."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from photon.ws.info import InfoForm


class Person(msgspec.Struct):
    name: str
    born: date | None = None


@pytest.mark.parametrize(
    ("info", "plain"),
    [
        (None, None),
        ({"name": "Ada", "n": 1}, {"name": "Ada", "n": 1}),
        (Person("Ada", date(1815, 12, 10)), {"name": "Ada", "born": "1815-12-10"}),
        ({1: (2, 3)}, {"1": [2, 3]}),
        ({"n": 1 << 70}, {"n": 1 << 70}),
    ],
)
def test_without_a_type_it_is_as_json_has_it(info: Any, plain: Any) -> None:
    form = InfoForm[Any]()
    assert form.read(form.write(info), "a.1") == plain


@pytest.mark.parametrize(
    ("kind", "info"),
    [
        (Person, Person("Ada", date(1815, 12, 10))),
        (Person | None, None),
        (dict[int, bytes], {1: b"\x00\xff"}),
        (tuple[Decimal, frozenset[str]], (Decimal("1.10"), frozenset("ab"))),
    ],
)
def test_with_a_type_it_comes_out_as_it_went_in(kind: Any, info: Any) -> None:
    form = InfoForm[Any](kind)
    assert form.read(form.write(info), "a.1") == info


def test_what_fits_the_type_is_of_it() -> None:
    form = InfoForm[Person](Person)
    assert form.read(form.write({"name": "Ada"}), "a.1") == Person("Ada")


def test_who_changes_what_he_read_changes_nothing() -> None:
    form = InfoForm[Any]()
    told = form.write({"name": "Ada"})
    form.read(told, "a.1")["name"] = "Bob"
    assert form.read(told, "a.1") == {"name": "Ada"}


@pytest.mark.parametrize(
    ("info", "says"),
    [
        ({"socket": object()}, "info= is told to others as JSON, .* an object of the type object"),
        ("\ud800", "info= is told to others as JSON"),
        (Person, r"info= is the class Person, and not a value of it: write Person\(\.\.\.\)"),
        ({"who": Person}, "it holds a class, and not a value of it"),
        ("x" * 9000, "has 9002 bytes; 8192 are allowed: name the member"),
    ],
)
def test_what_cannot_be_told(info: object, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        InfoForm[Any]().write(info)


@pytest.mark.parametrize(
    ("info", "says"),
    [
        (
            {"name": 7},
            r"info= is not of the type Person, as Rooms\(info_type=\.\.\.\) says: .*name",
        ),
        (None, r"info= is missing: .* of the type Person"),
        ("Ada", "not of the type Person"),
    ],
)
def test_what_is_not_of_the_type(info: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        InfoForm[Person](Person).write(info)


@pytest.mark.parametrize("told", [b'{"nom":"Ada"}', b"", b"[", b'"\xff"', b"[" * 100_000])
def test_what_another_process_tells_in_another_way(told: bytes) -> None:
    with pytest.raises(ValueError, match=r"the member b\.1 of another process .* needs a default"):
        InfoForm[Person](Person).read(told, "b.1")


def test_a_type_that_json_cannot_be_read_as() -> None:
    for kind in (Person("Ada"), len, int | str | date | bytes):
        with pytest.raises(TypeError, match="info_type= is a type that JSON can be read as"):
            InfoForm[Any](kind)
    assert repr(InfoForm[Any](Person)) == "<InfoForm Person>"
