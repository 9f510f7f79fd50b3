"""The same client over sockets: against a server of this process, or any other one.

    with live_server(app) as client:
        assert client.get("/").status == 200
        print(client.server.url)

What happens behind the socket cannot be seen from here: a request is over when its response was
read, and a crash is the 500 that every client gets.
"""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from photon.http.application import Application
from photon.http.response import HeaderSource
from photon.http.server.server import Server
from photon.http.server.serving import serve
from photon.http.server.settings import ServerSettings
from photon.testing.address import Address
from photon.testing.base import BaseClient
from photon.testing.checks import check_application
from photon.testing.errors import ConnectionLost
from photon.testing.link import CHUNK_BYTES, Link


class LiveClient(BaseClient):
    """A client over sockets, for one thread.

    Connections are kept and used again. One that the server closed meanwhile is replaced; if it
    closes at the very moment, requests that may be repeated are (RFC 9110 §9.2.2).

    Args: as of `TestClient`; base_url: where the server is, such as http://127.0.0.1:8000.
    Attributes:
        cookies: the jar; headers: the defaults.
        server, app: of `live_server`, None otherwise.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: HeaderSource | None = None,
        cookies: Mapping[str, str] | None = None,
        follow_redirects: bool = True,
        timeout_s: float = 60.0,
    ) -> None:
        super().__init__(
            base_url,
            headers=headers,
            cookies=cookies,
            follow_redirects=follow_redirects,
            timeout_s=timeout_s,
        )
        self.server: Server | None = None
        self.app: Application | None = None
        self._idle: dict[str, list[SocketLink]] = {}
        self._open: set[SocketLink] = set()

    def _connect(self, address: Address, timeout_s: float) -> Link:
        if address.scheme != "http":
            raise ValueError(f"{address} needs TLS, which this client does not speak: use http://")
        idle = self._idle.get(address.host, [])
        while idle:
            link = idle.pop()
            if not link.is_stale():
                return link
            self._drop(link)
        try:
            connected = socket.create_connection((address.hostname, address.port), timeout_s)
        except OSError as error:
            raise ConnectionLost(f"no server answers at {address.origin}: {error}") from error
        link = SocketLink(connected)
        self._open.add(link)
        return link

    def _release(self, address: Address, link: Link, *, is_reusable: bool) -> None:
        if not isinstance(link, SocketLink) or link not in self._open:
            return
        if is_reusable:
            link.was_used = True
            self._idle.setdefault(address.host, []).append(link)
        else:
            self._drop(link)

    def _was_used(self, link: Link) -> bool:
        return isinstance(link, SocketLink) and link.was_used

    def _drop(self, link: SocketLink) -> None:
        self._open.discard(link)
        link.close()

    def close(self) -> None:
        """Close all connections."""
        self._idle.clear()
        for link in list(self._open):
            self._drop(link)


class SocketLink:
    """A connection over a socket: a `Link`.   Attributes: was_used: for an earlier request."""

    failure = None

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(0)
        self.was_used = False

    def is_stale(self) -> bool:
        """Whether the server closed it, or said something that nobody asked for."""
        try:
            return self.receive_some() is not None
        except OSError:
            return True

    def send_some(self, data: memoryview) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0

    def receive_some(self) -> bytes | None:
        try:
            return self._socket.recv(CHUNK_BYTES)
        except BlockingIOError:
            return None

    def wait(self, seconds: float, *, to_send: bool = False) -> bool:
        # Made anew, after the patch or before it: gevent's own belongs to one hub.
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | (select.POLLOUT if to_send else 0))
        return bool(poll.poll(max(0.0, seconds) * 1000))

    def settle(self) -> None:
        """The network does it."""

    def watch(self, look: Callable[[], object]) -> None:
        """Nobody is there who could."""

    def whereabouts(self) -> str:
        return ""

    def finish(self, seconds: float) -> bool:
        return True

    def vanish(self) -> None:
        if self._socket.fileno() < 0:
            return
        # The kernel sends a reset, and not the end of an orderly stream.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self) -> None:
        self._socket.close()


@contextmanager
def live_server(
    application: Application,
    *,
    settings: ServerSettings | None = None,
    headers: HeaderSource | None = None,
    cookies: Mapping[str, str] | None = None,
    follow_redirects: bool = True,
    timeout_s: float = 60.0,
) -> Iterator[LiveClient]:
    """Serve an application on a free port while the block runs.

    Where the standard library is not patched the server has a native thread of its own.

    Args: settings: of the server; the others are the client's.
    Returns: a client of it; `client.server.url` is for other ones.
    """
    check_application(application)
    with serve(application, settings=settings) as server:
        client = LiveClient(
            server.url,
            headers=headers,
            cookies=cookies,
            follow_redirects=follow_redirects,
            timeout_s=timeout_s,
        )
        client.server, client.app = server, application
        with client:
            yield client
