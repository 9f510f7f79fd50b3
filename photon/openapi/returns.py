"""What a handler's return annotation says about its responses.

-> Item                                  200 with an Item
-> None                                  204
-> Item | None                           200 with an Item, or 204
-> tuple[Item, int]                      200: the status is the handler's own
-> tuple[Item, Literal[201]]             201
-> Item | tuple[Gone, Literal[410]]      200 or 410
-> Iterator[bytes]                       200, streamed
-> Response                              200, nobody knows with what
"""

from __future__ import annotations

import inspect
from collections.abc import Generator, Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import Struct

from photon.http.response import BYTES, Response

# What values of these become is not a question of the formats that data travels in.
TEXT = "text/plain"
_UNKNOWN = (inspect.Signature.empty, Any, object)


class Returned(Struct, frozen=True):
    """One thing a handler may return.

    Attributes:
        status: None for the one the route has.
        kind: "data" is written in one of the route's formats, "raw" is sent as it is, "nothing"
            has no content, of "unknown" nobody knows.
        type: of data, and of texts.
        media_type: of what is raw.
    """

    status: int | None
    kind: Literal["data", "raw", "nothing", "unknown"]
    type: Any = None
    media_type: str = ""


def read_returns(annotation: Any) -> list[Returned]:
    """All that a return annotation names, in its order."""
    return [_read(member, None) for member in _members(annotation)] + [
        _read(value, status)
        for member in _tuples(annotation)
        for status in _statuses(get_args(member)[1])
        for value in _members(get_args(member)[0], with_tuples=True)
    ]


def _members(annotation: Any, *, with_tuples: bool = False) -> list[Any]:
    members = get_args(annotation) if _is_union(annotation) else (annotation,)
    return [member for member in members if with_tuples or not _is_answer(member)]


def _tuples(annotation: Any) -> list[Any]:
    members = get_args(annotation) if _is_union(annotation) else (annotation,)
    return [member for member in members if _is_answer(member)]


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)


def _is_answer(annotation: Any) -> bool:
    """Whether it is (value, status) or (value, status, headers)."""
    arguments = get_args(annotation) if get_origin(annotation) is tuple else ()
    return len(arguments) in (2, 3) and ... not in arguments


def _statuses(annotation: Any) -> list[int | None]:
    if get_origin(annotation) is Literal:
        return [int(status) for status in get_args(annotation) if isinstance(status, int)]
    return [None]


def _read(annotation: Any, status: int | None) -> Returned:
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    origin = get_origin(bare) or bare
    if origin in (None, NoneType):
        return Returned(status, "nothing")
    if origin in _UNKNOWN or bare is tuple:
        return Returned(status, "unknown")
    if origin is Literal and all(isinstance(value, str) for value in get_args(bare)):
        return Returned(status, "raw", annotation, TEXT)
    if not isinstance(origin, type):
        return Returned(status, "data", annotation)
    if issubclass(origin, Response):
        # Any room's response class may say what it is sent as.
        media_type = getattr(origin, "media_type", None)
        if isinstance(media_type, str):
            return Returned(status, "raw", None, media_type.partition(";")[0].strip())
        return Returned(status, "unknown")
    if issubclass(origin, str):
        return Returned(status, "raw", annotation, TEXT)
    if issubclass(origin, (bytes, bytearray, memoryview)) or origin in (Iterator, Generator):
        return Returned(status, "raw", None, BYTES)
    return Returned(status, "data", annotation)
