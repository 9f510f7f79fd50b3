"""The name that a TLS client asks for, read before OpenSSL sees a byte.

OpenSSL would tell a callback of it. But Python decodes the name before it calls, and prints a
traceback for each one that is not ASCII, which is whatever a stranger likes to send; and gevent's
callback wants sockets of its own.

Source: RFC 8446 §4.1.2 and §5.1; RFC 6066 §3.
"""

from __future__ import annotations

_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0


def asked_name(data: bytes) -> str | None:
    """The host name in a ClientHello, lower-case; None as long as it is not complete.

    "" when there is none, or what came is no ClientHello: OpenSSL finds that out by itself.

    Args: data: all that came from the client.
    """
    hello = _first_message(data)
    if hello is None:
        return None
    try:
        return _name_in(_Reader(hello))
    except (IndexError, UnicodeDecodeError):
        return ""


def _first_message(data: bytes) -> bytes | None:
    """The first handshake message, which may be spread over records; None if it is cut off."""
    message = b""
    start = 0
    while True:
        if len(data) < start + 5:
            return None
        end = start + 5 + int.from_bytes(data[start + 3 : start + 5], "big")
        if data[start] != _HANDSHAKE or end == start + 5:
            return b""
        message += data[start + 5 : end]
        if len(message) >= 4:
            whole = 4 + int.from_bytes(message[1:4], "big")
            if message[0] != _CLIENT_HELLO or len(message) >= whole:
                return message[:whole]
        if len(data) < end:
            return None
        start = end


def _name_in(hello: _Reader) -> str:
    if hello.take(1)[0] != _CLIENT_HELLO:
        return ""
    hello.take(3 + 2 + 32)  # length, version, random
    hello.vector(1)  # session
    hello.vector(2)  # cipher suites
    hello.vector(1)  # compression
    extensions = _Reader(hello.vector(2))
    while extensions.has_more:
        kind = int.from_bytes(extensions.take(2), "big")
        content = extensions.vector(2)
        if kind == _SERVER_NAME:
            names = _Reader(_Reader(content).vector(2))
            while names.has_more:
                is_host = names.take(1)[0] == _HOST_NAME
                name = names.vector(2)
                if is_host:
                    return name.decode("ascii").rstrip(".").lower()
    return ""


class _Reader:
    """Takes fields off bytes, one after the other.   Raises: IndexError, when there are no more."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def has_more(self) -> bool:
        return self._at < len(self._data)

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise IndexError
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def vector(self, size: int) -> bytes:
        """What is preceded by its length, in `size` bytes."""
        return self.take(int.from_bytes(self.take(size), "big"))
