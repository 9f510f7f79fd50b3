"""A token with every request: whoever bears it is let in.   Source: RFC 6750."""

from __future__ import annotations

import re
from typing import Any

from photon.http.request import Request
from photon.security.scheme import SecurityScheme, authorization, quoted

# RFC 6750 §2.1: b64token.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]++=*+")


class BearerScheme(SecurityScheme):
    """What takes a token from the Authorization header, whatever documents call it."""

    def __init__(
        self,
        scheme: dict[str, Any],
        scheme_name: str,
        description: str,
        optional: bool,
        realm: str,
    ) -> None:
        super().__init__(scheme, scheme_name, description, optional)
        self._realm = {"realm": realm} if realm else {}
        self.challenge()  # a realm that cannot be sent is told now

    def challenge(self, **parameters: str) -> str:
        """Args: parameters: `error`, `error_description`, `scope` (RFC 6750 §3)."""
        given = {**self._realm, **parameters}
        fields = ", ".join(f"{name}={quoted(value)}" for name, value in given.items())
        return f"Bearer {fields}".rstrip()

    def __call__(self, request: Request) -> str | None:
        """The token, as it is.   Raises: HTTPError (401)."""
        try:
            token = authorization(request, "bearer")
        except ValueError as error:
            raise self.refusal(str(error), error="invalid_token") from error
        if token is None:
            if self.optional:
                return None
            # RFC 6750 §3.1: who sent no credentials is not told of an error.
            raise self.refusal("this needs a token: Authorization: Bearer ...")
        if not _TOKEN.fullmatch(token):
            raise self.refusal("the token is malformed", error="invalid_token")
        return token


class HTTPBearer(BearerScheme):
    """Takes a token, a `str`, from the Authorization header, or answers 401.

    Args:
        bearer_format: what it looks like, such as "JWT"; for documents.
        realm: what it is for.
        scheme_name, description, optional: as of `SecurityScheme`.
    """

    def __init__(
        self,
        *,
        bearer_format: str = "",
        realm: str = "",
        scheme_name: str = "HTTPBearer",
        description: str = "",
        optional: bool = False,
    ) -> None:
        scheme = {"type": "http", "scheme": "bearer"}
        if bearer_format:
            scheme["bearerFormat"] = bearer_format
        super().__init__(scheme, scheme_name, description, optional, realm)
