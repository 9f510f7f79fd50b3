"""wsproto, which says what is wrong with a frame.

Photon reads what is plain itself and asks here about all else. A fresh wsproto is told what it
has to know, whether a message has begun, and reads that one frame: nothing is kept for a
connection that never needs it.
"""

from __future__ import annotations

from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import (
    CloseReason,
    FrameDecoder,
    FrameProtocol,
    Opcode,
    ParseFailed,
    RsvBits,
)

from photon.ws.close_codes import PROTOCOL_ERROR
from photon.ws.errors import WebSocketProtocolError
from photon.ws.events import CloseReceived

# The longest header and what a control frame holds: more of a frame need not be known.
MOST_BYTES = 14 + 125
# An empty first fragment, masked with zeros.
_BEGUN = b"\x02\x80\x00\x00\x00\x00"


def judge(data: bytes, within: bool, deflate: bool) -> CloseReceived | None:
    """The close frame that `data` begins with; None when it is not all here.

    Args:
        data: up to MOST_BYTES of it.
        within: whether a message has begun.
        deflate: whether compression was agreed on.
    Raises: WebSocketProtocolError: what is wrong with the frame.
    """
    wsproto = FrameProtocol(client=False, extensions=[AgreedDeflate()] if deflate else [])
    if within:
        wsproto.receive_bytes(_BEGUN)
        list(wsproto.received_frames())
    wsproto.receive_bytes(data)
    try:
        for frame in wsproto.received_frames():
            if frame.opcode is Opcode.CLOSE:
                return close_event(frame.payload)
            raise WebSocketProtocolError(PROTOCOL_ERROR, "a frame that is not expected here")
    except ParseFailed as error:
        raise refusal(error) from None
    return None


def close_event(payload: object) -> CloseReceived:
    """Args: payload: of wsproto's close frame, a code and a reason."""
    assert isinstance(payload, tuple)
    code, reason = payload
    return CloseReceived(int(code), reason)


def refusal(error: ParseFailed) -> WebSocketProtocolError:
    return WebSocketProtocolError(int(error.code), str(error))


class AgreedDeflate(PerMessageDeflate):
    """permessage-deflate as far as headers go: what is inside of frames is passed on as it is.

    wsproto's own forgets that a message is compressed when a ping comes within, and inflates
    without a bound.
    """

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, length: int
    ) -> CloseReason | RsvBits:
        if opcode.iscontrol():
            return RsvBits(False, False, False)
        return super().frame_inbound_header(proto, opcode, rsv, length)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        return data

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        return None
