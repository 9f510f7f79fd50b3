"""The client in memory: what it sees of the server that no socket shows."""

from __future__ import annotations

import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import dedent
from typing import Any

import pytest

from photon.app.photon import Photon
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.settings import Limits, ServerSettings, Timeouts
from photon.runtime.cancel import move_on_after
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep, sleep_forever, spawn
from photon.runtime.hub import current_hub
from photon.runtime.offload import offload
from photon.tasks.background import BackgroundTasks
from photon.testing.client import TestClient
from photon.testing.errors import ConnectionLost, HandlersLeft, ResponseTimeout
from tests.clients import PATIENCE_S, settings, wait_until


def hello(request: Request) -> Response:
    return Response(f"hello {request.path}")


# The lifespan...


def story_app(story: list[str]) -> Photon:
    app = Photon()

    @app.lifespan
    def opened() -> Iterator[None]:
        story.append("open")
        yield
        story.append("close")

    @app.get("/")
    def index() -> str:
        story.append("request")
        return "here"

    return app


def test_a_client_opens_and_closes_what_the_application_needs() -> None:
    story: list[str] = []
    app = story_app(story)
    for _ in range(2):
        with TestClient(app) as client:
            assert client.app is app
            assert client.get("/").text == "here"
    assert story == ["open", "request", "close"] * 2


def test_the_application_is_closed_in_order_when_the_test_fails() -> None:
    story: list[str] = []
    with pytest.raises(KeyError), TestClient(story_app(story)):
        raise KeyError
    assert story == ["open", "close"]


def test_an_application_that_does_not_start_says_so() -> None:
    app = Photon()

    @app.lifespan
    def opened() -> Iterator[None]:
        yield from refused()

    def refused() -> Iterator[None]:
        raise ConnectionRefusedError("no database")

    with pytest.raises(ConnectionRefusedError, match="no database"), TestClient(app):
        pytest.fail("it did not start")


def test_a_lifespan_that_was_not_opened_is_told_before_a_handler_misses_it() -> None:
    story: list[str] = []
    app = story_app(story)
    client = TestClient(app)
    with pytest.raises(RuntimeError, match=r"is not running, .* `with TestClient\(app\) as client"):
        client.get("/")
    with app.running():  # somebody else did it
        assert client.get("/").status == 200


def test_without_a_lifespan_no_block_is_needed() -> None:
    app = Photon()
    client = TestClient(app)

    @app.get("/")
    def index() -> str:
        return "one"

    assert client.get("/").text == "one"
    app.middleware(lambda request, application: Response("two"))
    assert client.get("/").text == "two"
    assert TestClient(hello).get("/x").text == "hello /x"


def test_a_client_is_entered_once_at_a_time() -> None:
    client = TestClient(hello)
    with client, pytest.raises(RuntimeError, match="entered already"), client:
        pass
    with client:
        assert client.get("/").status == 200


# What handlers let through...


def fails(request: Request) -> Response:
    try:
        raise KeyError("first")
    except KeyError as error:
        raise ValueError("wrong") from error


def test_what_a_handler_lets_through_is_raised_in_the_test() -> None:
    app = Photon()

    @app.get("/")
    def index() -> None:
        fails(None)  # type: ignore[arg-type]

    with TestClient(app) as client, pytest.raises(ValueError, match="wrong") as raised:
        client.get("/")
    names = [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]
    assert names[-2:] == ["index", "fails"]
    assert "dispatch" not in names, "the server's frames are of no use to the test"
    assert isinstance(raised.value.__cause__, KeyError)
    assert isinstance(raised.value.__context__, KeyError)


def test_the_connection_can_be_asked_again_after_a_crash() -> None:
    with TestClient(lambda request: 1 / 0 if request.path == "/bad" else Response("ok")) as client:  # type: ignore[arg-type,return-value]
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                client.get("/bad")
            assert client.get("/").text == "ok"


def test_errors_that_are_answers_are_answers() -> None:
    def refuses(request: Request) -> Response:
        raise HTTPError(503, "come back later")

    assert TestClient(refuses).get("/").status == 503


def test_a_crash_within_the_body_is_raised() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"begun"
        raise ValueError("in the middle")

    client = TestClient(lambda request: Response.stream(pieces()))
    with pytest.raises(ValueError, match="in the middle") as raised:
        client.get("/")
    assert raised.value.__context__ is None, "that the connection was cut is no news"
    with pytest.raises(ValueError, match="in the middle"):
        with client.stream("GET", "/") as answer:
            list(answer.iter_bytes())
    client.raise_server_exceptions = False
    with pytest.raises(ConnectionLost):
        client.get("/")


def test_a_crash_on_the_way_out_is_raised() -> None:
    def handler(request: Request) -> Response:
        request.on_done(lambda: {"a": 1}["b"])
        return Response("ok")

    with pytest.raises(KeyError):
        TestClient(handler).get("/")
    assert TestClient(handler, raise_server_exceptions=False).get("/").text == "ok"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_would_end_pytest_is_told_otherwise(error: type[BaseException]) -> None:
    def handler(request: Request) -> Response:
        raise error

    with pytest.raises(RuntimeError, match=rf"GET .*/a raised {error.__name__}") as raised:
        TestClient(handler).get("/a")
    assert isinstance(raised.value.__cause__, error)


def test_an_assert_in_a_handler_fails_the_test() -> None:
    def handler(request: Request) -> Response:
        assert request.method == "POST"
        return Response()

    with pytest.raises(AssertionError):
        TestClient(handler).get("/")


# When a request is over...


def test_a_request_is_over_when_all_that_belongs_to_it_is() -> None:
    story: list[str] = []

    def later() -> None:
        sleep(0.01)
        story.append("later")

    def handler(request: Request) -> Response:
        request.on_done(later)
        story.append("response")
        return Response("ok")

    with TestClient(handler) as client:
        assert client.get("/").text == "ok"
        assert story == ["response", "later"]
        with client.stream("POST", "/", content=b"abc") as answer:
            assert answer.read() == b"ok"
        assert story == ["response", "later"] * 2


def test_what_follows_a_response_may_take_too_long() -> None:
    def handler(request: Request) -> Response:
        request.on_done(lambda: sleep(0.2))
        return Response("ok")

    with TestClient(handler) as client:
        with pytest.raises(ResponseTimeout, match="came, but what runs after it did not end"):
            client.get("/", timeout_s=0.02)


def test_a_client_that_leaves_with_bytes_unread_is_seen() -> None:
    ends: list[str] = []

    def handler(request: Request) -> Response:
        try:
            sleep_forever()
        except Cancelled as error:
            ends.append(error.source)
            raise
        return Response()

    with TestClient(handler) as client:
        for body in (b"", b"x" * 1000, b"x" * 1_000_000):
            with pytest.raises(ResponseTimeout):
                client.post("/", content=body, timeout_s=0.02)
    assert ends == ["disconnect"] * 3


def test_the_servers_time_outs_are_at_work() -> None:
    def handler(request: Request) -> Response:
        sleep_forever()
        return Response()

    with TestClient(handler, settings=settings(handler_s=0.05)) as client:
        answer = client.get("/")
        assert (answer.status, answer.problem["detail"]) == (504, "no response within 0.05 s")


def test_the_servers_limits_are_at_work() -> None:
    small = ServerSettings(limits=Limits(headers=5))
    with TestClient(hello, settings=small) as client:
        assert client.get("/", headers={f"x-{n}": "y" for n in range(5)}).status == 431
        assert client.get("/").status == 200


def test_a_handler_that_does_not_stop_is_told_at_the_end() -> None:
    goes_on = [True]

    def stubborn(request: Request) -> Response:
        while goes_on:
            try:
                sleep(PATIENCE_S)
            except Cancelled:
                pass
        return Response()

    impatient = ServerSettings(timeouts=Timeouts(cleanup_s=0.05))
    client = TestClient(stubborn, settings=impatient)
    with pytest.raises(ResponseTimeout):
        client.get("/", timeout_s=0.02)
    with pytest.raises(HandlersLeft, match=r"1 of the handlers went on .*handling"):
        client.close()
    goes_on.clear()
    wait_until(lambda: current_hub().carriers.busy == 0)


def test_nothing_is_left_behind() -> None:
    carriers = current_hub().carriers
    with TestClient(hello) as client:
        for _ in range(10):
            client.get("/")
        assert not client._links
        bench = client._bench
        assert bench is not None
        assert not bench.connections
        assert carriers.busy == 0
        assert len(bench.sweep) == 0


def test_leaving_the_client_leaves_its_streams() -> None:
    ends: list[str] = []

    def pieces() -> Iterator[bytes]:
        try:
            yield b"x"
            sleep_forever()
        finally:
            ends.append("closed")

    def read() -> None:
        with client.stream("GET", "/") as answer:
            list(answer.iter_bytes())

    with TestClient(lambda request: Response.stream(pieces())) as client:
        reader = spawn(read)
        wait_until(lambda: client._links)
        sleep(0.01)
    assert ends == ["closed"]
    reader.join()
    assert isinstance(reader.error, ConnectionLost)


# What the application sees...


def told(request: Request) -> Response:
    return Response.json([request.scheme, request.host, request.peer, request.target, request.url])


def test_the_application_sees_who_asks_and_how() -> None:
    client = TestClient(told, base_url="https://shop.example/api/", peer="[::1]:7")
    url = "https://shop.example/api/items"
    assert client.get("/items").json() == ["https", "shop.example", "[::1]:7", "/api/items", url]
    other = client.get("http://Other.example:8000?x=1").json()
    assert other[:2] == ["http", "other.example:8000"]
    assert TestClient(told).get("/").json()[:3] == ["http", "testserver", "127.0.0.1:50000"]
    assert client.options("*").json()[3] == "*"


def test_another_host_does_not_learn_what_was_meant_for_the_first() -> None:
    def handler(request: Request) -> Response:
        if request.host == "testserver":
            return Response.redirect("http://other.example/")
        return Response.json(request.headers.pairs())

    client = TestClient(handler, cookies={"everywhere": "1"})
    client.cookies.set("here", "2", domain="testserver")
    private = {"authorization": "Bearer x", "x-fine": "3"}
    sent = dict(client.get("/", headers=private, cookies={"once": "4"}).json())
    assert "authorization" not in sent
    assert sent["x-fine"] == "3"
    assert sent["cookie"] == "everywhere=1"
    assert sent["host"] == "other.example"


def test_secure_cookies_want_https() -> None:
    def handler(request: Request) -> Response:
        response = Response.json(request.cookies)
        response.set_cookie("id", "1", secure=True)
        return response

    for base_url, expected in (("http://testserver", {}), ("https://testserver", {"id": "1"})):
        client = TestClient(handler, base_url=base_url)
        client.get("/")
        assert client.get("/").json() == expected


# Many at once...


def test_greenlets_ask_at_the_same_time() -> None:
    arrived: list[str] = []

    def together(request: Request) -> Response:
        arrived.append(request.path)
        wait_until(lambda: len(arrived) == 10)
        return Response(request.path)

    with TestClient(together) as client:
        handles = [spawn(client.get, f"/{n}") for n in range(10)]
        for handle in handles:
            handle.join()
        assert [handle.result.text for handle in handles] == [f"/{n}" for n in range(10)]


def test_clients_ask_each_other() -> None:
    inner = TestClient(hello)
    outer = TestClient(lambda request: Response("outer " + inner.get("/in").text))
    assert outer.get("/").text == "outer hello /in"


def test_native_threads_are_served_on_their_own_hubs() -> None:
    with TestClient(hello) as client:
        assert client.get("/").status == 200
        assert offload(lambda: client.get("/thread").text) == "hello /thread"


def test_a_block_around_a_request_may_end_it() -> None:
    ends: list[str] = []

    def handler(request: Request) -> Response:
        try:
            sleep_forever()
        finally:
            ends.append("closed")
        return Response()

    with TestClient(handler) as client:
        with move_on_after(0.02) as scope:
            client.get("/")
        assert scope.cancelled_caught
        assert ends == ["closed"]


UNPATCHED = """
    import sys, threading, time
    from photon import Photon, sleep, spawn
    from photon.testing import LiveClient, TestClient, live_server

    app = Photon()

    @app.get("/wait/{how}")
    def wait(how: str) -> str:
        (time.sleep if how == "block" else sleep)(0.01)
        return how

    def check(client):
        with client:
            assert client.get("/wait/x").status == 200
        print(threading.current_thread() is threading.main_thread(), end=" ")

    with TestClient(app) as client:
        assert client.get("/wait/x").status == 200
        handle = spawn(client.get, "/wait/block")
        assert client.get("/wait/x").status == 200
        handle.join()
        assert handle.result.status == 200
        thread = threading.Thread(target=check, args=(TestClient(app),))
        thread.start()
        thread.join()
        check(TestClient(app))
    with live_server(app) as live:
        assert live.get("/wait/x").status == 200
        assert live.post("/wait/x", content=b"x" * 3_000_000).status == 405
    print("done")
"""


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(code)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.strip()


def test_it_works_where_nothing_is_patched() -> None:
    assert run_python(UNPATCHED) == "False True done"


def test_it_works_where_all_is_patched() -> None:
    patched = "from photon.runtime import monkey; monkey.patch()\n" + dedent(UNPATCHED)
    assert run_python(patched) == "False True done"


def test_the_patch_makes_threads_of_greenlets() -> None:
    results: list[str] = []
    with TestClient(hello) as client:
        threads = [
            threading.Thread(target=lambda: results.append(client.get("/t").text)) for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == ["hello /t"] * 5


class Running:
    """An application that is no Photon object, with a life of its own."""

    def __init__(self) -> None:
        self.is_running = False

    @contextmanager
    def running(self) -> Iterator[None]:
        self.is_running = True
        yield
        self.is_running = False

    def __call__(self, request: Request) -> Response:
        return Response.json(self.is_running)


def test_any_application_may_have_a_life() -> None:
    app: Any = Running()
    with TestClient(app) as client:
        assert client.get("/").json() is True
    assert not app.is_running


def test_it_waits_for_what_runs_after_the_response() -> None:
    app = Photon()
    sent: list[str] = []

    def send_mail(name: str) -> None:
        sleep(0.02)
        sent.append(name)

    @app.post("/items")
    def create(tasks: BackgroundTasks) -> str:
        tasks.add(send_mail, "pen")
        return "made"

    with TestClient(app) as client:
        assert client.post("/items").text == "made"
        assert sent == ["pen"]


# What other clients have...


def test_what_others_call_it_is_told() -> None:
    client = TestClient(hello)
    with pytest.raises(AttributeError, match="has no 'websocket_connect': here it is websocket"):
        client.websocket_connect("/")  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"did you mean get\?"):
        client.gett("/")  # type: ignore[attr-defined]


def test_what_stands_in_no_with_says_so() -> None:
    client = TestClient(hello)
    says = r"is opened by a with: `with client\.websocket\(\.\.\.\) as ws:`, then ws\.send"
    with pytest.raises(AttributeError, match=says):
        client.websocket("/x").send("hello")  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match=r"then `for \.\.\. in ws`"):
        iter(client.websocket("/x"))  # type: ignore[call-overload]
    with pytest.raises(AttributeError, match=r"`with client\.stream\(\.\.\.\) as response:`"):
        client.stream("GET", "/x").read()  # type: ignore[attr-defined]
    assert repr(client.websocket("/x")).startswith("<client.websocket(...), to be opened: with ")
