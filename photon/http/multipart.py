"""`multipart/form-data` part by part, as it comes (RFC 7578, RFC 2046 §5.1).

The bytes are taken apart by the library `multipart`; what is a part of a form, and which forms
are refused, is decided here. What two readers might read differently is refused: two boundaries,
two names for one part, folded headers, content in an encoding of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from os import PathLike
from typing import TYPE_CHECKING, Any

from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    ParserError,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from photon.http.errors import BadBody, HTTPError, PartTooLarge
from photon.http.filenames import safe_name
from photon.http.form_rules import (
    DEFAULT_LIMITS,
    MULTIPART,
    FormLimits,
    as_text,
    not_a_form,
    require_utf_8,
    shown,
)
from photon.http.headers import Headers
from photon.http.part_headers import boundary_of, headers_of, names_of
from photon.http.spool import PIECE_BYTES, Spool, save
from photon.runtime.greenlets import Turn

if TYPE_CHECKING:
    from photon.http.request import Request

# RFC 7578 has three; each one costs 7 us, however short it is.
_MOST_HEADERS = 32

# RFC 7578 §4.7 deprecates the header; these say that the content stands as it is.
_AS_IT_IS = ("7bit", "8bit", "binary")


def parts(request: Request, limits: FormLimits = DEFAULT_LIMITS) -> Iterator[Part]:
    """The parts of a `multipart/form-data` body as they come, none of them kept.

    Each is to be read before the next one is asked for; what was not read is skipped.

    Raises: HTTPError (415), at once, for a body of another type; while it is gone through:
    HTTPError (400): broken (BadBody), or too many; PartTooLarge, BodyTooLarge (413); BodyTimeout;
    ClientDisconnected.
    """
    if request.content_type != MULTIPART:
        raise not_a_form(request.content_type, MULTIPART)
    boundary = boundary_of(request.headers["content-type"])
    chunks = _from_boundary(request.chunks(), f"--{boundary}".encode())
    events = _events(chunks, _Parser(boundary, limits.header_bytes))
    return _parts(events, limits)


class Part:
    """One part of a form that is being received: take its content once, before the next part.

    Attributes:
        name: of the form's field.
        filename: as the client sent it: never a path to write to; None for a field that is no
            file, "" for a file field that was left empty.
        content_type: lower-case, without parameters; "text/plain" when not given (RFC 7578 §4.4).
        headers: all its headers.
        number: its place in the form, from 1.
        size: bytes of it that came so far.
    """

    __slots__ = (
        "_charset",
        "_events",
        "_limit",
        "_state",
        "content_type",
        "filename",
        "headers",
        "name",
        "number",
        "size",
    )

    def __init__(
        self,
        number: int,
        headers: Headers,
        events: Iterator[Any],
        limits: FormLimits,
    ) -> None:
        self.number = number
        self.size = 0
        self.headers = headers
        self.name, self.filename = names_of(number, headers)
        kind, options = parse_options_header(headers.get("content-type", "text/plain"))
        self.content_type: str = kind
        self._charset: str | None = options.get("charset")
        self._events = events
        self._limit = limits.field_bytes if self.filename is None else limits.file_bytes
        self._state = "unread"
        _check_encoding(self)

    @property
    def place(self) -> str:
        """Names it in a message: its number and its name."""
        return f"part {self.number} ({shown(self.name)})"

    @property
    def safe_name(self) -> str:
        """The file's name without directories and all that is dangerous in one; "file" if none."""
        return safe_name(self.filename or "")

    def chunks(self) -> Iterator[bytes]:
        """Its content as it comes, in pieces of at most 64 KiB, each given once.

        Raises: RuntimeError, when it was read, or passed by, already; PartTooLarge (413), beyond
        `FormLimits.field_bytes` or `file_bytes`; as `parts`.
        """
        if self._state == "passed":
            raise self._passed()
        if self._state != "unread":
            raise RuntimeError(f"{self.place} was read already and is not kept: read it once")
        self._state = "reading"
        return self._pull(self._limit)

    def read(self, limit: int | None = None) -> bytes:
        """All of its content.

        Args: limit: in bytes; None for that of `FormLimits`.
        Raises: as `chunks`.
        """
        content = BytesIO()
        for chunk in self.chunks():
            if limit is not None and self.size > limit:
                raise PartTooLarge(self.place, limit, self.number)
            content.write(chunk)
        return content.getvalue()

    def text(self, limit: int | None = None) -> str:
        """All of its content, as text.

        Raises: BadBody (400), when it is no UTF-8, or says that it is something else; as `read`.
        """
        if self._charset is not None:
            require_utf_8(self._charset, self.place)
        text = as_text(self.read(limit), self)
        if self.name == "_charset_":
            # RFC 7578 §4.6: it names the encoding of all fields that do not name their own.
            require_utf_8(text, "the form")
        return text

    def save_to(self, path: str | PathLike[str]) -> int:
        """Put its content into the file `path`, in place of what is there, as it comes.

        It is there as a whole or not at all. The path is yours: build it with a name of your own,
        or with `safe_name`.

        Returns: the size, in bytes.
        Raises: OSError: no such directory, not allowed, no space, or `path` is a directory; as
        `chunks`.
        """
        spool = Spool(PIECE_BYTES, os.path.dirname(os.fspath(path)) or ".")
        try:
            for chunk in self.chunks():
                spool.write(chunk)
            save(spool.finish(), path)
        finally:
            spool.close()
        return spool.size

    def _pull(self, limit: int | None) -> Iterator[bytes]:
        while self._state == "reading":
            event = next(self._events, None)
            if event is None:
                self._state = "read"
                return
            self.size += len(event)
            if limit is not None and self.size > limit:
                raise PartTooLarge(self.place, limit, self.number)
            yield event
        if self._state == "passed":
            raise self._passed()

    def _pass_by(self) -> None:
        """Skip what was not read."""
        if self._state != "read":
            self._state = "passed"
            for event in self._events:
                if event is None:
                    break

    def _passed(self) -> RuntimeError:
        return RuntimeError(
            f"{self.place} was passed by and is not kept: read each part before asking for the"
            " next one, or take request.form(), which keeps them all"
        )

    def __str__(self) -> str:
        return self.place

    def __repr__(self) -> str:
        file = "" if self.filename is None else f" {self.filename!r}"
        return f"<Part {self.number} {self.name!r}{file}, {self.size} bytes {self._state}>"


def _parts(events: Iterator[Any], limits: FormLimits) -> Iterator[Part]:
    turn = Turn()
    files = 0
    for number, segment in enumerate(events, 1):  # what follows each one is taken by its part
        if number > limits.parts:
            raise HTTPError(400, f"the form has more than {limits.parts} parts")
        part = Part(number, headers_of(number, segment.headerlist), events, limits)
        files += part.filename is not None
        if files > limits.files:
            raise HTTPError(400, f"the form has more than {limits.files} files")
        yield part
        part._pass_by()
        turn.give_way()


# The bytes...


class _Parser(PushMultipartParser):  # type: ignore[misc]  # it has no types
    """The library's, with one limit for all headers of a part, and without folded ones.

    Folding is obsolete (RFC 9112 §5.2) and costs the square of a header's length here.
    """

    def __init__(self, boundary: str, header_bytes: int) -> None:
        super().__init__(boundary, max_header_size=header_bytes, max_header_count=header_bytes)
        self._most = self._left = header_bytes
        self._lines = 0

    def _on_segment_headerline(self, line: bytes) -> None:
        if line[0] in b" \t":
            raise ParserError("Folded segment header")
        self._lines += 1
        if self._lines > _MOST_HEADERS:
            raise ParserError(f"More than {_MOST_HEADERS} segment headers")
        self._left -= len(line) + 2
        if self._left < 0:
            raise ParserLimitReached("Headers of a segment too large")
        super()._on_segment_headerline(line)

    def _create_segment(self, headerlist: list[tuple[str, str]]) -> Any:
        self._left, self._lines = self._most, 0
        return super()._create_segment(headerlist)


def _from_boundary(chunks: Iterator[bytes], boundary: bytes) -> Iterator[bytes]:
    """The chunks as they are, once they are known to begin with the boundary.

    RFC 2046 §5.1.1 lets a preamble stand before it, for readers of mail that know no MIME. No
    client sends one with a form, and where it ends depends, for the library, on the chunks.
    """
    begin = b""
    for chunk in chunks:
        begin += chunk
        if len(begin) >= len(boundary) + 2:
            break
    first = begin.removeprefix(b"\r\n")
    if not boundary.startswith(first[: len(boundary)]) and begin != b"\r":
        what = f"does not begin with its boundary {shown(boundary.decode())}"
        raise BadBody(f"the body {what}", part=1)
    if begin:
        yield begin
    yield from chunks


def _events(chunks: Iterator[bytes], parser: _Parser) -> Iterator[Any]:
    """For each part a segment with its headers, its content as bytes, and None for its end."""
    number, is_inside = 0, False
    try:
        for chunk in chunks:
            for event in parser.parse(chunk):
                if event is None:
                    is_inside = False
                elif event.__class__ is not bytes:
                    number += 1
                    is_inside = True
                yield event
    except ParserLimitReached as error:
        number += 1
        limit = parser.max_header_size
        raise PartTooLarge(f"the header section of part {number}", limit, number) from error
    except MultipartError as error:
        place = number if is_inside else number + 1
        what = str(error.args[0]).lower()
        raise BadBody(
            f"the body is not {MULTIPART}: {what}, at part {place}", part=place
        ) from error
    try:
        parser.close()
    except MultipartError as error:
        place = number if is_inside else number + 1
        what = f"it ends {'in' if is_inside else 'before'} part {place}, without closing boundary"
        raise BadBody(f"the body is not complete: {what}", part=place) from error


def _check_encoding(part: Part) -> None:
    """Raise BadBody for a part whose content is something else than it seems."""
    encoding = part.headers.get("content-transfer-encoding", "binary")
    if encoding.lower() not in _AS_IT_IS:
        what = f"is in the transfer encoding {shown(encoding)}; send it as it is (RFC 7578 §4.7)"
        raise BadBody(f"{part.place} {what}", part=part.number)
    if part.filename is None and part.content_type.startswith("multipart/"):
        # RFC 7578 §4.3: several files for one field are several parts of the same name.
        what = "is a multipart within the form; send each of its files as a part of the form"
        raise BadBody(f"{part.place} {what}", part=part.number)
