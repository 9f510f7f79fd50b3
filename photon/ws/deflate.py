"""permessage-deflate: what is agreed on, compressing, and inflating that never takes too much.

Source: RFC 7692.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from msgspec.structs import replace

from photon.http.errors import HTTPError
from photon.ws.close_codes import INVALID_DATA
from photon.ws.errors import WebSocketProtocolError
from photon.ws.settings import Deflate

NAME = "permessage-deflate"

# Agreeing...

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAMETER = re.compile(rf'\s*;\s*({_TOKEN})(?:\s*=\s*(?:({_TOKEN})|"({_TOKEN})"))?')
_EXTENSION = re.compile(rf"[\s,]*({_TOKEN})")
_NEXT = re.compile(r"\s*(?:,|\Z)")
_BITS = {str(bits): bits for bits in range(8, 16)}

# Its name and parameters, as pairs of a name and a value, None when it has none.
Offer = tuple[str, list[tuple[str, str | None]]]


def agree(offers: str, wished: Deflate) -> tuple[Deflate, str] | None:
    """What both sides can do, and how to tell it to the client; None when it offers nothing of it.

    Args: offers: the value of `Sec-WebSocket-Extensions`.
    Raises: HTTPError 400: it cannot be read.
    """
    for name, parameters in read_offers(offers):
        if name == NAME:
            agreed = _accept(parameters, wished)
            if agreed is not None:
                return agreed
    return None


def read_offers(header: str) -> list[Offer]:
    """What a client offers, in its order of preference.

    Raises: HTTPError 400. RFC 6455 §9.1: "If a value is received by either the client or the
    server during negotiation that does not conform to the ABNF below, the recipient of such
    malformed data MUST immediately _Fail the WebSocket Connection_."
    """
    offers: list[Offer] = []
    at = 0
    while extension := _EXTENSION.match(header, at):
        at = extension.end()
        parameters: list[tuple[str, str | None]] = []
        while parameter := _PARAMETER.match(header, at):
            at = parameter.end()
            parameters.append((parameter[1], parameter[2] or parameter[3]))
        following = _NEXT.match(header, at)
        if following is None:
            break
        at = following.end()
        offers.append((extension[1], parameters))
    if header[at:].strip(" \t,"):
        raise HTTPError(400, "Sec-WebSocket-Extensions is not a list of extensions")
    return offers


def _accept(
    parameters: list[tuple[str, str | None]], wished: Deflate
) -> tuple[Deflate, str] | None:
    """This offer, as far as we go along with it; None to decline it.

    RFC 7692 §7: "A server MUST decline an extension negotiation offer for this extension" with an
    unknown parameter, one with an invalid value, or the same one twice.
    """
    asked = dict(parameters)
    if len(asked) < len(parameters):
        return None
    server_alone = _flag(asked, "server_no_context_takeover")
    client_alone = _flag(asked, "client_no_context_takeover")
    server_bits = _BITS.get(asked.pop("server_max_window_bits", "15") or "")
    can_choose = "client_max_window_bits" in asked
    client_bits = _BITS.get(asked.pop("client_max_window_bits", None) or "15")
    if asked or server_alone is None or client_alone is None:
        return None
    # zlib cannot compress with a window of 8 bits; it inflates what was compressed so with any.
    if server_bits is None or client_bits is None or server_bits == 8:
        return None
    agreed = replace(
        wished,
        server_window_bits=min(wished.server_window_bits, server_bits),
        client_window_bits=max(9, min(wished.client_window_bits, client_bits))
        if can_choose
        else 15,
        server_keeps_context=wished.server_keeps_context and not server_alone,
        client_keeps_context=wished.client_keeps_context and not client_alone,
    )
    return agreed, _answer(agreed, client_bits if can_choose else 8)


def _flag(asked: dict[str, str | None], name: str) -> bool | None:
    """Whether it is asked for; None when it has a value, and may have none."""
    if name not in asked:
        return False
    return True if asked.pop(name) is None else None


def _answer(agreed: Deflate, client_most: int) -> str:
    """The value of the header that says so.   Args: client_most: of its window, in bits."""
    parts = [NAME]
    if not agreed.server_keeps_context:
        parts.append("server_no_context_takeover")
    if not agreed.client_keeps_context:
        parts.append("client_no_context_takeover")
    if agreed.server_window_bits < 15:
        parts.append(f"server_max_window_bits={agreed.server_window_bits}")
    # Only whoever offered it may be told, and nothing above what it offered.
    if agreed.client_window_bits <= client_most and agreed.client_window_bits < 15:
        parts.append(f"client_max_window_bits={agreed.client_window_bits}")
    return "; ".join(parts)


# Compressing and inflating...

_TAIL = b"\x00\x00\xff\xff"  # RFC 7692 §7.2.1: what each message would end with, and does not


class Compressor:
    """Compresses the messages of one connection."""

    __slots__ = ("_deflate", "_zlib")

    def __init__(self, deflate: Deflate) -> None:
        self._deflate = deflate
        self._zlib: zlib._Compress | None = None

    def compress(self, payload: bytes) -> bytes:
        """Args: payload: not empty, which zlib would have nothing to say about."""
        native = self._zlib or self._fresh()
        data = native.compress(payload) + native.flush(zlib.Z_SYNC_FLUSH)
        self._zlib = native if self._deflate.server_keeps_context else None
        return data[: -len(_TAIL)]

    def _fresh(self) -> zlib._Compress:
        wished = self._deflate
        return zlib.compressobj(
            wished.level, zlib.DEFLATED, -wished.server_window_bits, wished.memory_level
        )


class Inflater:
    """Inflates the messages of one connection, a little at a time.

    A kilobyte can say a megabyte. So it is asked for at most 64 KiB at a time, given as they come
    to whoever counts them and may stop: what was not asked for is never made.
    """

    __slots__ = ("_deflate", "_endings", "_zlib")

    _IN_BYTES = 16 * 1024
    _OUT_BYTES = 64 * 1024
    # A message may hold streams that end (some compress each message as a whole one) and are
    # followed by others. Each takes a new decompressor, so that thousands would be hard work.
    _MOST_ENDINGS = 8

    def __init__(self, deflate: Deflate) -> None:
        self._deflate = deflate
        self._zlib: zlib._Decompress | None = None
        self._endings = 0

    def inflate(self, data: bytes) -> Iterator[bytes]:
        """A further piece of a message.   Raises: WebSocketProtocolError 1007."""
        for at in range(0, len(data), self._IN_BYTES):
            yield from self._inflate(data[at : at + self._IN_BYTES])

    def finish(self) -> Iterator[bytes]:
        """What is left of a message, whose end it is.   Raises: WebSocketProtocolError 1007."""
        yield from self._inflate(_TAIL)
        self._endings = 0
        if not self._deflate.client_keeps_context:
            self._zlib = None

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        while data:
            native = self._zlib
            if native is None:
                self._zlib = native = zlib.decompressobj(-self._deflate.client_window_bits)
            try:
                yield native.decompress(data, self._OUT_BYTES)
            except zlib.error as error:
                raise _broken(str(error)) from None
            data = native.unconsumed_tail
            if native.eof:
                data = native.unused_data
                self._zlib = None
                self._endings += 1
                if self._endings > self._MOST_ENDINGS:
                    raise _broken("more than one stream")


def _broken(why: str) -> WebSocketProtocolError:
    return WebSocketProtocolError(INVALID_DATA, f"a message cannot be inflated: {why}")
