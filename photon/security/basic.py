"""User name and password with every request.   Source: RFC 7617."""

from __future__ import annotations

import re
from base64 import b64decode

from msgspec import Struct

from photon.http.request import Request
from photon.security.scheme import SecurityScheme, authorization, quoted

# RFC 7617 §2: "The user-id and password MUST NOT contain any control characters".
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class BasicCredentials(Struct, frozen=True):
    """What a client says who it is."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"BasicCredentials({self.username!r}, '***')"  # it will stand in some log


class HTTPBasic(SecurityScheme):
    """Takes `BasicCredentials` from the Authorization header, or answers 401.

    Args:
        realm: what the credentials are for; browsers show it.
        scheme_name, description, optional: as of `SecurityScheme`.
    """

    def __init__(
        self,
        *,
        realm: str = "restricted",
        scheme_name: str = "HTTPBasic",
        description: str = "",
        optional: bool = False,
    ) -> None:
        super().__init__({"type": "http", "scheme": "basic"}, scheme_name, description, optional)
        # RFC 7617 §2.1: charset tells clients how to write what is not ASCII.
        self._challenge = f'Basic realm={quoted(realm)}, charset="UTF-8"'

    def challenge(self, **parameters: str) -> str:
        return self._challenge

    def __call__(self, request: Request) -> BasicCredentials | None:
        """The credentials.   Raises: HTTPError (401)."""
        try:
            encoded = authorization(request, "basic")
            if encoded is not None:
                return _decode(encoded)
        except ValueError as error:
            raise self.refusal(f"the credentials cannot be read: {error}") from error
        if self.optional:
            return None
        raise self.refusal("this needs a user name and a password (HTTP Basic)")


def _decode(encoded: str) -> BasicCredentials:
    """Raises: ValueError, which says nothing of what the credentials are."""
    try:
        text = b64decode(encoded, validate=True).decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("they are not UTF-8") from None
    except ValueError:
        raise ValueError("they are not Base64") from None
    username, colon, password = text.partition(":")
    if not colon:
        raise ValueError("there is no colon between user name and password")
    if _CONTROL.search(text):
        raise ValueError("they hold a control character")
    return BasicCredentials(username, password)
