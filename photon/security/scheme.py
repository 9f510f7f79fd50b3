"""What all security schemes are: providers that take credentials from a request, or refuse it.

    basic = HTTPBasic(realm="the shop")

    @app.get("/me")
    def me(who: Annotated[BasicCredentials, Depends(basic)]) -> Account: ...

A scheme says that credentials are there and well-formed, not that they are right: a provider that
depends on it looks them up. Documents find it by its attributes `scheme` and `scheme_name`.
"""

from __future__ import annotations

import hmac
import re
from typing import Any

from photon.http.errors import HTTPError
from photon.http.request import Request

# OpenAPI 3.1.0 §4.8.7: what keys of components look like.
_NAME = re.compile(r"[A-Za-z0-9._-]+")
# RFC 9110 §5.6.4: what a quoted string may hold, without obs-text.
_QUOTABLE = re.compile(r"[\t\x20-\x7e]*")


class SecurityScheme:
    """What the schemes have in common.

    Args:
        scheme: the Security Scheme Object (OpenAPI 3.1.0 §4.8.27).
        scheme_name: what documents call it; two schemes of one application have two names.
        description: for documents.
        optional: whether a request without credentials gets None instead of a 401; with malformed
            ones it is refused all the same.
    """

    def __init__(
        self, scheme: dict[str, Any], scheme_name: str, description: str, optional: bool
    ) -> None:
        if not _NAME.fullmatch(scheme_name):
            raise ValueError(
                f"{scheme_name!r} cannot be a scheme_name: take letters, digits, '.', '_' and '-'"
            )
        self.scheme = {**scheme, **({"description": description} if description else {})}
        self.scheme_name = scheme_name
        self.optional = optional

    def challenge(self, **parameters: str) -> str:
        """The value of `WWW-Authenticate` that asks for these credentials (RFC 9110 §11.6.1)."""
        raise NotImplementedError

    def refusal(self, detail: str, *, status: int = 401, **parameters: str) -> HTTPError:
        """The error to raise for credentials that will not do.

        Args: parameters: of the challenge, such as error="invalid_token".
        """
        headers = {"www-authenticate": self.challenge(**parameters)}
        return HTTPError(status, detail, headers=headers)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.scheme_name!r}>"


def matches(given: str | bytes, expected: str | bytes) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(_bytes(given), _bytes(expected))


def authorization(request: Request, scheme: str) -> str | None:
    """The credentials of an `Authorization` header of this scheme; None when there are none.

    Raises: ValueError, when there are several.
    """
    fields = request.headers.get_all("authorization")
    if len(fields) > 1:
        raise ValueError("there are several Authorization headers")
    # RFC 9110 §11.1: the scheme ignores case. §11.4: one or more spaces behind it.
    name, _, rest = (fields[0] if fields else "").partition(" ")
    return rest.strip(" ") if name.lower() == scheme else None


def quoted(text: str) -> str:
    """A text as the value of a challenge's parameter.   Raises: ValueError."""
    if not _QUOTABLE.fullmatch(text):
        raise ValueError(f"{text!r} cannot stand in a header: use printable ASCII")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bytes(secret: str | bytes) -> bytes:
    # What came in a header may hold anything, a lone surrogate from a database too.
    return secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
