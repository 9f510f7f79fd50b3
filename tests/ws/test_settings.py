"""Settings of WebSockets: what cannot be is told when they are made."""

from __future__ import annotations

import re
from typing import Any

import pytest

from photon.ws.elsewhere import OF_SETTINGS
from photon.ws.settings import Deflate, WebSocketLimits, WebSocketSettings


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        ({"message_bytes": -5}, ValueError, "WebSocketSettings(message_bytes=-5): a message, all"),
        ({"message_bytes": 2.5}, TypeError, "in bytes; it is a whole number"),
        ({"ping_interval_s": "20"}, TypeError, "it is a number"),
        ({"ping_timeout_s": None}, TypeError, "WebSocketSettings(ping_timeout_s=None)"),
        ({"deflate": True}, TypeError, "(deflate=True): it is a Deflate(...) or None"),
        ({"max_size": 5}, TypeError, "no setting 'max_size': here it is message_bytes"),
        ({"ping_interval": 5}, TypeError, "here it is ping_interval_s"),
        ({"max_message_size": 5}, TypeError, "here it is message_bytes"),
        ({"compression": "deflate"}, TypeError, "here it is deflate=Deflate()"),
    ],
)
def test_a_mistake_is_told_when_it_is_made(
    given: dict[str, Any], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=re.escape(says)):
        WebSocketSettings(**given)


def test_limits_alone_are_checked_too() -> None:
    with pytest.raises(ValueError, match=r"frame_bytes=0\)"):
        WebSocketLimits(frame_bytes=0)


def test_what_can_be_is_taken() -> None:
    settings = WebSocketSettings(ping_interval_s=0, deflate=Deflate(level=9))
    assert settings.deflate == Deflate(level=9)


def test_what_is_a_setting_here_is_nowhere_else() -> None:
    assert not OF_SETTINGS.keys() & set(WebSocketSettings.__struct_fields__)
