"""A request as handlers see it. Nothing in it is taken apart before somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from encodings import normalize_encoding
from encodings.aliases import aliases
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

import msgspec

from photon.http.body import Body, NoBody, Whole
from photon.http.cookies import parse_cookies
from photon.http.errors import BadBody, InvalidBody
from photon.http.headers import Headers
from photon.http.identity import new_request_id
from photon.http.protocol.events import RequestHead
from photon.http.target import Query, decode_path
from photon.http.validation import errors_in

if TYPE_CHECKING:
    from photon.http.forms import Form, FormLimits
    from photon.http.multipart import Part
    from photon.http.server.terms import OnDisconnect
    from photon.http.server.upgrade import Upgrade, Upgraded
    from photon.runtime.handle import Handle

T = TypeVar("T")

_CODECS = {*aliases, *aliases.values(), "utf_8_sig"}

_NO_VALUES: Mapping[str, Any] = MappingProxyType({})


class Link(Protocol):
    """What a request came by: a connection, or a test."""

    @property
    def peer(self) -> str:
        """The other side as `host:port`; "" when it has no name."""
        ...

    @property
    def scheme(self) -> str:
        """ "http" or "https"."""
        ...

    @property
    def client_has_left(self) -> bool:
        """Whether the other side is gone, as far as can be seen."""
        ...

    def allow(self, seconds: float) -> None:
        """Let the handler wait so long in place of what the server's settings say."""
        ...

    def agree_on_leaving(
        self, policy: OnDisconnect, on_left: Callable[[], object] | None = None
    ) -> None:
        """What is done when the client goes away before it was answered."""
        ...

    def upgrade(self, head: bytes, session: Upgraded) -> Upgrade:
        """Send the head of a 101 and hand what it came by over to another protocol."""
        ...


class Request(msgspec.Struct, eq=False):
    """One request.

    Args:
        body: None for no body; bytes when it came with the head.
        link: what it came by; None in tests that do not care.
    Attributes:
        head: method, target and header fields, as the protocol read them.
        path_values: the values that the route took from the path, by name.
        root: what was taken off the path where this application is mounted; "" at the top.
        failure: the exception that became a 500, once it was logged.
        ended_by: what kept the response from being made or sent, for what is done then; None also
            when it was the client that did not take it.
        is_upgraded: whether another protocol, WebSocket, has its connection.
        background: what runs for it after its response, once it was started; tests wait for it.
    """

    # PERF: one of these per request. A Struct fills its fields in C, 0.1 us for all of them,
    # where an __init__ takes 0.25 us for four; what is derived is made when somebody asks.
    head: RequestHead
    _body: Body | bytes | None = None
    _link: Link | None = None
    path_values: Mapping[str, Any] = _NO_VALUES
    _query: Query | None = None
    _cookies: dict[str, str] | None = None
    _id: str | None = None
    _state: SimpleNamespace | None = None
    _scheme: str | None = None
    _peer: str | None = None
    _host: str | None = None
    root: str = ""
    failure: BaseException | None = None
    ended_by: BaseException | None = None
    is_upgraded: bool = False
    background: Handle[Any] | None = None
    _after: list[Callable[[], object]] | None = None
    _form: Form | None = None
    _form_limits: FormLimits | None = None

    # The head...

    @property
    def method(self) -> str:
        """Upper-case, such as "GET"."""
        return self.head.method

    @property
    def target(self) -> str:
        """Path and query as on the wire, percent-encoded."""
        return self.head.target

    @property
    def headers(self) -> Headers:
        """The header fields: a read-only mapping whose names ignore case."""
        return self.head.fields.headers

    @property
    def path(self) -> str:
        """The path with its percent-encoding taken off."""
        return decode_path(self.head.path)

    @property
    def raw_path(self) -> str:
        """The path as on the wire, percent-encoded."""
        return self.head.path

    @property
    def query_string(self) -> str:
        """What follows the `?`, still encoded; "" when there is none."""
        return self.head.query

    @property
    def http_version(self) -> str:
        """ "1.1" or "1.0"."""
        return self.head.version

    @property
    def scheme(self) -> str:
        """ "http" or "https". May be set, by middleware that trusts the proxy in front."""
        if self._scheme is None:
            self._scheme = self._link.scheme if self._link is not None else "http"
        return self._scheme

    @scheme.setter
    def scheme(self, value: str) -> None:
        self._scheme = value

    @property
    def peer(self) -> str:
        """The client as `host:port`; "" when it has no name. May be set, as `scheme`."""
        if self._peer is None:
            self._peer = self._link.peer if self._link is not None else ""
        return self._peer

    @peer.setter
    def peer(self, value: str) -> None:
        self._peer = value

    @property
    def peer_certificate(self) -> Mapping[str, Any] | None:
        """What the client proved to be, if the server asks for certificates (`--tls-ca`).

        As `ssl.SSLSocket.getpeercert` tells it: "subject", "subjectAltName", "serialNumber" and so
        on; None without one. That a proxy in front asked for it cannot be seen here.
        """
        return getattr(self._link, "peer_certificate", None)

    @property
    def query(self) -> Query:
        """The fields of the query string, by name.   Raises: HTTPError (400): too many fields."""
        if self._query is None:
            self._query = Query(self.head.query)
        return self._query

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies, by name."""
        if self._cookies is None:
            self._cookies = parse_cookies(self.headers.get("cookie", ""))
        return self._cookies

    @property
    def host(self) -> str:
        """The host the client asked for, with its port if it named one; "" when it named none.

        May be set, as `scheme`.
        """
        if self._host is not None:
            return self._host
        target = self.head.target
        if target[0] != "/" and "://" in target:
            # RFC 9112 §3.2.2: the host of an absolute target wins over the Host field.
            return target.partition("://")[2].partition("/")[0].partition("?")[0]
        return self.headers.get("host", "")

    @host.setter
    def host(self, value: str) -> None:
        self._host = value

    @property
    def url(self) -> str:
        """The whole URL, as the client wrote it."""
        query = f"?{self.head.query}" if self.head.query else ""
        # RFC 9110 §7.1: the asterisk of OPTIONS stands for the server, and is no path.
        path = "" if self.head.path == "*" else self.head.path
        return f"{self.scheme}://{self.host}{self.root}{path}{query}"

    @property
    def content_type(self) -> str:
        """The media type of the body, lower-case and without parameters; "" when not given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    # What travels with the request...

    @property
    def id(self) -> str:
        """Names this request in logs and problems; made when first asked for, or set."""
        if self._id is None:
            self._id = new_request_id()
        return self._id

    @id.setter
    def id(self, value: str) -> None:
        self._id = value

    @property
    def has_id(self) -> bool:
        """Whether somebody named this request already."""
        return self._id is not None

    @property
    def state(self) -> SimpleNamespace:
        """A place for what middleware wants to tell handlers."""
        if self._state is None:
            self._state = SimpleNamespace()
        return self._state

    def on_done(self, fn: Callable[[], object]) -> None:
        """Have `fn` called when the response was written, or could not be; the last one first.

        The connection takes its next request after that. A client that goes away meanwhile does
        not interrupt `fn`; a server that stops does, when its patience is over.
        """
        if self._after is None:
            self._after = []
        self._after.append(fn)

    def allow(self, seconds: float) -> None:
        """Let this request's handler wait so long until its response begins; then it is 504."""
        if self._link is not None:
            self._link.allow(seconds)

    @property
    def client_has_left(self) -> bool:
        """Whether the client went away, for handlers that go on without it."""
        return self._link is not None and self._link.client_has_left

    def on_disconnect(self, do: OnDisconnect | Callable[[], object]) -> None:
        """What is done if the client goes away before it was answered.

        Args: do: "cancel" interrupts the handler where it waits, which is done if nobody says
            anything else; "ignore" lets it go on; a function is called, by the hub, so it must not
            wait: such as `event.set`.
        """
        if self._link is None:
            return
        if callable(do):
            self._link.agree_on_leaving("notify", do)
        else:
            self._link.agree_on_leaving(do)

    def upgrade(self, head: bytes, session: Upgraded) -> Upgrade:
        """Answer with `head`, which is a 101's, and let `session` have the connection.

        What the application returns for this request is not sent; its return ends the connection.

        Raises: StreamError; RuntimeError, when it came by nothing that can be upgraded.
        """
        if self._link is None:
            raise RuntimeError(f"{self!r} came by no connection, so it cannot be upgraded")
        upgrade = self._link.upgrade(head, session)
        self.is_upgraded = True
        return upgrade

    # The body...

    def body(self) -> bytes:
        """The whole body, waiting for it; the same bytes again when asked again.

        Raises: BodyTooLarge (413); BodyTimeout (408); ClientDisconnected.
        """
        body = self._body
        # PERF: most bodies are small and come in one packet with their head; the generator that
        # waits for others costs 3 us.
        return body if isinstance(body, bytes) else self._source.read()

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives, in pieces of at most 64 KiB, each given once.

        Raises: as `body`.
        """
        return self._source.chunks()

    def limit_body(self, limit_bytes: int) -> None:
        """Take at most so much of this request's body: more, or less, than `Limits.body_bytes`.

        Raises: ValueError, for a negative limit; RuntimeError, when a part of it was read.
        """
        self._source.limit(limit_bytes)

    def limit_form(self, limits: FormLimits) -> None:
        """Read this request's form within these limits, where `form` and `parts` get none."""
        self._form_limits = limits

    def form(self, limits: FormLimits | None = None) -> Form:
        """The form in the body, waiting for it; the same form again when asked again.

        Its files are closed when the request is over.

        Args: limits: None for those of the route, else of `FormLimits()`; they count when the form
            is first read.
        Raises: HTTPError: 400, 413, 415, as `photon.http.forms.read_form`; as `body`.
        """
        if self._form is None:
            from photon.http.forms import FormLimits, read_form

            self._form = read_form(self, limits or self._form_limits or FormLimits())
            # Before all that was registered: providers may look at the files in their cleanup.
            self._after = [self._form.close, *(self._after or ())]
        return self._form

    def parts(self, limits: FormLimits | None = None) -> Iterator[Part]:
        """The parts of a `multipart/form-data` body as they come, none of them kept.

        Each is read before the next one is asked for; what was not read is skipped.

        Args: limits: None for those of the route, else of `FormLimits()`.

        Raises: HTTPError: 400, 413, 415, as `photon.http.multipart.parts`; as `body`.
        """
        from photon.http.form_rules import FormLimits
        from photon.http.multipart import parts

        return parts(self, limits or self._form_limits or FormLimits())

    def text(self) -> str:
        """The body decoded as its Content-Type says, UTF-8 when it says nothing.

        Raises: BadBody (400), when it is not text of that encoding; as `body`.
        """
        charset = _charset(self.headers.get("content-type", ""))
        try:
            return self.body().decode(_codec(charset))
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
        Raises: BadBody (400) for broken JSON; InvalidBody (422) for JSON of another shape; as
        `body`.
        """
        data = self.body()
        try:
            return msgspec.json.decode(data, type=type)
        except msgspec.ValidationError as error:
            found = errors_in(data, type, error, msgspec.json.decode)
            raise InvalidBody(found) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadBody(f"the body is not JSON: {error}") from error

    @property
    def _source(self) -> Body:
        body = self._body
        if not isinstance(body, Body):
            data = body or b""
            source = Whole(data) if data else NoBody()
            body = self._body = Body(source, len(data), len(data))
        return body

    def __str__(self) -> str:
        return f"{self.head.method} {self.head.target}"

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target}>"


def _charset(content_type: str) -> str:
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"') or "utf-8"
    return "utf-8"


def _codec(charset: str) -> str:
    """Python's name of an encoding.   Raises: LookupError.

    Only those that have aliases: the others are Python's own, and some of them take quadratic
    time (punycode) or fail in ways of their own (undefined). And Python remembers for ever each
    name that it looked for in vain.
    """
    name = normalize_encoding(charset).lower()
    if name not in _CODECS:
        raise LookupError(charset)
    return name
