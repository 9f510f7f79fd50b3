"""Which pages may open a WebSocket.

Browsers open WebSockets across origins, send the user's cookies along, and ask nobody: CORS does
not hold for them. So a page of anybody could talk to a server as whoever looks at the page
(cross-site WebSocket hijacking), if the server did not look at `Origin`. What is no browser sends
none, and has no cookies that it could be tricked into sending.

Source: RFC 6455 §4.2.2 item 4 and §10.2; OWASP WebSocket Security Cheat Sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

from photon.http.errors import HTTPError
from photon.http.origins import checked_origin, make_origin_check
from photon.http.request import Request

Origins: TypeAlias = Literal["same", "*"] | Sequence[str]
"""Whose pages may: "same" for those of the same host, "*" for all, or those listed, such as
"https://example.com", "https://*.example.com", "http://localhost:*"; "same" may be among them."""


def check_origin(request: Request, origins: Origins = "same") -> None:
    """Refuse a WebSocket that another site's page opens.

    Raises: HTTPError (403), which says why and the way out; ValueError, for origins that no browser
        would ever send, or a text that is none of the two.
    """
    allows = origin_check(origins if isinstance(origins, str) else tuple(origins))
    origin = request.headers.get("origin")
    if origin is None or allows(origin, request):
        return
    raise HTTPError(
        403,
        f"a page of {origin!r} may not open this WebSocket of {_own(request)!r}: any page could "
        "use the cookies of whoever looks at it (cross-site WebSocket hijacking). Where that is "
        "wanted allow it by origins=[...] of the WebSocket. A proxy has to pass on the Host that "
        "the browser sent, with its port (nginx: proxy_set_header Host $http_host), or to tell it "
        "to the middleware Forwarded",
    )


_Check: TypeAlias = Callable[[str, Request], bool]


@lru_cache(maxsize=256)
def origin_check(origins: str | tuple[str, ...]) -> _Check:
    """Whether an origin may open the WebSocket that a request asks for, made once per setting.

    Raises: ValueError, as `check_origin`.
    """
    if origins == "*":
        return lambda origin, request: True
    if origins == "same":
        return is_same_origin
    if isinstance(origins, str):
        raise ValueError(f'origins={origins!r}: give a list, [\'{origins}\'], or "same" or "*"')
    if "*" in origins:
        raise ValueError('origins=["*"]: for all origins give "*" itself')
    is_listed = make_origin_check(origin for origin in origins if origin != "same")
    if "same" in origins:
        return lambda origin, request: is_listed(origin) or is_same_origin(origin, request)
    return lambda origin, request: is_listed(origin)


def is_same_origin(origin: str, request: Request) -> bool:
    """Whether a page of this origin comes from where the request goes to.

    A page that came by https may open what looks like http from here: behind a proxy that ends TLS
    everything does.
    """
    own = _own(request)
    if not own:
        return False
    return origin == own or (origin.startswith("https://") and own == _plain(origin))


def _own(request: Request) -> str:
    """The origin that the request goes to, as a browser writes it; "" for what is none."""
    try:
        return checked_origin(f"{request.scheme}://{request.host}")
    except ValueError:
        return ""


def _plain(origin: str) -> str:
    """The origin of the same host and port with http."""
    return f"http://{origin.removeprefix('https://')}"
