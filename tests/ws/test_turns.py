"""Little that comes may be much to do: it is asked often enough whether others have waited."""

from __future__ import annotations

import zlib

import pytest
from wsproto.extensions import PerMessageDeflate

from photon.runtime.sync import Event
from photon.ws.settings import Deflate
from photon.ws.turns import Turns
from photon.ws.websocket import WebSocket
from tests.clients import wait_until
from tests.ws.client import Speaker, frame
from tests.ws.serving import Seen, echo, serving


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Has one item for each time that it was asked."""
    calls: list[None] = []
    give_way = Turns.give_way

    def noting(turns: Turns) -> None:
        calls.append(None)
        give_way(turns)

    monkeypatch.setattr(Turns, "give_way", noting)
    return calls


def test_fragments_without_end(asked: list[None]) -> None:
    # Half a millisecond for 256 of them.
    with serving(echo) as server, Speaker(server) as speaker:
        speaker.raw(frame(0x02) + frame(0x00) * 60_000 + frame(0x80))
        assert speaker.receive() == b""
        speaker.finish()
    assert len(asked) > 200


DEFLATE = "permessage-deflate; client_no_context_takeover"


def deflated(data: bytes) -> bytes:
    native = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (native.compress(data) + native.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest.mark.parametrize("receives", [True, False])
def test_a_thousand_bytes_that_become_a_million(receives: bool, asked: list[None]) -> None:
    got: list[int] = []
    seen = Seen()
    go = Event()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        if not receives:  # they are kept meanwhile
            go.wait()
        for message in ws:
            got.append(len(message))

    with serving(seen.watching(handler), deflate=Deflate()) as server:
        with Speaker(
            server, extensions=[PerMessageDeflate()], sec_websocket_extensions=DEFLATE
        ) as speaker:
            speaker.raw(frame(0xC2, deflated(bytes(1_000_000))) * 30)
            wait_until(lambda: got or seen.ws.statistics()["kept"])
            go.set()
            speaker.finish()
    assert got == [1_000_000] * 30
    assert len(asked) > 20


def test_a_million_bytes_that_become_a_thousand(asked: list[None]) -> None:
    def handler(ws: WebSocket) -> None:
        for _ in range(10):
            ws.send("x" * 1_000_000)
            ws.send(bytes(1_000_000))
            ws.send_json({"x": "x" * 1_000_000})

    with serving(handler, deflate=Deflate()) as server:
        with Speaker(
            server,
            extensions=[PerMessageDeflate()],
            sec_websocket_extensions="permessage-deflate; client_max_window_bits",
        ) as speaker:
            assert speaker.closed() == (1000, "")
    assert len(asked) > 20
