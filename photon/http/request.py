"""A request as handlers see it. Nothing in it is taken apart before somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, TypeVar, overload

import msgspec

from photon.http.body import Body, NoBody
from photon.http.cookies import parse_cookies
from photon.http.errors import BadBody
from photon.http.headers import Headers
from photon.http.identity import new_request_id
from photon.http.protocol.events import RequestHead
from photon.http.target import Query, decode_path, split_target

T = TypeVar("T")

_NOTHING: Mapping[str, Any] = {}


class Request:
    """One request.

    Attributes:
        method: upper-case, such as "GET".
        target: as on the wire, path and query, percent-encoded.
        raw_path: the path alone, still percent-encoded.
        query_string: what follows the `?`, still encoded; "" when there is none.
        headers: a read-only mapping whose names ignore case.
        http_version: "1.1" or "1.0".
        scheme: "http" or "https".
        peer: the other end of the connection as `host:port`; "" over a Unix socket.
        path_values: the values that the route took from the path, by name.
    """

    __slots__ = (
        "_body",
        "_cookies",
        "_id",
        "_query",
        "_state",
        "head",
        "headers",
        "method",
        "path_values",
        "peer_of",
        "query_string",
        "raw_path",
        "scheme",
        "target",
    )

    def __init__(
        self,
        head: RequestHead,
        body: Body | None = None,
        *,
        scheme: str = "http",
        peer_of: Any = None,
    ) -> None:
        # PERF: one of these per request; what most handlers never read is made in properties.
        self.head = head
        self.method = head.method
        self.target = target = head.target
        self.headers: Headers = head.fields.headers
        if target[0] == "/":
            self.raw_path, _, self.query_string = target.partition("?")
        else:
            self.raw_path, self.query_string = split_target(target)
        self.path_values = _NOTHING
        self.scheme = scheme
        self.peer_of = peer_of
        self._body = body
        self._id: str | None = None
        self._query: Query | None = None
        self._cookies: dict[str, str] | None = None
        self._state: SimpleNamespace | None = None

    # The head...

    @property
    def path(self) -> str:
        """The path with its percent-encoding taken off."""
        return decode_path(self.raw_path)

    @property
    def query(self) -> Query:
        """The fields of the query string, by name.   Raises: HTTPError (400): too many fields."""
        if self._query is None:
            self._query = Query(self.query_string)
        return self._query

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies, by name."""
        if self._cookies is None:
            self._cookies = parse_cookies(self.headers.get("cookie", ""))
        return self._cookies

    @property
    def http_version(self) -> str:
        return self.head.version

    @property
    def peer(self) -> str:
        return self.peer_of.peer if self.peer_of is not None else ""

    @property
    def host(self) -> str:
        """The host the client asked for, with its port if it named one; "" when it named none."""
        target = self.target
        if target[0] != "/" and "://" in target:
            # RFC 9112 §3.2.2: the host of an absolute target wins over the Host field.
            return target.partition("://")[2].partition("/")[0].partition("?")[0]
        return self.headers.get("host", "")

    @property
    def url(self) -> str:
        """The whole URL, as the client wrote it."""
        query = f"?{self.query_string}" if self.query_string else ""
        return f"{self.scheme}://{self.host}{self.raw_path}{query}"

    @property
    def content_type(self) -> str:
        """The media type of the body, lower-case and without parameters; "" when not given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    # What travels with the request...

    @property
    def id(self) -> str:
        """Names this request in logs and problems; made when first asked for."""
        if self._id is None:
            self._id = new_request_id()
        return self._id

    @id.setter
    def id(self, value: str) -> None:
        self._id = value

    @property
    def state(self) -> SimpleNamespace:
        """A place for what middleware wants to tell handlers."""
        if self._state is None:
            self._state = SimpleNamespace()
        return self._state

    # The body...

    def body(self) -> bytes:
        """The whole body, waiting for it; the same bytes again when asked again.

        Raises: BodyTooLarge (413); BodyTimeout (408); ClientDisconnected.
        """
        return self._source.read()

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives, in pieces of at most 64 KiB, each given once.

        Raises: as `body`.
        """
        return self._source.chunks()

    def text(self) -> str:
        """The body decoded as its Content-Type says, UTF-8 when it says nothing.

        Raises: BadBody (400), when it is not text of that encoding; as `body`.
        """
        charset = _charset(self.headers.get("content-type", ""))
        try:
            return self.body().decode(charset)
        except UnicodeDecodeError as error:
            raise BadBody(f"the body is not {charset}: {error.reason} at byte {error.start}") from (
                error
            )
        except LookupError as error:
            raise BadBody(f"nothing here reads the encoding {charset!r}") from error

    @overload
    def json(self) -> Any: ...
    @overload
    def json(self, type: type[T]) -> T: ...
    def json(self, type: Any = Any) -> Any:
        """The body read as JSON.

        Args: type: any type msgspec knows; the value is checked against it.
        Raises: BadBody (400) for broken JSON; msgspec.ValidationError, which becomes a 422, for
        JSON of another shape; as `body`.
        """
        try:
            return msgspec.json.decode(self.body(), type=type)
        except msgspec.ValidationError:
            raise
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadBody(f"the body is not JSON: {error}") from error

    @property
    def _source(self) -> Body:
        if self._body is None:
            self._body = Body(NoBody(), 0, 0)
        return self._body

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target}>"


def _charset(content_type: str) -> str:
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"') or "utf-8"
    return "utf-8"
