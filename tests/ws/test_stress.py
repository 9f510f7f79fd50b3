"""Clients and handlers that do anything at any moment: nothing is left, and no hub is harmed."""

from __future__ import annotations

import gc
import logging
import weakref
from random import Random
from typing import Any

import pytest
from wsproto.utilities import ProtocolError

from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.server import Server
from photon.http.server.serving import serve
from photon.http.server.settings import ServerSettings, Timeouts
from photon.runtime.cancel import move_on_after
from photon.runtime.greenlets import sleep, spawn
from photon.runtime.handle import Handle
from photon.ws.errors import WebSocketClosed
from photon.ws.running import run_websocket
from photon.ws.settings import WebSocketSettings
from photon.ws.websocket import WebSocket
from tests.clients import expect_no_leaks
from tests.ws.client import Closed, Speaker, frame

CLIENTS = 90


class Anything:
    """A handler and a client that do what a seed says."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.alive: weakref.WeakSet[WebSocket] = weakref.WeakSet()

    def handle(self, ws: WebSocket) -> None:
        self.alive.add(ws)
        ws.accept()
        children: list[Handle[Any]] = []
        for _ in range(self.random.randrange(30)):
            try:
                with move_on_after(self.random.random() * 0.01):
                    self.do_something(ws, children)
            except (WebSocketClosed, TimeoutError):
                if self.random.random() < 0.7:
                    return

    def do_something(self, ws: WebSocket, children: list[Handle[Any]]) -> None:
        random = self.random
        match random.randrange(9):
            case 0 | 1:
                ws.receive()
            case 2:
                ws.send("x" * random.choice([0, 10, 1000, 300_000]))
            case 3:
                ws.send(ws.receive())
            case 4:
                ws.ping()
            case 5:
                children.append(spawn(self.send_beside, ws))
            case 6 if children:
                random.choice(children).cancel()
            case 7 if random.random() < 0.1:
                ws.close(4000)
            case 8 if random.random() < 0.1:
                raise ValueError("a handler fails")
            case _:
                sleep(random.random() * 0.01)

    def send_beside(self, ws: WebSocket) -> None:
        try:
            ws.send(b"y" * self.random.choice([1, 200_000]))
        except WebSocketClosed:
            pass

    def visit(self, server: Server) -> None:
        random = self.random
        with Speaker(server, receive_buffer=random.choice([None, 4096])) as speaker:
            speaker.socket.settimeout(0.5)
            speaker.answers_close = random.random() < 0.8
            speaker.answers_pings = random.random() < 0.8
            try:
                for _ in range(random.randrange(40)):
                    self.say_something(speaker)
                self.leave(speaker)
            except (OSError, EOFError, Closed):
                pass  # the server was quicker
            except ProtocolError:
                pass  # wsproto refuses to send what makes no sense any more

    def say_something(self, speaker: Speaker) -> None:
        random = self.random
        match random.randrange(8):
            case 0 | 1 | 2:
                speaker.send("z" * random.choice([0, 5, 500, 50_000]))
            case 3:
                speaker.ping(b"q")
            case 4:
                speaker.next_event()
            case 5 if random.random() < 0.1:
                speaker.raw(random.randbytes(20))
            case 6 if random.random() < 0.1:
                speaker.raw(frame(0x82) * 500)
            case _:
                sleep(random.random() * 0.01)

    def leave(self, speaker: Speaker) -> None:
        match self.random.randrange(4):
            case 0:
                speaker.reset()
            case 1:
                speaker.end_sending()
                sleep(0.01)
            case 2:
                speaker.finish()


@pytest.mark.parametrize("seed", range(3))
def test_anything_at_any_moment_leaves_nothing(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    anything = Anything(seed)
    times = WebSocketSettings(
        close_timeout_s=0.05, ping_interval_s=0.1, ping_timeout_s=0.1, message_bytes=100_000
    )
    policies: Any = ("cancel", "notify", "ignore")

    def application(request: Request) -> Response:
        policy = anything.random.choice(policies)
        return run_websocket(request, anything.handle, times, on_disconnect=policy)

    settings = ServerSettings(timeouts=Timeouts(write_s=0.2, cleanup_s=0.3))
    with serve(application, settings=settings) as server:
        for _ in range(CLIENTS // 30):
            visitors = [spawn(anything.visit, server) for _ in range(30)]
            for visitor in visitors:
                visitor.join()
                assert visitor.error is None
        expect_no_leaks(server)
    del visitors, visitor
    gc.collect()
    assert not anything.alive
