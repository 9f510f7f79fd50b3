"""A key that a client was given, in a header, the query or a cookie."""

from __future__ import annotations

import re
from typing import Literal

from photon.http.request import Request
from photon.security.scheme import SecurityScheme, quoted

_PLACES = ("header", "query", "cookie")
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class APIKey(SecurityScheme):
    """Takes a key, a `str`, from the request, or answers 401.

    In the query it will stand in access logs, histories and referrers: prefer a header.

    Args:
        name: of the header, the field of the query, or the cookie.
        in_: where it is.
        scheme_name: "APIKey_<name>" when left out.
        description, optional: as of `SecurityScheme`.
    """

    def __init__(
        self,
        name: str,
        in_: Literal["header", "query", "cookie"] = "header",
        *,
        scheme_name: str = "",
        description: str = "",
        optional: bool = False,
    ) -> None:
        if in_ not in _PLACES:
            raise ValueError(f"an API key is in one of {', '.join(_PLACES)}, not in {in_!r}")
        if not name or (in_ != "query" and not _TOKEN.fullmatch(name)):
            raise ValueError(f"{name!r} cannot be the name of a {in_}: use letters, digits, '-'")
        super().__init__(
            {"type": "apiKey", "in": in_, "name": name},
            scheme_name or f"APIKey_{_NOT_IN_A_NAME.sub('_', name)}",
            description,
            optional,
        )
        self.name = name
        self.in_ = in_
        # RFC 9110 §15.5.2 wants a challenge with each 401, and has none for keys.
        shown = name if name.isascii() and name.isprintable() else self.scheme_name
        self._challenge = f"APIKey in={quoted(in_)}, name={quoted(shown)}"

    def challenge(self, **parameters: str) -> str:
        return self._challenge

    def __call__(self, request: Request) -> str | None:
        """The key.   Raises: HTTPError (401)."""
        keys = self._keys(request)
        if len(set(keys)) > 1:
            raise self.refusal(f"there are several keys {self.name!r} in the {self.in_}")
        if keys and keys[0]:
            return keys[0]
        if self.optional:
            return None
        raise self.refusal(f"this needs a key: {self.name!r} in the {self.in_}")

    def _keys(self, request: Request) -> list[str]:
        if self.in_ == "header":
            return request.headers.get_all(self.name)
        if self.in_ == "query":
            return request.query.get_all(self.name)
        return [request.cookies[self.name]] if self.name in request.cookies else []
