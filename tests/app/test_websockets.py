"""`@app.websocket` as users write it, seen by a client."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Never, NoReturn

import msgspec
import pytest

from photon.app.elsewhere import WEBSOCKET_OPTIONS
from photon.app.group import Group
from photon.app.options import OF_WEBSOCKETS, RouteOptions
from photon.app.photon import Photon
from photon.binding.errors import HandlerError
from photon.binding.markers import Body, Depends, Form, Header, Query
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.routing.errors import RouteConflict
from photon.runtime.channel import open_channel
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep, sleep_forever, spawn
from photon.runtime.nursery import nursery
from photon.tasks.background import BackgroundTasks
from photon.testing.client import TestClient
from photon.testing.clock import Clock
from photon.testing.errors import WebSocketRefused
from photon.ws.errors import InvalidMessage, WebSocketClosed
from photon.ws.settings import WebSocketSettings
from photon.ws.websocket import WebSocket

HERE = r"\(tests/app/test_websockets\.py:\d+\)"

story: list[object] = []


@pytest.fixture(autouse=True)
def _new_story() -> None:
    story.clear()


def echo(ws: WebSocket) -> None:
    for message in ws:
        ws.send(message)


def refused(client: TestClient, path: str, **options: Any) -> WebSocketRefused:
    """How the server refuses to open one."""
    with pytest.raises(WebSocketRefused) as caught:
        client.websocket(path, **options).__enter__()
    return caught.value


# What a handler takes...


class Filter(msgspec.Struct):
    since: int = 0
    tags: list[str] = []


def test_path_query_and_headers_are_typed() -> None:
    app = Photon()

    @app.websocket("/rooms/{room:int}/{name}")
    def handler(
        ws: WebSocket,
        request: Request,
        room: int,
        name: str,
        tag: Annotated[list[str], Query()],
        token: Annotated[str | None, Header(alias="x-token")] = None,
        since: float = 0.5,
    ) -> None:
        ws.send_json([room, name, tag, token, since, request is ws.request, ws.path_values])

    with TestClient(app) as client:
        with client.websocket("/rooms/3/a%20b?tag=x&tag=y", headers={"x-token": "t"}) as ws:
            values = {"room": 3, "name": "a b"}
            assert ws.receive_json() == [3, "a b", ["x", "y"], "t", 0.5, True, values]
        assert refused(client, "/rooms/x/y?tag=z").response.status == 404
        refusal = refused(client, "/rooms/3/y?since=soon")
        assert refusal.response.status == 422
        assert [error["loc"] for error in refusal.response.json()["errors"]] == [
            ["query", "tag"],
            ["query", "since"],
        ]


def test_it_may_be_called_ws_or_websocket_without_an_annotation() -> None:
    app = Photon()
    app.websocket("/one")(lambda ws: ws.send("one"))
    app.websocket("/two")(lambda websocket: websocket.send("two"))

    @app.websocket("/three")
    def three(socket: WebSocket) -> None:
        socket.send("three")

    @app.websocket("/four")
    def four(a: int, *, ws: Any) -> None:
        ws.send(f"four {a}")

    with TestClient(app) as client:
        for path in ("/one", "/two", "/three", "/four?a=1"):
            with client.websocket(path) as ws:
                assert ws.receive_text().startswith(path[1:].partition("?")[0])


class Of:
    """An object with a method that talks."""

    def __init__(self, greeting: str) -> None:
        self._greeting = greeting

    def talk(self, ws: WebSocket, name: str = "you") -> None:
        ws.send(f"{self._greeting} {name}")

    def __call__(self, ws: WebSocket) -> None:
        ws.send(self._greeting)


def test_methods_and_objects_may_talk() -> None:
    app = Photon()
    app.websocket("/method")(Of("hello").talk)
    app.websocket("/object")(Of("bonjour"))
    with TestClient(app) as client:
        with client.websocket("/method?name=ann") as ws:
            assert ws.receive() == "hello ann"
        with client.websocket("/object") as ws:
            assert ws.receive() == "bonjour"


# Providers...


def database() -> Iterator[str]:
    story.append("open")
    try:
        yield "real"
    except BaseException as error:
        story.append(type(error).__name__)
        raise
    finally:
        story.append("close")


def user(ws: WebSocket, token: str = "") -> str:
    """A provider may take it, and refuse it before it is opened."""
    if not token:
        ws.reject(401, "a token is missing")
    return f"user {token}"


Database = Annotated[str, Depends(database)]
User = Annotated[str, Depends(user)]


def app_with_providers() -> Photon:
    app = Photon()

    @app.websocket("/")
    def handler(ws: WebSocket, user: User, database: Database) -> None:
        ws.send(f"{user} {database}")
        for message in ws:
            story.append(message)

    return app


def test_providers_live_as_long_as_the_websocket() -> None:
    with TestClient(app_with_providers()) as client:
        with client.websocket("/?token=ann") as ws:
            assert ws.receive() == "user ann real"
            assert story == ["open"]
            ws.send("one")
        assert story == ["open", "one", "close"]


def test_providers_can_be_replaced() -> None:
    app = app_with_providers()
    with TestClient(app) as client:
        with app.override(database, lambda: "fake"), app.override(user, lambda: "anybody"):
            with client.websocket("/") as ws:
                assert ws.receive() == "anybody fake"
        assert story == []
        assert refused(client, "/").response.problem["detail"] == "a token is missing"


def test_a_provider_sees_how_the_handler_ended() -> None:
    app = Photon()

    @app.websocket("/")
    def handler(ws: WebSocket, database: Database) -> None:
        for message in ws:
            if message == "crash":
                raise ZeroDivisionError

    with TestClient(app) as client:
        with pytest.raises(ZeroDivisionError), client.websocket("/") as ws:
            ws.send("crash")
            ws.receive()
        assert story == ["open", "ZeroDivisionError", "close"]


def guard(key: Annotated[str, Header()] = "") -> None:
    if key != "secret":
        raise HTTPError(401, "no key", headers={"www-authenticate": "Bearer"})


def test_guards_come_before_everything_else() -> None:
    app = Photon(dependencies=[Depends(guard)])
    group = Group("/group", dependencies=[Depends(lambda: story.append("group"))])

    @group.websocket("/{n:int}", dependencies=[Depends(lambda: story.append("route"))])
    def handler(ws: WebSocket, n: int, since: int) -> None:
        ws.send("in")

    app.include(group)
    with TestClient(app) as client:
        refusal = refused(client, "/group/1?since=x")  # of the query strangers are told nothing
        assert (refusal.response.status, refusal.response.problem["detail"]) == (401, "no key")
        assert refusal.response.headers["www-authenticate"] == "Bearer"
        assert story == []
        headers = {"key": "secret"}
        assert refused(client, "/group/1?since=x", headers=headers).response.status == 422
        with client.websocket("/group/1?since=1", headers=headers) as ws:
            assert ws.receive() == "in"
        assert story[-2:] == ["group", "route"]


def test_background_tasks_run_when_it_is_over() -> None:
    app = Photon()

    @app.websocket("/")
    def handler(ws: WebSocket, tasks: BackgroundTasks) -> None:
        tasks.add(story.append, "afterwards")
        story.append(ws.receive())

    with TestClient(app) as client:
        with client.websocket("/") as ws:
            ws.send("message")
        assert story == ["message", "afterwards"]


# Messages...


class Join(msgspec.Struct, tag="join", tag_field="kind"):
    name: str


class Say(msgspec.Struct, tag="say", tag_field="kind"):
    text: Annotated[str, msgspec.Meta(min_length=1)]


def test_messages_are_checked_and_the_handler_may_go_on() -> None:
    app = Photon()

    @app.websocket("/strict")
    def strict(ws: WebSocket) -> None:
        while True:
            ws.send_json(ws.receive_json(Join | Say))

    @app.websocket("/patient")
    def patient(ws: WebSocket) -> None:
        while True:
            try:
                ws.send_json(ws.receive_json(Join | Say))
            except InvalidMessage as error:
                ws.send_json(error.errors)

    with TestClient(app) as client:
        with client.websocket("/strict") as ws:
            ws.send_json({"kind": "say", "text": "hello"})
            assert ws.receive_json(Say) == Say("hello")
            ws.send_json({"kind": "say", "text": ""})
            with pytest.raises(WebSocketClosed, match=r"1007 .*text: Expected .*length >= 1"):
                ws.receive()
        with client.websocket("/patient") as ws:
            ws.send("{")
            assert "not JSON" in ws.receive_json()[0]["msg"]
            ws.send_json({"kind": "shout"})
            assert ws.receive_json()[0]["loc"] == ["body", "kind"]
            ws.send_json(Join("ann"))
            assert ws.receive_json(Join | Say) == Join("ann")


# How it ends...


def test_the_ends_of_handlers() -> None:
    app = Photon()

    @app.websocket("/{how}")
    def handler(ws: WebSocket, how: str) -> None:
        ws.accept()
        if how == "close":
            ws.close(4000, "as agreed")
        elif how == "refuse":
            raise HTTPError(409, "not twice")
        elif how == "crash":
            raise ZeroDivisionError

    with TestClient(app, raise_server_exceptions=False) as client:
        for how, code, reason in (
            ("return", 1000, ""),
            ("close", 4000, "as agreed"),
            ("refuse", 1008, "not twice"),
            ("crash", 1011, "the server failed"),
        ):
            with client.websocket(f"/{how}") as ws:
                assert list(ws) == []
                assert ws.close_code == code
                assert ws.close_reason.startswith(reason)


def test_what_is_not_accepted_is_refused() -> None:
    app = Photon()

    @app.websocket("/return")
    def returns(ws: WebSocket) -> None:
        pass

    @app.websocket("/close")
    def closes(ws: WebSocket) -> None:
        ws.close(4000, "no room")

    @app.websocket("/reject")
    def rejects(ws: WebSocket) -> None:
        ws.reject(409, "you are here already")

    with TestClient(app) as client:
        for path, status, detail in (
            ("/return", 403, "this WebSocket was not accepted"),
            ("/close", 403, "no room"),
            ("/reject", 409, "you are here already"),
        ):
            response = refused(client, path).response
            assert (response.status, response.problem["detail"]) == (status, detail)


def test_exception_handlers_answer_before_it_is_opened() -> None:
    app = Photon()

    class Unknown(Exception):
        pass

    @app.exception_handler(Unknown)
    def answer(request: Request, error: Unknown) -> tuple[dict[str, str], int]:
        return {"unknown": str(error)}, 404

    @app.websocket("/{room}")
    def handler(ws: WebSocket, room: str) -> None:
        raise Unknown(room)

    with TestClient(app) as client:
        refusal = refused(client, "/attic")
        assert refusal.response.status == 404
        assert refusal.response.json() == {"unknown": "attic"}
        assert "404 Not Found" in str(refusal)


def test_children_end_with_their_websocket() -> None:
    app = Photon()

    @app.websocket("/")
    def handler(ws: WebSocket) -> None:
        def ticks() -> None:
            try:
                while True:
                    ws.send("tick")
                    sleep(1)
            finally:
                story.append("ticks ended")

        with nursery() as children:
            children.spawn(ticks)
            for message in ws:
                story.append(message)
            children.cancel()

    with Clock() as clock, TestClient(app) as client:
        with client.websocket("/") as ws:
            ws.send("hello")
            clock.advance(2.5)
            assert [ws.receive() for _ in range(3)] == ["tick"] * 3
        assert story == ["hello", "ticks ended"]


# Options...


def test_the_time_to_accept_can_be_limited() -> None:
    app = Photon()

    @app.websocket("/", timeout=5)
    def handler(ws: WebSocket, late: bool = False) -> None:
        if late:
            sleep(10)
        ws.accept()
        sleep(60)  # from here on it may take as long as it likes
        ws.send("done")

    with Clock() as clock, TestClient(app) as client:
        with client.websocket("/") as ws:
            clock.advance("1m")
            assert ws.receive() == "done"
        late = spawn(refused, client, "/?late=true")
        clock.advance(6)
        late.join()
        assert late.result.response.status == 504


def waiting_for(channel: Callable[[], object]) -> Callable[[WebSocket], None]:
    """A handler that waits for something else than its client."""

    def handler(ws: WebSocket) -> None:
        ws.accept()
        try:
            channel()
        except Cancelled as error:
            story.append(f"cancelled by {error.source}")
            raise
        story.append(("went on", ws.is_open))
        ws.send("into the void")
        story.append("sent")

    return handler


def test_what_a_handler_gets_whose_client_leaves() -> None:
    app = Photon()
    go, wait = open_channel[str](3)
    handler = waiting_for(wait.receive)
    app.websocket("/default")(handler)
    app.websocket("/cancel", on_disconnect="cancel")(handler)
    app.websocket("/notify", on_disconnect="notify")(handler)
    app.websocket("/ignore", on_disconnect="ignore")(handler)
    with TestClient(app) as client:
        for path in ("/default", "/cancel"):
            with client.websocket(path):
                pass
            assert story == ["cancelled by disconnect"]
            story.clear()
        for path, told in (("/notify", []), ("/ignore", ["sent"])):
            with client.websocket(path) as ws:
                ws.close()
                assert story == []
                go.send("on")
            assert story == [("went on", False), *told]
            story.clear()


def test_groups_and_applications_may_say_it_for_all() -> None:
    app = Photon(on_disconnect="notify")
    go, wait = open_channel[str](3)
    app.websocket("/")(waiting_for(wait.receive))
    with TestClient(app) as client, client.websocket("/") as ws:
        ws.close()
        go.send("on")
    assert story == [("went on", False)]


def test_limits_of_messages() -> None:
    app = Photon(websockets=WebSocketSettings(message_bytes=100))
    app.websocket("/small")(echo)
    app.websocket("/large", websockets=WebSocketSettings(message_bytes=1000))(echo)
    with TestClient(app) as client:
        for path, limit in (("/small", 100), ("/large", 1000)):
            with client.websocket(path) as ws:
                ws.send("x" * limit)
                assert ws.receive() == "x" * limit
                ws.fragment(["x" * limit, "x"])
                with pytest.raises(WebSocketClosed) as caught:
                    ws.receive()
                assert caught.value.code == 1009


def test_origins_of_an_application_and_of_a_route() -> None:
    app = Photon(origins=["https://shop.example"])
    app.websocket("/listed")(echo)
    app.websocket("/all", origins="*")(echo)
    with TestClient(app) as client:
        for path, origin in (
            ("/listed", "https://shop.example"),
            ("/listed", None),
            ("/all", "https://evil.example"),
        ):
            with client.websocket(path, origin=origin) as ws:
                ws.send("x")
                assert ws.receive() == "x"
        assert refused(client, "/listed", origin="http://testserver").response.status == 403
        assert refused(client, "/listed", origin="null").response.status == 403


def test_middleware_of_a_route_stands_inside_that_of_the_application() -> None:
    def marking(name: str) -> Any:
        def mark(request: Request, application: Callable[[Request], Response]) -> Response:
            story.append(name)
            response = application(request)
            story.append((name, response.status))
            return response

        return mark

    app = Photon(middleware=[marking("app")])
    app.websocket("/", middleware=[marking("route")])(echo)
    with TestClient(app) as client:
        with client.websocket("/"):
            assert story == ["app", "route"]
        assert story == ["app", "route", ("route", 101), ("app", 101)]
        story.clear()
        assert refused(client, "/", origin="https://evil.example").response.status == 403
        assert story == ["app", "route", ("route", 403), ("app", 403)]


def test_middleware_that_raises_afterwards_is_told() -> None:
    def fails(request: Request, application: Callable[[Request], Response]) -> Response:
        application(request)
        raise ZeroDivisionError

    app = Photon(middleware=[fails])
    app.websocket("/")(echo)
    with TestClient(app) as client:
        with pytest.raises(ZeroDivisionError), client.websocket("/") as ws:
            ws.send("x")
            assert ws.receive() == "x"


# Where it stands...


def test_groups_mounts_and_names() -> None:
    inner = Photon()
    inner.websocket("/deep")(lambda ws: ws.send(ws.request.root))
    app = Photon()
    chat = Group("/chat/{room}", name="chat")

    @chat.websocket("/members/{name}", name="member")
    def member(ws: WebSocket, room: str, name: str) -> None:
        ws.send(f"{room} {name}")

    @chat.websocket("/all")
    def everybody(ws: WebSocket, room: str) -> None:
        ws.send(room)

    app.include(chat, "/v1")
    app.mount("/sub", inner)
    assert app.path_for("chat.member", room="a", name="b") == "/v1/chat/a/members/b"
    assert app.path_for("chat.everybody", room="a b") == "/v1/chat/a%20b/all"
    with TestClient(app) as client:
        for path, says in (
            ("/v1/chat/a/members/b", "a b"),
            ("/v1/chat/x/all", "x"),
            ("/sub/deep", "/sub"),
        ):
            with client.websocket(path) as ws:
                assert ws.receive() == says


def test_a_page_may_stand_beside_it() -> None:
    app = Photon()
    app.post("/chat")(lambda: "posted")
    app.websocket("/chat")(echo)
    with TestClient(app) as client:
        assert client.post("/chat").text == "posted"
        asked = client.get("/chat")
        assert asked.status == 426
        assert asked.problem["detail"].endswith("open it as ws://testserver/chat")
        with client.websocket("/chat") as ws:
            ws.send("x")
            assert ws.receive() == "x"
    with pytest.raises(RouteConflict):
        app.get("/chat")(lambda: "a page")
    assert "/chat" not in str(app.openapi().get("paths", {}).get("/chat", {}).get("get", ""))


# Mistakes...


class Item(msgspec.Struct):
    name: str


def with_a_body(ws: WebSocket, item: Item) -> None: ...


def with_a_marked_body(ws: WebSocket, item: Annotated[int, Body()]) -> None: ...


def with_a_form(ws: WebSocket, name: Annotated[str, Form()]) -> None: ...


def of_a_body(item: Item) -> None: ...


def with_a_providers_body(ws: WebSocket, name: Annotated[str, Depends(of_a_body)]) -> None: ...


def without_one(room: str) -> None: ...


def without_anything() -> None: ...


async def that_is_async(ws: WebSocket) -> None: ...


def without_the_room(ws: WebSocket) -> None: ...


def generates(ws: WebSocket) -> Iterator[str]:
    yield "x"


NO_BODY = r"asks for a body, and a WebSocket has none: receive it, `ws.receive_json\(Type\)`"
NO_WEBSOCKET = "does not take the WebSocket; add it as a parameter: `ws: WebSocket`"


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (with_a_body, NO_BODY),
        (with_a_marked_body, NO_BODY),
        (with_a_form, NO_BODY),
        (with_a_providers_body, NO_BODY),
        (without_one, NO_WEBSOCKET),
        (without_anything, NO_WEBSOCKET),
        (that_is_async, "is async"),
        (generates, "is a generator"),
    ],
)
def test_a_handler_that_cannot_talk_is_refused(handler: Any, says: str) -> None:
    name = handler.__name__
    with pytest.raises(HandlerError, match=f"the handler {name} {HERE} {says}"):
        Photon().websocket("/")(handler)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"status": 201}, "no option 'status': a WebSocket is opened with 101; ws.reject(status"),
        ({"response_type": str}, "its messages are read by ws.messages(Type)"),
        ({"tags": ["chat"]}, "OpenAPI documents know no WebSockets"),
        ({"ping_interval": 5}, "websockets=WebSocketSettings(ping_interval_s=...)"),
        ({"subprotocols": ["a"]}, "ws.accept(subprotocol), one of ws.subprotocols"),
        ({"timeuot": 5}, "did you mean timeout?"),
        ({"methods": ["GET"]}, "always begins with a GET"),
    ],
)
def test_what_a_websocket_does_not_take_is_told(options: Any, says: str) -> None:
    with pytest.raises(TypeError, match=re.escape(says)):
        Photon().websocket("/", **options)


def test_what_can_be_said_of_no_websocket_is_answered_with_what_can() -> None:
    left = set(RouteOptions.__annotations__) - set(OF_WEBSOCKETS)
    assert left <= WEBSOCKET_OPTIONS.keys()


# What it returns...


@pytest.mark.parametrize("type_", [str, "dict[str, int]", Response])
def test_a_handler_that_says_that_it_returns_something_is_refused(type_: Any) -> None:
    def talk(ws: WebSocket) -> Any: ...

    talk.__annotations__["return"] = type_
    with pytest.raises(HandlerError, match="which nobody would take: send it, `ws"):
        Photon().websocket("/")(talk)


@pytest.mark.parametrize("type_", [None, "None", Any, object, NoReturn, Never])
def test_a_handler_may_say_that_it_returns_nothing(type_: Any) -> None:
    def talk(ws: WebSocket) -> Any: ...

    talk.__annotations__["return"] = type_
    Photon().websocket("/")(talk)


def test_what_a_handler_returns_is_dropped_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Photon()

    @app.websocket("/")
    def talk(ws):  # type: ignore[no-untyped-def]
        ws.accept()
        return {"secret": 1}

    with TestClient(app) as client:
        for _ in range(3):
            with client.websocket("/") as ws, pytest.raises(WebSocketClosed) as caught:
                ws.receive()
            assert caught.value.code == 1000
    (told,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert "talk (tests/app/test_websockets.py:" in told
    assert "returned a dict, which nobody gets: ws.send_json(value) sends it" in told
    assert "secret" not in told


def test_a_placeholder_that_nobody_takes_is_refused() -> None:
    with pytest.raises(HandlerError, match="does not take 'room' from the path"):
        Photon().websocket("/{room}")(without_the_room)


def needs_a_websocket(ws: WebSocket) -> None: ...


def with_such_a_provider(name: Annotated[str, Depends(needs_a_websocket)]) -> None: ...


@pytest.mark.parametrize("handler", [needs_a_websocket, with_such_a_provider])
def test_a_websocket_where_there_is_none_is_refused(handler: Any) -> None:
    with pytest.raises(HandlerError, match=r"takes a WebSocket, which only a route of `@app.webs"):
        Photon().get("/")(handler)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"status": 201}, "@app.websocket has no option 'status'"),
        ({"nme": "x"}, r"@app.websocket has no option 'nme'; did you mean name\?"),
        ({"name": 5}, "name is a text, not 5"),
        ({"middleware": ["x"]}, "middleware"),
        ({"dependencies": [guard]}, r"dependencies=\[guard .*\] shall be \[Depends\(guard\)\]"),
        ({"timeout": 0}, "timeout is seconds, more than 0"),
        ({"on_disconnect": "leave"}, "on_disconnect is one of 'cancel', 'notify', 'ignore'"),
        ({"websockets": {}}, r"websockets is a WebSocketSettings\(...\), not {}"),
        ({"origins": "https://a.example"}, r"give a list, \['https://a.example'\]"),
        ({"origins": ["*"]}, 'for all origins give "\\*" itself'),
        ({"origins": ["example.com"]}, "example.com"),
        ({"origins": 5}, "@app.websocket: "),
    ],
)
def test_an_option_that_is_none_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Photon().websocket("/", **options)


def test_a_group_tells_of_its_own_decorator() -> None:
    with pytest.raises(TypeError, match=r"@group.websocket has no option 'tagz'"):
        Group("/x").websocket("/", tagz=[])  # type: ignore[call-arg]  # that is it


def test_two_on_one_path_conflict() -> None:
    app = Photon()
    app.websocket("/x")(echo)
    with pytest.raises(RouteConflict):
        app.websocket("/x")(lambda ws: None)


def test_a_handler_that_never_ends_is_cancelled_with_the_client() -> None:
    app = Photon()

    @app.websocket("/")
    def handler(ws: WebSocket) -> None:
        ws.send("here")
        try:
            sleep_forever()
        finally:
            story.append(ws.close_code)

    with TestClient(app) as client, client.websocket("/") as ws:
        assert ws.receive() == "here"
        ws.abort()
    assert story == [1006]
