"""What every client does, whatever its connections are made of: verbs, cookies, redirects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from photon.http.headers import Headers
from photon.http.response import HeaderSource
from photon.http.status import SWITCHING_PROTOCOLS
from photon.runtime.hints import no_such_attribute
from photon.testing.address import Address
from photon.testing.block import block
from photon.testing.cookies import Cookies
from photon.testing.errors import (
    ClientError,
    ConnectionLost,
    TooManyRedirects,
    WebSocketRefused,
)
from photon.testing.exchange import Exchange
from photon.testing.failures import raise_failure
from photon.testing.link import Link
from photon.testing.options import OpeningOptions, Options, check_opening, check_options
from photon.testing.outgoing import Outgoing, make_outgoing
from photon.testing.response import ClientResponse
from photon.ws.errors import WebSocketError

if TYPE_CHECKING:
    from photon.testing.websocket import ClientWebSocket

C = TypeVar("C", bound="BaseClient")

# Fetch's figure, and that of most clients.
_MAX_REDIRECTS = 20

_DEFAULT_HEADERS = {"accept": "*/*", "user-agent": "photon-testing"}

# RFC 9110 §9.2.2: what may be sent again when the connection failed before an answer came.
_IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")

_ELSEWHERE = {
    "application": "app",
    "connect": "websocket",
    "open": "request",
    "portal": "nothing is awaited here: call what you mean to call",
    "post_json": "post(url, json=...)",
    "send": "request",
    "session": "cookies",
    "session_transaction": "cookies",
    "websocket_connect": "websocket",
    "ws": "websocket",
    "ws_connect": "websocket",
}
"""What the clients of Starlette, Flask, httpx and aiohttp call it, and this one."""


class BaseClient(ABC):
    """A client with a memory for cookies.

    Args:
        base_url: paths are below it.
        headers: sent with each request.
        cookies: names and values, for every host and path.
        follow_redirects: whether redirects are followed, when a request does not say.
        timeout_s: how long a server may be silent, when a request does not say.
    Attributes: cookies: the jar, to read and to set; headers: to change the defaults.
    """

    __test__ = False  # for pytest: no class of tests, whatever its name begins with

    raise_server_exceptions = False

    def __init__(
        self,
        base_url: str,
        *,
        headers: HeaderSource | None = None,
        cookies: Mapping[str, str] | None = None,
        follow_redirects: bool = True,
        timeout_s: float = 60.0,
    ) -> None:
        self._base = Address.parse(base_url)
        if "?" in self._base.target:
            raise ValueError(f"{base_url!r} is no base for paths: it has a query")
        self.base_url = base_url
        self.headers = dict(_DEFAULT_HEADERS)
        for name, value in headers.items() if isinstance(headers, Mapping) else headers or ():
            self.headers[name.lower()] = value
        self.cookies = Cookies(cookies)
        self.follow_redirects = follow_redirects
        self.timeout_s = timeout_s

    # Connections: each kind of client has its own...

    @abstractmethod
    def _connect(self, address: Address, timeout_s: float) -> Link:
        """A connection for one request.   Raises: ConnectionLost."""

    @abstractmethod
    def _release(self, address: Address, link: Link, *, is_reusable: bool) -> None:
        """The exchange is over."""

    @abstractmethod
    def close(self) -> None:
        """Leave all connections."""

    def _was_used(self, link: Link) -> bool:
        """Whether the connection was used before, so that the server may be about to close it."""
        return False

    # Requests...

    def get(self, url: str, **options: Unpack[Options]) -> ClientResponse:
        """As `request`."""
        __tracebackhide__ = True
        return self.request("GET", url, **options)

    def options(self, url: str, **options: Unpack[Options]) -> ClientResponse:
        """As `request`."""
        __tracebackhide__ = True
        return self.request("OPTIONS", url, **options)

    def head(self, url: str, **options: Unpack[Options]) -> ClientResponse:
        """As `request`."""
        __tracebackhide__ = True
        return self.request("HEAD", url, **options)

    def post(self, url: str, **options: Unpack[Options]) -> ClientResponse:
        """As `request`."""
        __tracebackhide__ = True
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Unpack[Options]) -> ClientResponse:
        """As `request`."""
        __tracebackhide__ = True
        return self.request("PUT", url, **options)

    def patch(self, url: str, **options: Unpack[Options]) -> ClientResponse:
        """As `request`."""
        __tracebackhide__ = True
        return self.request("PATCH", url, **options)

    def delete(self, url: str, **options: Unpack[Options]) -> ClientResponse:
        """As `request`."""
        __tracebackhide__ = True
        return self.request("DELETE", url, **options)

    def request(self, method: str, url: str, **options: Unpack[Options]) -> ClientResponse:
        """Send a request and read its response, redirects followed.

        Args:
            url: a path that begins with a slash, or a whole URL.
            options: see `Options`.
        Returns: the response, once the server has done all that belongs to it.
        Raises: TypeError, ValueError, for a request that cannot be sent; ConnectionLost;
            BadResponse; ResponseTimeout; TooManyRedirects; what the handler let through.
        """
        __tracebackhide__ = True
        response = self._begin(method, url, options)
        try:
            response.read()
        except BaseException as error:
            self._abandon(response._exchange, error)
            raise
        self._end(response)
        return response

    @block("response")
    def stream(self, method: str, url: str, **options: Unpack[Options]) -> Iterator[ClientResponse]:
        """As `request`, and gives the response as soon as its head is there.

        Who leaves the block before the body is complete leaves the server, too: the handler is
        cancelled, and the block is over when the handler is.
        """
        __tracebackhide__ = True
        response = self._begin(method, url, options)
        try:
            yield response
        except BaseException as error:
            self._abandon(response._exchange, error)
            raise
        self._end(response)

    # WebSockets...

    @block("ws")
    def websocket(self, url: str, **options: Unpack[OpeningOptions]) -> Iterator[ClientWebSocket]:
        """Open a WebSocket for the length of a block.

            with client.websocket("/chat/lobby") as ws:
                ws.send("hello")
                assert ws.receive() == "hello yourself"

        Leaving the block closes it with 1000, if it is open, and waits until its handler is over;
        leaving it by an exception leaves the server, too: the handler is cancelled.

        Args:
            url: a path that begins with a slash, or a whole URL, of ws:// or http://.
            options: see `OpeningOptions`.
        Raises: WebSocketRefused, with the response, when there is none to be had; what `request`
            raises, and what the handler let through.
        """
        __tracebackhide__ = True
        ws = self._open_websocket(url, options)
        exchange = ws.response._exchange
        try:
            yield ws
            ws.finish()
        except BaseException as error:
            self._release(exchange.request.address, exchange.link, is_reusable=False)
            if isinstance(error, (ClientError, WebSocketError)):
                ws.raise_failure()
            raise
        self._release(exchange.request.address, exchange.link, is_reusable=False)

    def _open_websocket(self, url: str, options: OpeningOptions) -> ClientWebSocket:
        """Shake hands."""
        __tracebackhide__ = True
        # Here and not above: a test without WebSockets need not import wsproto.
        from photon.testing.opening import Opening
        from photon.testing.websocket import ClientWebSocket

        check_opening(options)
        opening = Opening(options)
        if url.startswith(("ws://", "wss://")):
            url = f"http{url[2:]}"
        outgoing = make_outgoing(
            "GET",
            self._base.at(url, options.get("params")),
            defaults={**self.headers, **opening.headers()},
            headers=options.get("headers"),
            cookies=options.get("cookies"),
        )
        response = self._follow(outgoing, options)
        exchange = response._exchange
        try:
            if response.status != SWITCHING_PROTOCOLS:
                response.read()
        except BaseException as error:
            self._abandon(exchange, error)
            raise
        if response.status != SWITCHING_PROTOCOLS:
            self._end(response)
            raise WebSocketRefused(response)
        try:
            agreed = opening.agreed(exchange.request, response)
        except BaseException as error:
            self._abandon(exchange, error)
            raise
        return ClientWebSocket(
            response, agreed, exchange.timeout_s, raises_failures=self.raise_server_exceptions
        )

    # The beginning of an exchange...

    def _begin(self, method: str, url: str, options: Options) -> ClientResponse:
        """Send a request, and those that redirects ask for, up to the last one's head."""
        __tracebackhide__ = True
        check_options(options)
        outgoing = make_outgoing(
            method,
            self._base.at(url, options.get("params")),
            defaults=self.headers,
            headers=options.get("headers"),
            cookies=options.get("cookies"),
            json=options.get("json"),
            data=options.get("data"),
            files=options.get("files"),
            content=options.get("content"),
        )
        return self._follow(outgoing, options)

    def _follow(self, outgoing: Outgoing, options: Options | OpeningOptions) -> ClientResponse:
        """Send a request, and those that redirects ask for."""
        __tracebackhide__ = True
        follows = options.get("follow_redirects")
        follows = self.follow_redirects if follows is None else follows
        timeout_s = options.get("timeout_s")
        timeout_s = self.timeout_s if timeout_s is None else timeout_s
        history: list[ClientResponse] = []
        while True:
            response = self._send(outgoing, timeout_s)
            response.history = history
            location = response.headers.get("location") if follows else None
            following = None
            if location is not None:
                following = self._redirected(outgoing, response, location)
            if following is None:
                return response
            history = [*history, response]
            outgoing = following

    def _redirected(
        self, outgoing: Outgoing, response: ClientResponse, location: str
    ) -> Outgoing | None:
        """The request that a redirect asks for; its own response is over then."""
        __tracebackhide__ = True
        try:
            following = outgoing.redirected(response.status, location)
            if following is None:
                return None
            response.read()
            if len(response.history) == _MAX_REDIRECTS:
                raise TooManyRedirects(
                    f"{outgoing} is the redirect number {_MAX_REDIRECTS + 1}, to {location!r}; "
                    f"it began with {response.history[0].url}"
                )
        except BaseException as error:
            self._abandon(response._exchange, error)
            raise
        self._end(response)
        return following

    def _send(self, outgoing: Outgoing, timeout_s: float) -> ClientResponse:
        """Send one request and read the head of its response."""
        __tracebackhide__ = True
        fields = outgoing.fields(self.cookies.header_for(outgoing.address, outgoing.cookies))
        while True:
            link = self._connect(outgoing.address, timeout_s)
            exchange = Exchange(link, outgoing, timeout_s)
            try:
                exchange.send(fields)
                head = exchange.head()
            except BaseException as error:
                self._abandon(exchange, error)
                if self._may_send_again(exchange, error):
                    continue
                raise
            response = ClientResponse(
                outgoing.method,
                str(outgoing.address),
                head.status_code,
                head.reason.decode("latin-1"),
                Headers((n.decode("latin-1"), v.decode("latin-1")) for n, v in head.headers),
                exchange,
            )
            set_cookies = response.headers.get_all("set-cookie")
            if set_cookies:
                response.cookies = self.cookies.take(set_cookies, outgoing.address)
            return response

    def _may_send_again(self, exchange: Exchange, error: BaseException) -> bool:
        """Whether the server closed a connection that was idle when we were about to use it."""
        outgoing = exchange.request
        return (
            isinstance(error, ConnectionLost)
            and not exchange.has_begun
            and self._was_used(exchange.link)
            and outgoing.method in _IDEMPOTENT
            and isinstance(outgoing.body, bytes)
        )

    # The end of an exchange...

    def _end(self, response: ClientResponse) -> None:
        """The response was read, or somebody has seen enough of it."""
        __tracebackhide__ = True
        exchange = response._exchange
        try:
            if exchange.is_complete:
                exchange.finish()
        except BaseException as error:
            self._abandon(exchange, error)
            raise
        is_reusable = exchange.is_complete and exchange.is_reusable
        self._release(exchange.request.address, exchange.link, is_reusable=is_reusable)
        self._raise_failure(exchange)

    def _abandon(self, exchange: Exchange, error: BaseException) -> None:
        """Something went wrong: leave.   Raises: what the handler let through, if that is why."""
        __tracebackhide__ = True
        self._release(exchange.request.address, exchange.link, is_reusable=False)
        if isinstance(error, ClientError):
            self._raise_failure(exchange)

    def _raise_failure(self, exchange: Exchange) -> None:
        __tracebackhide__ = True
        failure = exchange.link.failure
        if failure is not None and self.raise_server_exceptions:
            raise_failure(failure, str(exchange.request))

    # Context manager...

    def __enter__(self: C) -> C:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"

    if not TYPE_CHECKING:  # a checker shall see that these do not exist

        def __getattr__(self, name: str) -> Any:
            return no_such_attribute(self, name, _ELSEWHERE)
