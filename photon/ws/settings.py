"""What can be set of WebSockets: each option declared once, here, with its unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import Meta

from photon.runtime.settings import Settings
from photon.ws.elsewhere import OF_SETTINGS

Seconds = Annotated[float, Meta(gt=0)]
Bytes = Annotated[int, Meta(gt=0)]
WindowBits = Annotated[int, Meta(ge=9, le=15)]


class WebSocketLimits(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a client may send. Beyond it the WebSocket is closed with 1009.

    A text message as a `str` may take four times its bytes: Python gives every character the room
    that the widest one needs.
    """

    elsewhere: ClassVar[Mapping[str, str]] = OF_SETTINGS

    message_bytes: Annotated[
        Bytes, Meta(description="a message, all fragments together and inflated, in bytes")
    ] = 1024 * 1024
    frame_bytes: Annotated[
        Bytes, Meta(description="the payload of one frame as it comes, in bytes")
    ] = 1024 * 1024
    # Fragments take no memory of their own here, but a message of endless empty ones would be work
    # that never comes to an end. Autobahn's case 9.3.1 sends 4 MiB in 65,536 and an empty last.
    message_frames: Annotated[int, Meta(gt=0, description="fragments of a message")] = 100_000


class Deflate(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Compression of messages (permessage-deflate, RFC 7692): what is wished, or was agreed on.

    It costs memory for as long as a connection lives: once it compressed, 6 KB and
    2^(server_window_bits + 2) + 2^(memory_level + 9) bytes; once it inflated, 8 KB and
    2^client_window_bits bytes. That is 50 KB a connection with these defaults (which are those of
    the websockets library), 300 KB with 15, 15 and 8 (those of zlib), 17 KB with 9, 9 and 1, and
    nothing between two messages when neither side keeps its context. But then messages that are
    alike, as JSON often is, shrink far less: ten bytes become a hundred.

    A client that does not let us choose its window (it offers no `client_max_window_bits`) gets
    one of 15 bits; all browsers do let us.
    """

    server_window_bits: Annotated[
        WindowBits, Meta(description="how far back what we send refers, as a power of two")
    ] = 12
    client_window_bits: Annotated[
        WindowBits, Meta(description="how far back what we receive refers, as a power of two")
    ] = 12
    server_keeps_context: Annotated[
        bool, Meta(description="messages that we send may refer to those before")
    ] = True
    client_keeps_context: Annotated[
        bool, Meta(description="messages that we receive may refer to those before")
    ] = True
    memory_level: Annotated[
        int, Meta(ge=1, le=9, description="memory for compressing, as zlib's memLevel")
    ] = 5
    level: Annotated[int, Meta(ge=1, le=9, description="effort: 1 is fast, 9 is small")] = 6
    smallest_bytes: Annotated[
        int, Meta(ge=0, description="shorter messages are sent as they are, in bytes")
    ] = 128


class WebSocketSettings(WebSocketLimits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it.

    Attributes: deflate: None for no compression.
    """

    ping_interval_s: Annotated[
        float, Meta(ge=0, description="a client is silent before it is pinged; 0 for never")
    ] = 20.0
    ping_timeout_s: Annotated[Seconds, Meta(description="a client may take to answer a ping")] = (
        20.0
    )
    close_timeout_s: Annotated[
        Seconds, Meta(description="a client may take to answer a close frame")
    ] = 5.0
    deflate: Deflate | None = None
