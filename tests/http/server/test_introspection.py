"""The commands of a server: what it is asked, and what it says."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from photon import Photon, serve
from photon.http.server.introspection import Command, commands
from photon.http.server.server import Server
from photon.runtime.sync import Event
from photon.runtime.workers.control import ControlError
from tests.clients import Client, wait_until


class Shop:
    def __init__(self) -> None:
        self.app = app = Photon()
        self.event = event = Event()

        @app.get("/slow/{id}")
        def slow(id: str) -> str:
            event.wait()
            return id

        @app.every("1h")
        def nightly() -> None: ...

        @app.task(name="mail")
        def mail() -> None: ...


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def server(shop: Shop) -> Iterator[Server]:
    with serve(shop.app) as server:
        yield server
        shop.event.set()


@pytest.fixture
def ask(server: Server, shop: Shop) -> dict[str, Command]:
    return commands(server, shop.app)


def test_statistics_say_who_waits_and_are_json(
    server: Server, shop: Shop, ask: dict[str, Command]
) -> None:
    with Client(server) as one, Client(server) as two, Client(server) as idle:
        one.get("/slow/1")
        two.get("/slow/2")
        idle.ask("/nowhere")
        wait_until(lambda: server.busy == 2)
        told = ask["stats"]({})
        json.dumps(told)
        assert told["routes"]["GET /slow/{id}"]["waiting"] == 2
        assert told["routes"]["GET /slow/{id}"]["handling"] == 2
        assert told["routes"]["GET /slow/{id}"]["oldest_s"] >= 0
        assert told["connections"] == 3
        assert told["phases"] == {"idle": 1, "handling": 2}
        assert told["busy"] == 2
        assert told["answered"] >= 3
        assert told["websockets"] == 0
        assert told["measured"] is None
        (schedule,) = told["application"]["schedules"].values()
        assert schedule["done"] == 0
        assert told["application"]["queue"] == {"running": 0, "waiting": 0, "later": 0}
        shop.event.set()
        assert one.answer().status == 200
        assert two.answer().status == 200


def test_what_is_measured_is_part_of_the_statistics(
    server: Server, shop: Shop, ask: dict[str, Command]
) -> None:
    shop.event.set()
    with Client(server) as client:
        ask["watch"]({"seconds": 30})
        client.ask("/slow/1")
        measured = ask["stats"]({})["measured"]
        assert measured["routes"]["GET /slow/{id}"]["requests"] == 1


def test_a_dump_as_json_as_text_and_in_the_log(
    server: Server, shop: Shop, ask: dict[str, Command], caplog: pytest.LogCaptureFixture
) -> None:
    with Client(server) as client:
        client.get("/slow/1")
        wait_until(lambda: any(each.has_waited for each in server.connections))
        told = ask["dump"]({"stacks": True})
        json.dumps(told)
        (entry,) = [each for each in told["greenlets"] if each["kind"] == "request"]
        assert "in slow" in str(entry["stack"])
        assert "1 x GET /slow/{id}: waits for" in ask["dump"]({"text": True})["text"]
        ask["dump-to-log"]({})
        (record,) = [each for each in caplog.records if "a dump was asked" in each.getMessage()]
        assert "\n" not in record.getMessage()
        assert "1 x GET /slow/{id}: waits for" in (record.stack_info or "")
        shop.event.set()
        client.answer()


def test_the_level_of_the_log(ask: dict[str, Command]) -> None:
    target = logging.getLogger("photon.http")
    before = target.level
    try:
        told = ask["log-level"]({"level": "DEBUG", "logger": "photon.http"})
        assert told["level"] == "debug"
        assert target.isEnabledFor(logging.DEBUG)
        assert ask["log-level"]({"logger": "photon.http"})["level"] == "debug"
    finally:
        target.setLevel(before)
    assert "level" in ask["log-level"]({})


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("stats", {"all": True}, "stats has no argument 'all'; it takes none"),
        ("dump", {"stack": True}, "dump has no argument 'stack'; did you mean stacks?"),
        ("dump", {"stacks": "yes"}, "dump: stacks is true or false, not 'yes'"),
        ("watch", {"seconds": "5s"}, "watch: seconds is a number, not '5s'"),
        ("watch", {"seconds": True}, "watch: seconds is a number, not True"),
        ("watch", {"seconds": 0}, "more than 0 and at most 3600"),
        ("watch", {"seconds": float("nan")}, "more than 0 and at most 3600"),
        ("watch", {"seconds": 1e9}, "more than 0 and at most 3600"),
        ("log-level", {"level": "loud"}, "'loud' is no level; there are critical, debug, error"),
        ("log-level", {"level": "warn"}, "'warn' is no level; did you mean warning?"),
        ("log-level", {"level": 3}, "log-level: level is a text, not 3"),
        ("log-level", {"logger": "phton"}, "there is no logger 'phton' in this process"),
    ],
)
def test_what_is_wrong_with_an_argument_is_told(
    ask: dict[str, Command], name: str, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(ControlError) as caught:
        ask[name](arguments)
    assert says in str(caught.value)


def test_an_application_that_is_a_function_says_nothing_of_itself() -> None:
    app = Photon()

    def plain(request: Any) -> Any:
        return app(request)

    with serve(plain) as server:
        told = commands(server)["stats"]({})
        assert told["application"] is None
