"""Rooms in two real processes, and what is left when one of them is killed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import sleep
from tests.processes import PATIENCE_S, get, serving
from tests.ws.client import Speaker

APP = """
from photon import Photon
from photon.ws.brokers.{module} import {broker}
from photon.ws.rooms import Rooms

rooms = Rooms({broker}({url!r}, prefix={prefix!r}), beat_s=0.1, expire_s=0.5)
app = Photon()
app.lifespan(lambda: rooms)

@app.websocket("/chat")
def chat(ws):
    with rooms.join("general", ws, info=ws.query["name"]) as member:
        ws.send_json({{"id": member.id}})
        for message in ws:
            to, _, text = message.partition(":")
            if to:
                rooms.send_to(to, text)
            else:
                rooms.broadcast("general", text)

@app.get("/who")
def who():
    return sorted(each.info for each in rooms.presence("general"))
"""


class Port:
    """What a `Speaker` wants of a server."""

    def __init__(self, port: int) -> None:
        self.port = port


@contextmanager
def speaking(port: int, name: str) -> Iterator[tuple[Speaker, str]]:
    """A member: its WebSocket and its id."""
    with Speaker(Port(port), f"/chat?name={name}") as speaker:  # type: ignore[arg-type]
        speaker.socket.settimeout(PATIENCE_S)
        yield speaker, msgspec.json.decode(speaker.receive())["id"]


def who(port: int) -> Any:
    status, body = get(port, "/who")
    assert status == 200, body
    return msgspec.json.decode(body)


def wait_who(port: int, names: list[str]) -> None:
    with fail_after(PATIENCE_S):
        while who(port) != names:
            sleep(0.01)


@pytest.fixture(params=["redis", "postgres"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An application whose rooms have a broker."""
    kind = request.param
    values = {
        "module": kind,
        "broker": {"redis": "RedisBroker", "postgres": "PostgresBroker"}[kind],
        "url": request.getfixturevalue(f"{kind}_url"),
        "prefix": request.getfixturevalue("redis_prefix"),
    }
    (tmp_path / "app.py").write_text(APP.format(**values))
    return tmp_path


def test_two_processes_are_one_room_and_one_may_be_killed(folder: Path) -> None:
    with serving(folder=folder) as (first, one), serving(folder=folder) as (second, two):
        with speaking(one, "Ada") as (ada, ada_id), speaking(two, "Bob") as (bob, _):
            ada.send(":hello")
            assert (ada.receive(), bob.receive()) == ("hello", "hello")
            bob.send(f"{ada_id}:for you")
            bob.send(":for all")
            assert [ada.receive(), ada.receive()] == ["for you", "for all"]
            assert bob.receive() == "for all"
            wait_who(one, ["Ada", "Bob"])
            wait_who(two, ["Ada", "Bob"])

            second.kill(signal.SIGKILL)
            second.process.wait()
            wait_who(one, ["Ada"])
            ada.send(":alone")
            assert ada.receive() == "alone"
            ada.finish()
        wait_who(one, [])
        assert first.stop() == 0


def test_a_process_that_stops_takes_its_members_along(folder: Path) -> None:
    with serving(folder=folder) as (first, one), serving(folder=folder) as (second, two):
        with speaking(one, "Ada") as (ada, _), speaking(two, "Bob") as (bob, _):
            wait_who(one, ["Ada", "Bob"])
            second.kill(signal.SIGTERM)
            assert bob.closed() == (1001, "the server stops")
            bob.close()
            assert second.wait() == 0
            wait_who(one, ["Ada"])
            ada.finish()
        assert first.stop() == 0
