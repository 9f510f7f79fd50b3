"""The files work together: nginx with what was generated for it, in front of `photon run --uds`."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

from photon.runtime.cancel import fail_after
from tests.deploy_tools import tool
from tests.processes import PATIENCE_S, photon, photon_ends

APP = """
import os
from photon import EventStream, Photon, Request, ServerSentEvent, WebSocket
from photon.middleware import Forwarded

app = Photon(middleware=[Forwarded(["unix"])])

@app.get("/who")
def who(request: Request):
    return {"pid": os.getpid(), "peer": str(request.peer), "host": request.host}

@app.post("/upload")
def upload(request: Request):
    size = 0
    for piece in request.chunks():
        size += len(piece)
    return {"size": size}

@app.websocket("/echo")
def echo(ws: WebSocket):
    for message in ws:
        ws.send(f"{os.getpid()} {message}")

@app.get("/events")
def events():
    def each():
        yield ServerSentEvent("first")
        import time
        time.sleep(3600)   # the client leaves before
    return EventStream(each())
"""


@contextmanager
def nginx_before(folder: Path, site: str) -> Iterator[Path]:
    """nginx with a generated site, on a Unix socket; its path."""
    program = tool("nginx")
    listens = folder / "n"
    text = re.sub(r"listen .*;", f"listen unix:{listens};", site, count=1)
    text = re.sub(r"\n *listen \[::\].*;", "", text)
    (folder / "site.conf").write_text(text)
    temporary = "".join(
        f"{name}_temp_path {folder}/t-{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; master_process off; pid {folder}/nginx.pid;\n"
        f"error_log {folder}/nginx.log info; events {{}}\n"
        f"http {{ access_log off; {temporary} include {folder}/site.conf; }}\n"
    )
    running = subprocess.Popen(
        [program, "-p", str(folder), "-c", str(folder / "nginx.conf")],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        with fail_after(PATIENCE_S):
            while True:
                try:
                    connected(listens).close()
                    break
                except OSError:
                    assert running.poll() is None, running.stderr.read()  # type: ignore[union-attr]
        yield listens
    finally:
        running.terminate()
        running.wait()
        assert running.stderr is not None
        running.stderr.close()


def connected(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE_S)
    try:
        client.connect(str(path))
    except OSError:
        client.close()
        raise
    return client


class Connection(http.client.HTTPConnection):
    """One to a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("shop.example.com", timeout=PATIENCE_S)
        self.path = path

    def connect(self) -> None:
        self.sock = connected(self.path)


@pytest.fixture(scope="module", params=["alone", "2 workers"])
def listens(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Where nginx listens, in front of an application."""
    tool("nginx")
    # A folder of pytest's may be longer than the 107 bytes that a socket's path has.
    folder = Path(tempfile.mkdtemp(prefix="photon-"))
    try:
        (folder / "app.py").write_text(APP)
        made = photon_ends(
            *("generate", "deployment", "nginx", "app:app", "--name", "shop", "--print"),
            *("--uds", f"{folder}/s", "--limit-body-bytes", "1MiB"),
            folder=folder,
        )
        assert made.code == 0, made.err
        workers = ["--workers", "2"] if request.param == "2 workers" else []
        flags = ["--uds", "s", "--limit-body-bytes", "1MiB", "--control", "none"]
        with photon("run", "app:app", *flags, *workers, folder=folder) as server:
            server.wait_line("serves")
            with nginx_before(folder, made.out) as path:
                yield path
            assert server.stop() == 0
    finally:
        shutil.rmtree(folder)


def test_requests(listens: Path) -> None:
    connection = Connection(listens)
    for _ in range(50):
        connection.request("GET", "/who", headers={"X-Forwarded-For": "6.6.6.6"})
        response = connection.getresponse()
        told = json.loads(response.read())
        assert response.status == 200
        # nginx sets it, so what the client says of itself is gone; "unix:" is not an address.
        assert "6.6.6.6" not in told["peer"]
        assert told["host"] == "shop.example.com"
    connection.close()


def test_uploads(listens: Path) -> None:
    connection = Connection(listens)
    body = b"x" * 1024 * 1024
    connection.request("POST", "/upload", body)
    assert json.loads(connection.getresponse().read()) == {"size": len(body)}
    connection.request("POST", "/upload", iter([b"a" * 1000] * 100), encode_chunked=True)
    assert json.loads(connection.getresponse().read()) == {"size": 100_000}
    connection.close()


def test_an_upload_that_is_too_large_is_refused_by_nginx(listens: Path) -> None:
    connection = Connection(listens)
    connection.putrequest("POST", "/upload")
    connection.putheader("Content-Length", str(1024 * 1024 + 1))
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 413
    assert "nginx" in response.headers["server"]
    connection.close()


def test_events_arrive_as_they_are_sent(listens: Path) -> None:
    connection = Connection(listens)
    connection.request("GET", "/events")
    response = connection.getresponse()
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.readline() == b"data: first\n"
    connection.close()


def test_websockets(listens: Path) -> None:
    protocol = WSConnection(ConnectionType.CLIENT)
    with connected(listens) as client:
        client.sendall(protocol.send(Request(host="shop.example.com", target="/echo")))
        events = iter(lambda: client.recv(65536), b"")

        def next_event() -> object:
            while True:
                for event in protocol.events():
                    return event
                protocol.receive_data(next(events))

        assert isinstance(next_event(), AcceptConnection)
        for text in ("one", "two"):
            client.sendall(protocol.send(TextMessage(text)))
            event = next_event()
            assert isinstance(event, TextMessage)
            assert event.data.endswith(text)
        client.sendall(protocol.send(CloseConnection(1000)))
        assert isinstance(next_event(), CloseConnection)
