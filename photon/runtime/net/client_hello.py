"""The name that a TLS client asks for, read before OpenSSL sees a byte.

OpenSSL would tell a callback of it. But Python decodes the name before it calls, and prints a
traceback for each one that is not ASCII, which is whatever a stranger likes to send; and gevent's
callback wants sockets of its own.

Source: RFC 8446 §4.1.2 and §5.1; RFC 6066 §3.
"""

from __future__ import annotations

_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0


class HelloReader:
    """Finds the host name in a ClientHello that comes in pieces, however small.

    Attributes: data: all that came, for OpenSSL.
    """

    def __init__(self) -> None:
        self.data = bytearray()
        self._at = 0  # where the next record begins
        self._message = bytearray()

    def name(self, data: bytes) -> str | None:
        """Take what came: the name in lower case; None as long as the hello is not complete.

        "" when there is none, or what came is no ClientHello: OpenSSL finds that out by itself.
        """
        self.data += data
        try:
            return _name_in(_Reader(bytes(self._message))) if self._is_complete() else None
        except (IndexError, UnicodeDecodeError):
            return ""

    def _is_complete(self) -> bool:
        """Whether the first handshake message is, which may be spread over records."""
        data, message = self.data, self._message
        # Each record is looked at once, or who sends many small ones would have us read all again.
        while len(data) >= self._at + 5:
            start = self._at + 5
            end = start + int.from_bytes(data[start - 2 : start], "big")
            if data[self._at] != _HANDSHAKE or end == start:
                raise IndexError("this is no handshake")
            if len(data) < end:
                return False
            message += data[start:end]
            self._at = end
            if message[0] != _CLIENT_HELLO:
                raise IndexError("this is no ClientHello")
            if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
                return True
        return False


def _name_in(hello: _Reader) -> str:
    hello.take(1 + 3 + 2 + 32)  # type, length, version, random
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
