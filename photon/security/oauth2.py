"""OAuth 2 and OpenID Connect: tokens that somebody else issued.

The token comes as any bearer token does; what differs is that documents say where to get one, and
what it may be asked for. Source: RFC 6749, RFC 6750; OpenAPI 3.1.0 §4.8.28.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from photon.security.bearer import BearerScheme


class OAuthFlow(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One way to a token.

    Args:
        authorization_url, token_url, refresh_url: where each is done; a path will do.
        scopes: what may be asked for, and what each means.
    """

    authorization_url: str = ""
    token_url: str = ""
    refresh_url: str = ""
    scopes: Mapping[str, str] = {}


# What each flow needs (OpenAPI 3.1.0 §4.8.29).
_NEEDED = {
    "implicit": ("authorization_url",),
    "password": ("token_url",),
    "client_credentials": ("token_url",),
    "authorization_code": ("authorization_url", "token_url"),
}


class OAuth2(BearerScheme):
    """Takes a token, a `str`, from the Authorization header, or answers 401.

    Args:
        authorization_code, client_credentials, password, implicit: the ways to one; at least one.
        realm, scheme_name, description, optional: as of `HTTPBearer`.
    """

    def __init__(
        self,
        *,
        authorization_code: OAuthFlow | None = None,
        client_credentials: OAuthFlow | None = None,
        password: OAuthFlow | None = None,
        implicit: OAuthFlow | None = None,
        realm: str = "",
        scheme_name: str = "OAuth2",
        description: str = "",
        optional: bool = False,
    ) -> None:
        given = {
            "authorization_code": authorization_code,
            "client_credentials": client_credentials,
            "password": password,
            "implicit": implicit,
        }
        flows = {_camel(name): _flow(name, flow) for name, flow in given.items() if flow}
        if not flows:
            raise ValueError("OAuth2 needs a flow: OAuth2(password=OAuthFlow(token_url='/token'))")
        scheme = {"type": "oauth2", "flows": flows}
        super().__init__(scheme, scheme_name, description, optional, realm)


class OAuth2Password(OAuth2):
    """`OAuth2` with a token for a user's name and password, by `PasswordForm`.

    Args:
        token_url: the path that hands out tokens.
        scopes: what may be asked for, and what each means.
        refresh_url, scheme_name, description, optional: as of `OAuth2`.
    """

    def __init__(
        self,
        token_url: str,
        scopes: Mapping[str, str] | None = None,
        *,
        refresh_url: str = "",
        scheme_name: str = "OAuth2Password",
        description: str = "",
        optional: bool = False,
    ) -> None:
        flow = OAuthFlow(token_url=token_url, refresh_url=refresh_url, scopes=scopes or {})
        super().__init__(
            password=flow, scheme_name=scheme_name, description=description, optional=optional
        )


class OpenIdConnect(BearerScheme):
    """Takes a token, a `str`, from the Authorization header, or answers 401.

    Args:
        url: of the provider's discovery document, `.../.well-known/openid-configuration`.
        realm, scheme_name, description, optional: as of `HTTPBearer`.
    """

    def __init__(
        self,
        url: str,
        *,
        realm: str = "",
        scheme_name: str = "OpenIdConnect",
        description: str = "",
        optional: bool = False,
    ) -> None:
        scheme = {"type": "openIdConnect", "openIdConnectUrl": url}
        super().__init__(scheme, scheme_name, description, optional, realm)


class PasswordForm(Struct, frozen=True, kw_only=True):
    """What clients send to the `token_url`: take it as `Annotated[PasswordForm, Form()]`.

    Source: RFC 6749 §4.3.2.
    """

    grant_type: Literal["password"]
    username: str
    password: str
    scope: str = ""
    client_id: str | None = None
    client_secret: str | None = None

    @property
    def scopes(self) -> list[str]:
        """What is asked for (RFC 6749 §3.3: divided by spaces)."""
        return self.scope.split()

    def __repr__(self) -> str:
        return f"PasswordForm({self.username!r}, '***')"


def _flow(name: str, flow: OAuthFlow) -> dict[str, Any]:
    for url in _NEEDED[name]:
        if not getattr(flow, url):
            raise ValueError(f"the flow {name} needs its {url}: OAuthFlow({url}='https://...')")
    members: dict[str, Any] = msgspec.to_builtins(flow)
    return {**members, "scopes": dict(flow.scopes)}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.title, rest))
