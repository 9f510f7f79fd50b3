"""Cookies: the request's Cookie header taken apart, the response's Set-Cookie put together.

Source: RFC 6265 and its successor draft (SameSite, Partitioned, the two name prefixes).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from photon.http.dates import http_date

SameSite = Literal["lax", "strict", "none"]

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 6265 §4.1.1 cookie-octet: no control characters, space, quote, comma, semicolon, backslash.
_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]*")
_ATTRIBUTE = re.compile(r"[\x20-:<-~]*")

# Of the name and the value together, in the successor draft §5.6.
_MAX_BYTES = 4096


def parse_cookies(header: str) -> dict[str, str]:
    """Names and values of a Cookie header; of two with one name the first, the closest path, wins.

    Forgiving, as browsers are: what has no `=` is a value without a name and is left out.
    """
    cookies: dict[str, str] = {}
    for part in header.split(";"):
        name, equals, value = part.partition("=")
        name, value = name.strip(" \t"), value.strip(" \t")
        if equals and name and name not in cookies:
            if len(value) >= 2 and value[0] == value[-1] == '"':
                value = value[1:-1]
            cookies[name] = value
    return cookies


def format_set_cookie(
    name: str,
    value: str,
    *,
    max_age: int | None = None,
    expires: datetime | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    http_only: bool = True,
    same_site: SameSite | None = "lax",
    partitioned: bool = False,
) -> str:
    """The value of a Set-Cookie header. Args: max_age: in seconds; 0 deletes the cookie.

    Raises: ValueError, for what browsers would refuse or read differently.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a cookie: use letters, digits, '-', '_'")
    if not _VALUE.fullmatch(value):
        raise ValueError(
            f"the value of cookie {name!r} has a character that cookies cannot carry; encode it "
            "first (urllib.parse.quote, or base64)"
        )
    if same_site == "none" and not secure:
        raise ValueError(f"cookie {name!r}: browsers take SameSite=None only with secure=True")
    if partitioned and not secure:
        raise ValueError(f"cookie {name!r}: browsers take Partitioned only with secure=True")
    # Browsers compare the prefixes without regard to case.
    prefixed = name.lower()
    if prefixed.startswith(("__secure-", "__host-")) and not secure:
        raise ValueError(f"cookie {name!r}: a name with this prefix needs secure=True")
    if prefixed.startswith("__host-") and (domain is not None or path != "/"):
        raise ValueError(f"cookie {name!r}: the prefix __Host- needs path='/' and no domain")
    if len(name) + len(value) > _MAX_BYTES:
        raise ValueError(f"cookie {name!r}: browsers drop what is over {_MAX_BYTES} bytes")
    if path is not None and not path.startswith("/"):
        raise ValueError(f"cookie {name!r}: path {path!r} does not begin with '/'")
    for what, text in (("path", path), ("domain", domain)):
        if text is not None and not _ATTRIBUTE.fullmatch(text):
            raise ValueError(f"cookie {name!r}: {what} {text!r} has a character it cannot carry")
    attributes = (
        ("Max-Age", None if max_age is None else str(max_age)),
        ("Expires", None if expires is None else http_date(expires.timestamp())),
        ("Path", path),
        ("Domain", domain),
        ("SameSite", same_site.capitalize() if same_site else None),
    )
    flags = (("Secure", secure), ("HttpOnly", http_only), ("Partitioned", partitioned))
    return "; ".join(
        [f"{name}={value}"]
        + [f"{key}={text}" for key, text in attributes if text is not None]
        + [flag for flag, is_set in flags if is_set]
    )
