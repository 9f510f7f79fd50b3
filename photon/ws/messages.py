"""The messages of a WebSocket as values of a type, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from photon.ws.errors import InvalidMessage, WebSocketClosed
from photon.ws.typed import Decode, decoder_of, read_json

T = TypeVar("T")

OnInvalid = Callable[[InvalidMessage], object]


class Receiving(Protocol):
    """What a WebSocket has for this."""

    def receive(self) -> str | bytes: ...


class Messages(Generic[T]):
    """An iterator that ends when the WebSocket is closed.

    Args:
        type: any that msgspec knows.
        on_invalid: is called for messages that are not of the type; None to raise InvalidMessage,
            after which the next message may still be asked for.
    Raises: TypeError, at once, for a type or a function that cannot be one.
    """

    __slots__ = ("_decode", "_on_invalid", "_type", "_ws")

    def __init__(self, ws: Receiving, type: Any, on_invalid: OnInvalid | None) -> None:
        if on_invalid is not None and not callable(on_invalid):
            raise TypeError(
                f"on_invalid= is a function(error) that is called for a bad message, not"
                f" {on_invalid!r}: on_invalid=lambda error: ws.send_json(...)"
            )
        self._ws = ws
        self._type = type
        self._decode: Decode = decoder_of(type)
        self._on_invalid = on_invalid

    def __iter__(self) -> Messages[T]:
        return self

    def __next__(self) -> T:
        while True:
            try:
                message = self._ws.receive()
            except WebSocketClosed:
                raise StopIteration from None
            try:
                return self._decode(message)  # type: ignore[no-any-return]
            except (ValueError, RecursionError):
                try:
                    return read_json(message, self._type, self._decode)  # type: ignore[no-any-return]
                except InvalidMessage as error:
                    if self._on_invalid is None:
                        raise
                    self._on_invalid(error)

    def __repr__(self) -> str:
        return f"<messages of {self._ws!r}>"
