"""`TestClient`: conversations with an application, without sockets.

    with TestClient(app) as client:
        made = client.post("/items", json={"name": "pen", "price": 2})
        assert made.status == 201
        assert client.get(made.headers["location"]).json()["name"] == "pen"

The requests go through the real server: its protocol, its limits and time-outs, its carriers. Only
the sockets are missing, see `memory`. One test, many greenlets or several native threads may use a
client at a time; each thread is served on its own hub.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from photon.http.application import Application
from photon.http.response import HeaderSource
from photon.http.server.serving import lifespan_of
from photon.http.server.settings import ServerSettings
from photon.runtime.hub import current_hub
from photon.testing.address import Address
from photon.testing.base import BaseClient
from photon.testing.checks import check_application
from photon.testing.errors import HandlersLeft
from photon.testing.link import Link
from photon.testing.memory import Bench, MemoryLink


class TestClient(BaseClient):
    """A client of an application in this process.

    Used in a `with` block it opens what the application opens before its first request, and
    closes that at the end. Without, an application that has such a lifespan is refused.

    A request is over when the server has done all that belongs to it, what was put off until the
    response was written included. What a handler lets through is raised where the request was
    made, with the handler's own traceback.

    Args:
        application: answers; a Photon object, or any function that takes a request.
        base_url: paths are below it. With https:// the requests say so, and cookies that are
            Secure are sent. Every host is served by the application.
        headers: sent with each request.
        cookies: names and values, for every host and path.
        follow_redirects: whether redirects are followed, when a request does not say.
        raise_server_exceptions: False to see the 500, or the cut connection, that clients see.
        settings: limits and time-outs of the server.
        timeout_s: how long the server may be silent, when a request does not say. The settings'
            `handler_s` comes before it.
        peer: the client's address, as the application sees it.
    Attributes: app: the application; cookies: the jar; headers: the defaults.
    Raises: TypeError, for what is no application; ValueError, for a URL that is none.
    """

    def __init__(
        self,
        application: Application,
        *,
        base_url: str = "http://testserver",
        headers: HeaderSource | None = None,
        cookies: Mapping[str, str] | None = None,
        follow_redirects: bool = True,
        raise_server_exceptions: bool = True,
        settings: ServerSettings | None = None,
        timeout_s: float = 60.0,
        peer: str = "127.0.0.1:50000",
    ) -> None:
        check_application(application)
        super().__init__(
            base_url,
            headers=headers,
            cookies=cookies,
            follow_redirects=follow_redirects,
            timeout_s=timeout_s,
        )
        self.app = application
        self.raise_server_exceptions = raise_server_exceptions
        self.settings = settings
        self.peer = peer
        self._life: ExitStack | None = None
        self._bench: Bench | None = None  # the last thread's; each has its own hub
        self._links: set[MemoryLink] = set()

    # Connections...

    def _connect(self, address: Address, timeout_s: float) -> Link:
        self._check_lifespan()
        bench = self._bench
        if bench is None or bench.hub is not current_hub():
            bench = self._bench = Bench(self.app, self.settings)
        # Middleware may have come since.
        bench.application = getattr(self.app, "composed", self.app)
        link = bench.connect(address.scheme, self.peer)
        self._links.add(link)
        return link

    def _release(self, address: Address, link: Link, *, is_reusable: bool) -> None:
        link.close()
        if isinstance(link, MemoryLink) and link.is_closed:
            self._links.discard(link)

    def _check_lifespan(self) -> None:
        app: Any = self.app
        if self._life is not None or getattr(app, "is_running", False):
            return
        if getattr(app, "has_lifespan", False):
            raise RuntimeError(
                f"{app!r} is not running, and has a lifespan to open first: "
                "write `with TestClient(app) as client:`"
            )

    # Its life...

    def __enter__(self) -> TestClient:
        if self._life is not None:
            raise RuntimeError("this client was entered already; make another one")
        with ExitStack() as life:
            life.enter_context(lifespan_of(self.app))
            self._life = life.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        life, self._life = self._life, None
        try:
            self.close(check=error is None)
        finally:
            if life is not None:
                life.close()  # the application has not failed, if the test has

    def close(self, *, check: bool = True) -> None:
        """Leave all connections of this thread; their handlers are cancelled.

        WebSockets that are open are closed before with 1001, as by a server that stops.

        Raises: HandlersLeft, for those that go on nevertheless, unless `check` is False.
        """
        hub = current_hub()
        mine = [link for link in list(self._links) if link.hub is hub]
        for link in [link for link in mine if check and link.drain()]:
            link.finish(link.drain_s)
        for link in mine:
            link.close()
        self._links.clear()
        self._bench = None
        left = [link for link in mine if not link.is_closed]
        if left and check:
            raise HandlersLeft(
                f"{len(left)} of the handlers went on although their client had left: "
                f"{', '.join(map(repr, left))}"
            )
