"""Close codes: what each says, and which may be sent.

Source: RFC 6455 §7.4 and the registry of IANA, WebSocket Close Code Number Registry.
"""

from __future__ import annotations

from typing import Final

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
UNSUPPORTED_DATA: Final = 1003
NO_STATUS: Final = 1005  # never sent: the close frame said nothing
ABNORMAL: Final = 1006  # never sent: the connection ended without a close frame
INVALID_DATA: Final = 1007
POLICY_VIOLATION: Final = 1008
MESSAGE_TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012
TRY_AGAIN_LATER: Final = 1013

_NAMES = {
    NORMAL: "normal",
    GOING_AWAY: "going away",
    PROTOCOL_ERROR: "protocol error",
    UNSUPPORTED_DATA: "unsupported data",
    NO_STATUS: "no status",
    ABNORMAL: "no close frame",
    INVALID_DATA: "invalid data",
    POLICY_VIOLATION: "policy violation",
    MESSAGE_TOO_BIG: "message too big",
    1010: "extension missing",
    INTERNAL_ERROR: "internal error",
    SERVICE_RESTART: "service restart",
    TRY_AGAIN_LATER: "try again later",
    1014: "bad gateway",
    1015: "TLS failure",
}


def name_of(code: int) -> str:
    """Such as "going away" for 1001."""
    if code in _NAMES:
        return _NAMES[code]
    return "of the application" if 4000 <= code <= 4999 else "of a library or framework"


def can_be_sent(code: int) -> bool:
    """Whether a close frame may carry this code.   Source: RFC 6455 §7.4.1, §7.4.2."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
