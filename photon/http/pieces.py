"""Items on their way to a `StreamResponse`: each becomes bytes when the server asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from photon.http.headers import Pairs, ResponseHeaders
from photon.http.response import HeaderSource


class Pieces(Iterator[bytes]):
    """What an iterable gives, item by item as bytes.

    Args:
        items: anything to go through but text, bytes and mappings, which are one item each.
        encode: makes bytes of one.
    Raises: TypeError, when `items` is nothing to go through.
    """

    def __init__(self, items: Iterable[Any], encode: Callable[[Any], bytes]) -> None:
        self._items = checked(items)
        self._encode = encode
        self._iterator = iter(items)

    def __next__(self) -> bytes:
        return self._encode(next(self._iterator))

    def close(self) -> None:
        """Close what the items come from, if it can be closed."""
        for each in {id(it): it for it in (self._iterator, self._items)}.values():
            close = getattr(each, "close", None)
            if close is not None:
                close()


def checked(items: Iterable[Any]) -> Iterable[Any]:
    """`items`, if one can go through them.   Raises: TypeError."""
    if isinstance(items, (str, bytes, bytearray, dict)) or not hasattr(items, "__iter__"):
        raise TypeError(
            f"a stream goes through items, and a {type(items).__name__} is one: "
            "give a generator, or a list with that one item"
        )
    return items


def with_defaults(headers: HeaderSource | None, defaults: dict[str, str]) -> Pairs:
    """The user's headers, and those of `defaults` that are not among them."""
    fields = ResponseHeaders(headers or ())
    for name, value in defaults.items():
        fields.setdefault(name, value)
    return fields
