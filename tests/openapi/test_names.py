from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

import msgspec
import pytest

from photon.openapi.names import name_all, plain_name

T = TypeVar("T")
S = TypeVar("S")


class Two(msgspec.Struct, Generic[T, S]):
    a: T
    b: S


def struct(name: str, module: str = "shop") -> Any:
    return msgspec.defstruct(name, [], module=module)


def test_a_name_of_its_own() -> None:
    item, two = struct("Item"), Two[int, list[str]]
    assert name_all([item, two]) == {item: "Item", two: "Two_int_list_str"}


def test_arguments() -> None:
    either, noted = Two[int | None, str], Two[Annotated[int, "x"], str]
    assert list(name_all([either, noted]).values()) == ["Two_int_or_NoneType_str", "Two_int_str"]


def test_one_that_looks_like_a_generic_one() -> None:
    generic, plain = Two[int, str], struct("Two_int_str")
    names = name_all([generic, plain])
    assert names == {generic: f"{__name__}.Two_int_str", plain: "shop.Two_int_str"}


def test_a_full_name_that_is_taken() -> None:
    a, b, taken = struct("Item", "a"), struct("Item", "b"), struct("a.Item", "c")
    assert name_all([a, b, taken]) == {a: "a.Item_2", b: "b.Item", taken: "a.Item"}


@pytest.mark.parametrize(
    ("text", "name"),
    [("Page[int]", "Page_int"), ("a.b-c_d", "a.b-c_d"), ("/x/{id}", "x_id"), ("ü", "_"), ("", "_")],
)
def test_texts_as_names(text: str, name: str) -> None:
    assert plain_name(text) == name
