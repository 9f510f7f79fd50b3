"""Server-sent events: what an event is on the wire, and how streams live and end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.http.application import Application
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.http.sse import EventStream, ServerSentEvent, last_event_id
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep, sleep_forever
from photon.testing.wire import Wire
from tests.clients import Client, expect_no_leaks, request, settings, wait_until
from tests.http.requests import make_request

# One event...


class Price(msgspec.Struct):
    name: str
    value: float


ENCODED = [
    (ServerSentEvent("a"), "data: a\n\n"),
    (ServerSentEvent(""), "data: \n\n"),
    (ServerSentEvent(" a"), "data:  a\n\n"),
    (ServerSentEvent("a\nb\r\nc\rd\n"), "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
    (ServerSentEvent("a\u2028b\x0bc\x85d"), "data: a\u2028b\x0bc\x85d\n\n"),
    (ServerSentEvent("ä:\0"), "data: ä:\0\n\n"),
    (ServerSentEvent({"a": "ä\n"}), 'data: {"a":"ä\\n"}\n\n'),
    (ServerSentEvent(None), "data: null\n\n"),
    (ServerSentEvent(Price("x", 1.5)), 'data: {"name":"x","value":1.5}\n\n'),
    (ServerSentEvent(msgspec.Raw(b"[1,\n2]")), "data: [1,\ndata: 2]\n\n"),
    (ServerSentEvent("a", event="price", id="7"), "event: price\nid: 7\ndata: a\n\n"),
    (ServerSentEvent("a", id=""), "id: \ndata: a\n\n"),
    (ServerSentEvent(id="ä"), "id: ä\n\n"),
    (ServerSentEvent(retry_s=1.5), "retry: 1500\n\n"),
    (ServerSentEvent(comment="a\nb"), ": a\n: b\n\n"),
    (
        ServerSentEvent("a", "e", "i", 2, "c"),
        ": c\nevent: e\nid: i\nretry: 2000\ndata: a\n\n",
    ),
]


@pytest.mark.parametrize(("event", "text"), ENCODED)
def test_an_event_is_lines(event: ServerSentEvent, text: str) -> None:
    assert event.encode().decode() == text


MISTAKES: list[tuple[Callable[[], ServerSentEvent], type[Exception], str]] = [
    (
        lambda: ServerSentEvent("a", event="x\ny"),
        ValueError,
        "a line break, which would end it; put that",
    ),
    (lambda: ServerSentEvent("a", id="x\ry"), ValueError, r"the id 'x\\ry' has a line break"),
    (lambda: ServerSentEvent("a", id="x\0"), ValueError, r"has a NUL.*encode it first"),
    (lambda: ServerSentEvent(event="price"), ValueError, "'price' has no data.*give it data="),
    (lambda: ServerSentEvent("a", retry_s=0), ValueError, "retry_s is a number of seconds above 0"),
    (
        lambda: ServerSentEvent("a", retry_s=float("nan")),
        ValueError,
        "retry_s is a number of seconds",
    ),
    (lambda: ServerSentEvent(b"a"), TypeError, "decode the bytes"),
]


@pytest.mark.parametrize(("make", "kind", "says"), MISTAKES)
def test_a_mistake_is_told_where_it_is_made(
    make: Callable[[], ServerSentEvent], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        make()


def read_as_browsers_do(text: str) -> list[dict[str, str]]:
    """The events of a stream, by the letter of WHATWG HTML §9.2.6."""
    events = []
    data, kind, last_id = "", "", ""
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if not line:
            if data:
                events.append({"data": data[:-1], "event": kind or "message", "id": last_id})
            data, kind = "", ""
        elif name == "data":
            data += value + "\n"
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            last_id = value
    return events


_LINES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), min_size=1)


@given(
    st.lists(
        st.builds(
            ServerSentEvent,
            st.text(st.characters(exclude_categories=["Cs"])),
            event=st.none() | _LINES,
            id=_LINES,
            retry_s=st.none() | st.floats(0.001, 1000),
            comment=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
        )
    )
)
def test_browsers_read_what_was_meant(events: list[ServerSentEvent]) -> None:
    text = b"".join(event.encode() for event in events).decode()
    assert read_as_browsers_do(text) == [
        {
            "data": event.data.replace("\r\n", "\n").replace("\r", "\n"),
            "event": event.event or "message",
            "id": event.id,
        }
        for event in events
    ]


def test_the_client_says_where_it_was() -> None:
    assert last_event_id(make_request()) == ""
    assert last_event_id(make_request(headers={"Last-Event-ID": "7"})) == "7"
    as_sent = "ä€".encode().decode("latin-1")
    assert last_event_id(make_request(headers={"Last-Event-ID": as_sent})) == "ä€"
    assert last_event_id(make_request(headers={"Last-Event-ID": "\xff"})) == "\ufffd"


# A stream...


class Source:
    """Gives what is put into `queue`, and notes how it ended."""

    def __init__(self) -> None:
        self.queue: list[Any] = []
        self.began = 0
        self.made = 0
        self.ended: list[type[BaseException] | None] = []

    def events(self) -> Iterator[Any]:
        self.began += 1
        why: type[BaseException] | None = None
        try:
            while True:
                while not self.queue:
                    sleep(0.002)
                item = self.queue.pop(0)
                if item == "end":
                    return
                if isinstance(item, Exception):
                    raise item
                self.made += 1
                yield item
        except BaseException as error:
            why = type(error)
            raise
        finally:
            self.ended.append(why)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture(params=[15.0, None], ids=["heartbeat", "plain"])
def heartbeat_s(request: pytest.FixtureRequest) -> float | None:
    """Both ways of going through the events."""
    beat = request.param
    assert beat is None or isinstance(beat, float)
    return beat


def streaming(source: Source, **options: Any) -> Application:
    return lambda request: EventStream(source.events(), **options)


def read_event(client: Client) -> bytes:
    """The next piece of a chunked stream."""
    size = int(client.read_until(b"\r\n"), 16)
    piece = client.read(size)
    assert client.read(2) == b"\r\n"
    return piece if size else b"end"


def read_past_opening(client: Client) -> bytes:
    client.read_until(b"\r\n\r\n")
    piece = read_event(client)
    return read_event(client) if piece == b": \n\n" else piece


def test_a_stream_says_what_it_is() -> None:
    response = EventStream([], status=201, headers={"X": "y", "X-Accel-Buffering": "yes"})
    assert response.status == 201
    assert dict(response.headers) == {
        "content-type": "text/event-stream",
        "x": "y",
        "x-accel-buffering": "yes",
        "cache-control": "no-store",
    }


def test_items_are_events_or_their_data(heartbeat_s: float | None) -> None:
    response = EventStream(
        [ServerSentEvent("a", id="1"), "b\nc", {"d": 1}, 2], heartbeat_s=heartbeat_s, retry_s=3
    )
    assert b"".join(response.pieces()).decode() == (
        'retry: 3000\n\nid: 1\ndata: a\n\ndata: b\ndata: c\n\ndata: {"d":1}\n\ndata: 2\n\n'
    )
    response.close()


def test_a_stream_without_events_ends(heartbeat_s: float | None) -> None:
    assert list(EventStream([], heartbeat_s=heartbeat_s).pieces()) == []
    opened = EventStream(iter(()), heartbeat_s=heartbeat_s, retry_s=1)
    assert list(opened.pieces()) == [b"retry: 1000\n\n"]


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_time_is_above_zero(seconds: float) -> None:
    with pytest.raises(ValueError, match="heartbeat_s is a number of seconds above 0, or None"):
        EventStream([], heartbeat_s=seconds)
    with pytest.raises(ValueError, match="retry_s"):
        EventStream([], retry_s=seconds)


@pytest.mark.parametrize("events", ["text", {"a": 1}, 5])
def test_one_value_is_no_stream(events: Any, heartbeat_s: float | None) -> None:
    with pytest.raises(TypeError, match="a list with that one item"):
        EventStream(events, heartbeat_s=heartbeat_s)


def test_events_arrive_one_by_one_and_none_is_made_ahead(
    source: Source, heartbeat_s: float | None
) -> None:
    source.queue.append("0")
    app = streaming(source, heartbeat_s=heartbeat_s)
    with serve(app) as server, Client(server) as client:
        client.get("/")
        for number in range(5):
            read = read_event(client) if number else read_past_opening(client)
            assert read == b"data: %d\n\n" % number
            assert source.made == number + 1
            source.queue.append(str(number + 1))
        assert read_event(client) == b"data: 5\n\n"
        source.queue.append("end")
        assert read_event(client) == b"end"
        client.close()
        expect_no_leaks(server)


def test_a_silent_stream_is_opened_and_kept_alive(source: Source) -> None:
    app = streaming(source, heartbeat_s=0.01, retry_s=2)
    with serve(app) as server, Client(server) as client:
        client.get("/")
        client.read_until(b"\r\n\r\n")
        assert read_event(client) == b"retry: 2000\n\n"
        for _ in range(3):
            assert read_event(client) == b": \n\n"
        source.queue.append("a")
        while (piece := read_event(client)) == b": \n\n":
            pass
        assert piece == b"data: a\n\n"
        source.queue.append("end")
        while (piece := read_event(client)) == b": \n\n":
            pass
        assert piece == b"end"
        # The connection lives on, for the next request.
        source.queue += ["b", "end"]
        assert client.ask("/").body.endswith(b"data: b\n\n")
        client.close()
        expect_no_leaks(server)


@pytest.mark.parametrize("leave", [Client.close, Client.reset])
def test_a_client_that_goes_ends_the_generator_where_it_waits(
    source: Source, heartbeat_s: float | None, leave: Callable[[Client], None]
) -> None:
    app = streaming(source, heartbeat_s=heartbeat_s)
    with serve(app) as server, Client(server) as client:
        source.queue.append("a")
        client.get("/")
        read_past_opening(client)
        leave(client)
        wait_until(lambda: source.ended)
        assert source.ended == [Cancelled]
        expect_no_leaks(server)


def test_a_client_that_takes_nothing_ends_the_generator_between_two_events() -> None:
    source = Source()
    source.queue = ["x" * 100_000] * 1000
    with serve(streaming(source), settings=settings(write_s=0.05)) as server:
        with Client(server, receive_buffer=4096) as client:
            client.get("/")
            wait_until(lambda: source.ended)
            assert source.ended == [GeneratorExit]
            assert source.made < 200
            expect_no_leaks(server)


def test_a_server_that_stops_ends_the_generator(source: Source, heartbeat_s: float | None) -> None:
    app = streaming(source, heartbeat_s=heartbeat_s)
    with serve(app, settings=settings(drain_s=0.01)) as server:
        client = Client(server)
        source.queue.append("a")
        client.get("/")
        read_past_opening(client)
    assert source.ended == [Cancelled]
    client.close()


def test_what_the_generator_does_at_the_end_is_waited_for() -> None:
    ended = []

    def events() -> Iterator[str]:
        try:
            yield "a"
            sleep_forever()
        finally:
            sleep(0.02)
            ended.append(True)

    def app(request: Request) -> Response:
        return EventStream(events())

    with serve(app, settings=settings(drain_s=5)) as server:
        client = Client(server)
        client.get("/")
        read_past_opening(client)
    assert ended == [True]
    client.close()


def test_a_failure_cuts_the_stream_and_is_logged_once(
    source: Source, heartbeat_s: float | None, caplog: pytest.LogCaptureFixture
) -> None:
    app = streaming(source, heartbeat_s=heartbeat_s)
    with caplog.at_level(logging.INFO), serve(app) as server, Client(server) as client:
        source.queue.append("a")
        client.get("/")
        read_past_opening(client)
        source.queue.append(OSError("broken"))
        assert client.is_cut()
        expect_no_leaks(server)
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["broken"]


@pytest.mark.parametrize("kind", [OSError, TimeoutError])
def test_a_failure_before_the_first_event_is_a_clean_500(
    kind: type[Exception], source: Source, heartbeat_s: float | None
) -> None:
    source.queue.append(kind("broken"))
    with serve(streaming(source, heartbeat_s=heartbeat_s)) as server, Client(server) as client:
        assert client.ask("/").status == 500
        client.close()
        expect_no_leaks(server)


@pytest.mark.parametrize("item", [object(), b"bytes"])
def test_what_is_no_data_cuts_the_stream_and_ends_the_generator(
    item: object, source: Source, heartbeat_s: float | None
) -> None:
    app = streaming(source, heartbeat_s=heartbeat_s)
    with serve(app) as server, Client(server) as client:
        source.queue.append("a")
        client.get("/")
        read_past_opening(client)
        source.queue.append(item)
        assert client.is_cut()
        assert source.ended == [GeneratorExit]
        expect_no_leaks(server)


def test_many_streams_leave_nothing_behind() -> None:
    source = Source()

    def app(request: Request) -> Response:
        return EventStream(source.events(), heartbeat_s=0.05)

    with serve(app) as server:
        with ExitStack() as clients:
            for number in range(200):
                client = clients.enter_context(Client(server))
                client.get("/")
                if number % 3 == 0:
                    client.reset()
            wait_until(lambda: source.began - len(source.ended) == 133)
        wait_until(lambda: len(source.ended) == source.began)
        expect_no_leaks(server)
    assert set(source.ended) == {Cancelled}


# HEAD, HTTP/1.0, middleware...


def test_head_has_the_headers_and_begins_nothing(source: Source, heartbeat_s: float | None) -> None:
    with serve(streaming(source, heartbeat_s=heartbeat_s)) as server, Client(server) as client:
        client.send(request("HEAD", "/"))
        answer = client.answer(has_content=False)
        assert answer.headers["content-type"] == "text/event-stream"
        assert source.began == 0
        client.close()
        expect_no_leaks(server)


def test_http_1_0_has_the_events_until_the_end(source: Source) -> None:
    source.queue += ["a", "end"]
    with Wire(streaming(source)) as wire:
        wire.send(b"GET / HTTP/1.0\r\n\r\n")
        wait_until(lambda: wire.is_closed)
        assert wire.receive().endswith(b"\r\n\r\ndata: a\n\n")


def test_middleware_may_wrap_a_stream_and_drop_it(
    source: Source, heartbeat_s: float | None
) -> None:
    def shout(request: Request) -> Response:
        inner = EventStream(source.events(), heartbeat_s=heartbeat_s)
        return Response.stream(piece.upper() for piece in inner.pieces())

    with serve(shout) as server, Client(server) as client:
        source.queue.append("a")
        client.get("/")
        assert read_past_opening(client) == b"DATA: A\n\n"
        client.close()
        wait_until(lambda: source.ended)
        expect_no_leaks(server)


def test_middleware_may_answer_something_else(source: Source, heartbeat_s: float | None) -> None:
    def answer(request: Request) -> Response:
        streaming(source, heartbeat_s=heartbeat_s)(request)
        return Response("something else")

    with serve(answer) as server, Client(server) as client:
        assert client.ask("/").body == b"something else"
        assert source.began == 0
        client.close()
        expect_no_leaks(server)


def test_a_stream_ends_in_an_orderly_way_as_soon_as_the_server_stops() -> None:
    story: list[str] = []

    def ticks() -> Iterator[ServerSentEvent]:
        try:
            yield ServerSentEvent("one")
            sleep_forever()
        finally:
            story.append("closed")

    for heartbeat_s in (15.0, None):
        story.clear()
        stream = lambda request: EventStream(ticks(), heartbeat_s=heartbeat_s)  # noqa: B023, E731
        with serve(stream) as server:
            client = Client(server)
            client.send(request("GET", "/"))
            data = client.read_until(b"data: one\n\n")
            began = now()
        assert now() - began < server.timeouts.drain_s / 2
        assert story == ["closed"]
        assert client.read_to_end().endswith(b"0\r\n\r\n")
        assert data.startswith(b"HTTP/1.1 200 OK")
        client.close()
