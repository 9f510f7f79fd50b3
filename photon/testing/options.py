"""What a request of a client may say, and an opening of a WebSocket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypedDict

from photon.testing.address import Params
from photon.testing.multipart import Files
from photon.testing.outgoing import Content, HeaderArgument


class Options(TypedDict, total=False):
    """What a request may say; a body is one of `json`, `content`, and `data` with `files`.

    params: fields of the query; a list stands for several values, None for none.
    json: any value msgspec encodes; null is sent as content=b"null".
    data: fields of a form, URL-encoded, or multipart when there are files.
    files: by field name: content, (file name, content) or (file name, content, media type); a list
        stands for several files.
    content: bytes or text, or an iterator of bytes, which is sent in chunks.
    headers: over those of the client; None takes one of them away.
    cookies: besides those that the client keeps, for this request.
    follow_redirects: in place of what the client says.
    timeout_s: how long the server may be silent, in place of what the client says.
    """

    params: Params | None
    json: Any
    data: Params | None
    files: Files | None
    content: Content | None
    headers: HeaderArgument | None
    cookies: Mapping[str, str] | None
    follow_redirects: bool | None
    timeout_s: float | None


class OpeningOptions(TypedDict, total=False):
    """What may be said when a WebSocket is opened.

    params, headers, cookies, follow_redirects: as of a request.
    subprotocols: those that the client speaks, the one it likes best first.
    origin: of the page that opens it, as a browser tells; what is no browser tells none.
    deflate: whether the client offers compression.
    timeout_s: how long each call may take, in place of what the client says.
    """

    params: Params | None
    headers: HeaderArgument | None
    cookies: Mapping[str, str] | None
    subprotocols: Sequence[str]
    origin: str | None
    deflate: bool
    follow_redirects: bool | None
    timeout_s: float | None


_ELSEWHERE = {
    "allow_redirects": "follow_redirects",
    "timeout": "timeout_s",
    "query": "params",
    "query_string": "params",
    "auth": "headers={'authorization': ...}",
}
"""What other clients call it, and this one."""

_OF_REQUESTS = {
    **_ELSEWHERE,
    "body": "content",
    "form": "data",
    "stream": "the method stream(), in a with block",
}

_OF_WEBSOCKETS = {
    **_ELSEWHERE,
    "protocols": "subprotocols",
    "subprotocol": "subprotocols, a list",
    "additional_headers": "headers",
    "extra_headers": "headers",
    "compression": "deflate",
    "open_timeout": "timeout_s",
}


def check_options(options: Options) -> None:
    """Refuse what no request has.   Raises: TypeError, ValueError, with the way out."""
    _check(options, "a request", Options.__annotations__, _OF_REQUESTS)


def check_opening(options: OpeningOptions) -> None:
    """Refuse what no WebSocket has.   Raises: TypeError, ValueError, with the way out."""
    _check(options, "a WebSocket", OpeningOptions.__annotations__, _OF_WEBSOCKETS)
    if isinstance(options.get("subprotocols"), str):
        raise TypeError(f"subprotocols is a list, as in [{options['subprotocols']!r}]")


def _check(
    options: Options | OpeningOptions,
    what: str,
    known: Mapping[str, Any],
    elsewhere: Mapping[str, str],
) -> None:
    for name in options:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            meant = elsewhere.get(name) or (close[0] if close else "")
            hint = f"here it is {meant}" if meant else f"it has {', '.join(known)}"
            raise TypeError(f"{what} has no {name!r}: {hint}")
    timeout_s = options.get("timeout_s")
    if timeout_s is not None and not timeout_s > 0:
        raise ValueError(f"timeout_s is {timeout_s!r}; it is a number of seconds above 0")
