"""What errors say of themselves."""

from __future__ import annotations

import pytest

from photon.ws.close_codes import can_be_sent, name_of
from photon.ws.errors import (
    InvalidCloseCode,
    WebSocketClosed,
    WebSocketError,
    WebSocketProtocolError,
)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (WebSocketClosed(1001, "bye"), "the WebSocket is closed: 1001 (going away): bye"),
        (WebSocketClosed(1006), "the WebSocket is closed: 1006 (no close frame)"),
        (WebSocketClosed(4001), "the WebSocket is closed: 4001 (of the application)"),
        (WebSocketProtocolError(1002, "odd"), "1002 (protocol error): odd"),
    ],
)
def test_what_they_say(error: WebSocketError, says: str) -> None:
    assert str(error) == says


def test_a_code_that_may_not_be_sent() -> None:
    assert str(InvalidCloseCode(1006)).startswith(
        "a WebSocket cannot be closed with code 1006: use"
    )
    assert isinstance(InvalidCloseCode(1006), ValueError)


def test_which_codes_may_be_sent() -> None:
    may = [code for code in range(5100) if can_be_sent(code)]
    assert may == [*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)]


def test_names() -> None:
    assert name_of(1011) == "internal error"
    assert name_of(3000) == "of a library or framework"
    assert name_of(4999) == "of the application"
