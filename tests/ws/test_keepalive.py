"""Clients that are silent, and those that are gone without a word."""

from __future__ import annotations

from typing import Any

import pytest
from wsproto.events import Ping

from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep_forever
from photon.ws.errors import WebSocketClosed
from photon.ws.keepalive import KeepAlive
from photon.ws.settings import WebSocketSettings
from photon.ws.websocket import WebSocket
from tests.clients import wait_until
from tests.ws.client import Speaker
from tests.ws.serving import Seen, echo, serving

QUICK: dict[str, Any] = {"ping_interval_s": 0.02, "ping_timeout_s": 0.05}


def test_a_silent_client_is_pinged_and_stays() -> None:
    with serving(echo, **QUICK) as server, Speaker(server) as speaker:
        for _ in range(3):
            assert isinstance(speaker.next_event(), Ping)
        speaker.send("x")
        assert speaker.receive() == "x"
        assert speaker.finish() == (1000, "")


@pytest.mark.parametrize("receives", [True, False])
def test_a_client_that_answers_no_ping_is_lost(receives: bool) -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        if receives:
            ws.receive()
        else:
            sleep_forever()

    with serving(seen.watching(handler), **QUICK) as server, Speaker(server):
        wait_until(lambda: seen.error is not None)
    if receives:
        assert isinstance(seen.error, WebSocketClosed)
        assert seen.error.code == 1006
        assert "not even the answer to a ping" in seen.error.reason
    else:
        assert isinstance(seen.error, Cancelled)
        assert seen.error.source == "disconnect"


def test_a_client_that_says_anything_is_there() -> None:
    with serving(lambda ws: [*ws], **QUICK) as server, Speaker(server) as speaker:
        speaker.answers_pings = False
        for _ in range(5):
            assert isinstance(speaker.next_event(), Ping)
            speaker.send("x")
        assert speaker.finish() == (1000, "")


def test_pings_of_a_client_that_talks_and_answers_none_do_not_pile_up() -> None:
    seen = Seen()
    handler = seen.watching(lambda ws: [*ws])
    with serving(handler, **QUICK) as server, Speaker(server) as speaker:
        speaker.answers_pings = False
        for _ in range(5):
            assert isinstance(speaker.next_event(), Ping)
            speaker.send("x")
        assert len(seen.ws._session.keepalive._under_way) <= 1
        assert speaker.finish() == (1000, "")


def test_no_pings_where_they_are_not_wanted() -> None:
    keepalive = KeepAlive(WebSocketSettings(ping_interval_s=0))
    assert keepalive.due == float("inf")


def test_the_answer_to_a_later_ping_answers_the_earlier_ones() -> None:
    keepalive = KeepAlive(WebSocketSettings())
    with (
        keepalive.sent(b"1") as first,
        keepalive.sent(b"2") as second,
        keepalive.sent(b"3") as last,
    ):
        assert not keepalive.answered(b"0")
        assert keepalive.answered(b"2")
        assert first.seconds is not None
        assert second.seconds is not None
        assert last.seconds is None
        assert not keepalive.answered(b"1")


def test_two_pings_with_the_same_payload_cannot_be_told_apart() -> None:
    keepalive = KeepAlive(WebSocketSettings())
    with keepalive.sent(b"x"), pytest.raises(ValueError, match="is under way already"):
        with keepalive.sent(b"x"):
            pass
    with keepalive.sent(b"x"):
        pass
