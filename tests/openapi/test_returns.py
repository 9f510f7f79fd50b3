from __future__ import annotations

import enum
import inspect
from collections.abc import Generator, Iterable, Iterator
from typing import Annotated, Any, Literal, Optional

import pytest
from msgspec import Meta, Struct

from photon.http.response import Response, StreamResponse
from photon.openapi.returns import Returned, read_returns


class Item(Struct):
    x: int


class Gone(Struct):
    since: int


class Word(enum.StrEnum):
    A = "a"


class Events(StreamResponse):
    media_type = "text/event-stream; charset=utf-8"


NOTHING = Returned(None, "nothing")
UNKNOWN = Returned(None, "unknown")
BYTES = Returned(None, "raw", None, "application/octet-stream")


def text(type_: Any) -> Returned:
    return Returned(None, "raw", type_, "text/plain")


def data(type_: Any, status: int | None = None) -> Returned:
    return Returned(status, "data", type_)


LENGTHY = Annotated[str, Meta(min_length=1)]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (None, [NOTHING]),
        (type(None), [NOTHING]),
        (inspect.Signature.empty, [UNKNOWN]),
        (Any, [UNKNOWN]),
        (object, [UNKNOWN]),
        (tuple, [UNKNOWN]),
        (Item, [data(Item)]),
        (list[Item], [data(list[Item])]),
        (dict, [data(dict)]),
        (Iterable[int], [data(Iterable[int])]),
        (tuple[Item, ...], [data(tuple[Item, ...])]),
        (Item | None, [data(Item), NOTHING]),
        (Optional[Item], [data(Item), NOTHING]),  # noqa: UP045
        (str, [text(str)]),
        (LENGTHY, [text(LENGTHY)]),
        (Word, [text(Word)]),
        (Literal["a", "b"], [text(Literal["a", "b"])]),
        (Literal["a", 1], [data(Literal["a", 1])]),
        (bytes, [BYTES]),
        (memoryview, [BYTES]),
        (Iterator[bytes], [BYTES]),
        (Generator[str, None, None], [BYTES]),
        (Iterator, [BYTES]),
        (Response, [UNKNOWN]),
        (Events, [Returned(None, "raw", None, "text/event-stream")]),
        (tuple[Item, int], [data(Item)]),
        (tuple[Item, Literal[201]], [data(Item, 201)]),
        (tuple[Item, Literal[200, 201], dict[str, str]], [data(Item, 200), data(Item, 201)]),
        (tuple[Item | None, Literal[201]], [data(Item, 201), Returned(201, "nothing")]),
        (Item | tuple[Gone, Literal[410]], [data(Item), data(Gone, 410)]),
        (Item | Response, [data(Item), UNKNOWN]),
    ],
    ids=str,
)
def test_what_an_annotation_says(annotation: Any, expected: list[Returned]) -> None:
    assert read_returns(annotation) == expected


@pytest.mark.parametrize("odd", ["Item", tuple[()], tuple[int], 5, Literal[()]])
def test_odd_annotations_are_left_to_the_schemas(odd: Any) -> None:
    assert read_returns(odd)
