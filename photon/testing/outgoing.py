"""A request as it will be sent, made from what the test says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from photon.http.headers import wire_field
from photon.http.response import encode_json
from photon.testing.address import Address, Params, encode_fields, field_pairs
from photon.testing.multipart import Files, encode_multipart

Content: TypeAlias = bytes | str | Iterable[bytes]
HeaderArgument: TypeAlias = Mapping[str, str | None] | Iterable[tuple[str, str]]
"""Names and values; None takes a default away."""

# RFC 9110 §8.6: a client sends Content-Length: 0 where the method is one that has content.
_HAVE_CONTENT = ("POST", "PUT", "PATCH")

REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request.

    Attributes:
        headers: pairs of (name, value), lower-case, without Host, Cookie and framing, unless the
            test gave them.
        cookies: for this request, besides those of the jar.
        body: all of it, or an iterable that is sent in chunks.
    """

    method: str
    address: Address
    headers: list[tuple[str, str]]
    cookies: Mapping[str, str]
    body: bytes | Iterable[bytes]

    def __str__(self) -> str:
        return f"{self.method} {self.address}"

    def header(self, name: str) -> str | None:
        return next((value for other, value in self.headers if other == name), None)

    def fields(self, cookie: str) -> list[tuple[bytes, bytes]]:
        """The header fields for the wire.

        Args: cookie: what the jar has; it makes room for a Cookie header that the test gave.
        Raises: ValueError.
        """
        fields = [] if self.header("host") else [wire_field("host", self.address.host)]
        fields += [wire_field(name, value) for name, value in self.headers]
        if cookie and not self.header("cookie"):
            fields.append(wire_field("cookie", cookie))
        if self.header("content-length") or self.header("transfer-encoding"):
            return fields
        if not isinstance(self.body, bytes):
            fields.append((b"transfer-encoding", b"chunked"))
        elif self.body or self.method in _HAVE_CONTENT:
            fields.append((b"content-length", b"%d" % len(self.body)))
        return fields

    def redirected(self, status: int, location: str) -> Outgoing | None:
        """The request that a redirect asks for; None when it is none that can be followed.

        Source: RFC 9110 §15.4 and, for 301 and 302, what browsers do (Fetch, "HTTP-redirect
        fetch").   Raises: ValueError, when a body would have to be sent again that is gone.
        """
        address = self.address.follow(location) if status in REDIRECTS else None
        if address is None:
            return None
        headers, method, body = self.headers, self.method, self.body
        if (status in (301, 302) and method == "POST") or (
            status == 303 and method not in ("GET", "HEAD")
        ):
            method, body = "GET", b""
            headers = [(n, v) for n, v in headers if not _is_about_content(n)]
        elif not isinstance(body, bytes):
            raise ValueError(
                f"{self} was answered by a redirect ({status}), and its content is an iterator "
                "that is used up: give it as bytes, or follow_redirects=False"
            )
        cookies = self.cookies
        if address.origin != self.address.origin:
            # What was meant for one host is not told to another one.
            private = ("authorization", "cookie", "host", "proxy-authorization")
            headers = [(n, v) for n, v in headers if n not in private]
            cookies = {}
        return replace(
            self, method=method, address=address, headers=headers, cookies=cookies, body=body
        )


def make_outgoing(
    method: str,
    address: Address,
    *,
    defaults: Mapping[str, str],
    headers: HeaderArgument | None,
    cookies: Mapping[str, str] | None,
    json: Any = None,
    data: Params | None = None,
    files: Files | None = None,
    content: Content | None = None,
) -> Outgoing:
    """A request.   Raises: TypeError, ValueError, with the way out."""
    body, content_type = _body(json, data, files, content)
    merged = dict(defaults)
    if content_type is not None:
        merged["content-type"] = content_type
    several = []
    for name, value in _pairs(headers):
        merged.pop(name.lower(), None)
        if value is not None:
            several.append((name.lower(), str(value)))
    return Outgoing(method.upper(), address, [*merged.items(), *several], cookies or {}, body)


def _pairs(headers: HeaderArgument | None) -> Iterable[tuple[str, str | None]]:
    if headers is None:
        return ()
    return headers.items() if isinstance(headers, Mapping) else headers


def _is_about_content(name: str) -> bool:
    return name.startswith("content-") or name in ("transfer-encoding", "expect")


def _body(
    json: Any, data: Params | None, files: Files | None, content: Content | None
) -> tuple[bytes | Iterable[bytes], str | None]:
    """The body and its media type."""
    given = {"json": json is not None, "content": content is not None}
    given["data or files"] = data is not None or files is not None
    chosen = [name for name, is_given in given.items() if is_given]
    if len(chosen) > 1:
        raise TypeError(f"a request has one body: give {' or '.join(chosen)}, not both")
    if json is not None:
        return encode_json(json), "application/json"
    if isinstance(data, (str, bytes, bytearray)) or hasattr(data, "read"):
        raise TypeError(
            "data is the fields of a form, as in {'name': 'pen'}; give bytes as content"
        )
    if files is not None:
        if hasattr(files, "read") or hasattr(files, "encode") or hasattr(files, "decode"):
            raise TypeError("files are named, as in files={'file': ('name.txt', b'...')}")
        return encode_multipart(field_pairs(data or {}), files)
    if data is not None:
        return encode_fields(data).encode(), "application/x-www-form-urlencoded"
    return _content(content), None


def _content(content: Content | None) -> bytes | Iterable[bytes]:
    if content is None:
        return b""
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, (bytes, bytearray, memoryview)):
        return bytes(content)
    if isinstance(content, Mapping):
        raise TypeError("content is bytes, or an iterator of them; give a dict as json or as data")
    if not hasattr(content, "__iter__"):
        raise TypeError(f"content is bytes, or an iterator of them, not {type(content).__name__}")
    return content
