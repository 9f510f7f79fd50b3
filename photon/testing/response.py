"""A response as the client of a test sees it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

from photon.http.headers import Headers
from photon.http.problems import PROBLEM
from photon.http.status import reason_phrase
from photon.testing.decoding import decoded
from photon.testing.errors import StatusError
from photon.testing.events import Event, parse_events, split_lines

if TYPE_CHECKING:
    from photon.testing.exchange import Exchange

T = TypeVar("T")

# So much of a body is shown by a repr, in which a failing assert shows the response.
_SHOWN = 300

_ELSEWHERE = {
    "status_code": "status",
    "reason_phrase": "reason",
    "body": "content",
    "iter_content": "iter_bytes()",
    "ok": "raise_for_status(), or a look at status",
    "is_success": "raise_for_status(), or a look at status",
    "is_error": "raise_for_status(), or a look at status",
    "get_json": "json()",
    "data": "content",
}
"""What other clients call it, and this one."""


class ClientResponse:
    """A response.

    Attributes:
        status: such as 201.
        reason: the phrase beside it, such as "Created".
        headers: names ignore case; `headers.get_all(name)` gives several of one name singly.
        cookies: names and values of those that this response set.
        method, url: of the request that it answers, after redirects.
        history: the redirects that led here, in order.
    """

    __test__ = False  # for pytest, which looks at what a test module imports

    def __init__(
        self,
        method: str,
        url: str,
        status: int,
        reason: str,
        headers: Headers,
        exchange: Exchange,
    ) -> None:
        self.method = method
        self.url = url
        self.status = status
        self.reason = reason or reason_phrase(status)
        self.headers = headers
        self.cookies: Mapping[str, str] = {}
        self.history: list[ClientResponse] = []
        self._exchange = exchange
        self._content: bytes | None = None
        self._is_taken = False

    # The body, when it is all there...

    def read(self) -> bytes:
        """The whole body, waiting for it; the same bytes again when asked again.

        Raises: ConnectionLost; BadResponse; ResponseTimeout; RuntimeError, when it was iterated.
        """
        if self._content is None:
            self._content = b"".join(self._pieces())
        return self._content

    @property
    def content(self) -> bytes:
        """The whole body, without its Content-Encoding.

        Raises: RuntimeError, when it is streamed and was not read.
        """
        if self._content is None:
            raise RuntimeError(
                "the body is streamed: iterate over it, or call read() before you ask for all of it"
            )
        return self._content

    @property
    def text(self) -> str:
        """The body as text, of the charset that the Content-Type names, or UTF-8."""
        return self.content.decode(self._charset, "replace")

    @overload
    def json(self) -> Any: ...
    @overload
    def json(self, type: type[T]) -> T: ...
    def json(self, type: Any = Any) -> Any:
        """The body read as JSON.

        Args: type: any type msgspec knows; the value is made and checked as one.
        Raises: ValueError, which shows the response.
        """
        try:
            return msgspec.json.decode(self.content, type=type)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            wanted = "JSON" if type is Any else f"JSON of {getattr(type, '__name__', type)}"
            raise ValueError(f"{self!r} is no {wanted}: {error}") from error

    @property
    def problem(self) -> dict[str, Any]:
        """The members of a problem (RFC 9457).   Raises: ValueError, when it is none."""
        if self.content_type != PROBLEM:
            raise ValueError(f"{self!r} is no {PROBLEM}")
        return self.json(dict[str, Any])

    @property
    def content_type(self) -> str:
        """The media type, lower-case and without parameters; "" when not given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    # The body, as it comes...

    def iter_bytes(self) -> Iterator[bytes]:
        """The body as it comes, without its Content-Encoding; the pieces are the network's."""
        if self._content is not None:
            return iter([self._content] if self._content else [])
        return self._pieces()

    def iter_text(self) -> Iterator[str]:
        """The body as text, as it comes."""
        decoder = codecs.getincrementaldecoder(self._charset)("replace")
        for piece in self.iter_bytes():
            if text := decoder.decode(piece):
                yield text
        if text := decoder.decode(b"", final=True):
            yield text

    def iter_lines(self) -> Iterator[str]:
        """The body line by line, without the line ends, each as soon as it is complete."""
        return split_lines(self.iter_text())

    def iter_events(self) -> Iterator[Event]:
        """The events of a `text/event-stream`, each as soon as it is complete.

        Raises: ValueError, when the body is none.
        """
        if self.content_type != "text/event-stream":
            raise ValueError(f"{self!r} is no text/event-stream")
        return parse_events(self.iter_text())

    def _pieces(self) -> Iterator[bytes]:
        if self._is_taken:
            raise RuntimeError("the body was already iterated, and is not kept")
        self._is_taken = True
        pieces = self._exchange.pieces()
        encoding = self.headers.get("content-encoding")
        return pieces if encoding is None else decoded(pieces, encoding)

    @property
    def _charset(self) -> str:
        _, _, parameters = self.headers.get("content-type", "").partition(";")
        for parameter in parameters.split(";"):
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset":
                charset = value.strip().strip('"')
                try:
                    "".encode(charset)  # unlike codecs.lookup, it knows what is none of text
                except LookupError:
                    break
                return charset or "utf-8"
        return "utf-8"

    # Saying what it is...

    def raise_for_status(self) -> ClientResponse:
        """This response.   Raises: StatusError, which shows it, for a status of 400 and above."""
        if self.status >= 400:
            raise StatusError(self)
        return self

    def __repr__(self) -> str:
        kind = self.headers.get("content-type", "")
        return (
            f"<{self.status} {self.reason} to {self.method} {self.url}"
            f"{' ' if kind else ''}{kind}{self._shown_body()}>"
        )

    def _shown_body(self) -> str:
        if self._content is None:
            return ", streamed"
        if not self._content:
            return ""
        beginning = self._content[: _SHOWN * 4]
        text = beginning.decode(self._charset, "replace")
        if "\0" in text or text.count("\ufffd") > len(text) // 4:
            return f": {len(self._content)} bytes {self._content[:32]!r}"
        if len(text) <= _SHOWN and len(beginning) == len(self._content):
            return f": {text}"
        return f": {text[:_SHOWN]}… ({len(self._content)} bytes)"

    if not TYPE_CHECKING:  # a checker shall see that these do not exist

        def __getattr__(self, name: str) -> Any:
            here = _ELSEWHERE.get(name)
            hint = f": here it is {here}" if here else ""
            raise AttributeError(f"a ClientResponse has no {name!r}{hint}", name=name, obj=self)
