"""Forms made by hand, as browsers encode them, and requests that bring them in pieces."""

from __future__ import annotations

from typing import NamedTuple

from photon.http.body import Body
from photon.http.request import Request
from tests.http.requests import Pieces, make_request

BOUNDARY = "----test-boundary"

TYPE = f"multipart/form-data; boundary={BOUNDARY}"


class File(NamedTuple):
    """A file to be sent."""

    filename: str
    content: bytes
    content_type: str | None = None


def encode(entries: list[tuple[str, str | File]]) -> bytes:
    """The body of a form, as WHATWG HTML has browsers write it."""
    return b"".join(_part(name, value) for name, value in entries) + closing()


def _part(name: str, value: str | File) -> bytes:
    disposition = f'form-data; name="{_escaped(name)}"'
    if isinstance(value, str):
        return part(disposition, content=value.encode())
    disposition += f'; filename="{_escaped(value.filename)}"'
    kind = [] if value.content_type is None else [f"Content-Type: {value.content_type}"]
    return part(disposition, *kind, content=value.content)


def _escaped(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def part(disposition: str, *headers: str, content: bytes = b"") -> bytes:
    """One part, with whatever headers."""
    lines = [f"--{BOUNDARY}", f"Content-Disposition: {disposition}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content + b"\r\n"


def closing() -> bytes:
    """The last line of a form."""
    return f"--{BOUNDARY}--\r\n".encode()


def form_request(*pieces: bytes, content_type: str = TYPE, limit_bytes: int = 1 << 30) -> Request:
    """A request whose body comes in these pieces."""
    request = make_request("/", {"Content-Type": content_type}, method="POST")
    request._body = Body(Pieces(*filter(None, pieces)), None, limit_bytes)
    return request


def bytewise(body: bytes) -> list[bytes]:
    """A body that comes byte by byte."""
    return [body[i : i + 1] for i in range(len(body))]
