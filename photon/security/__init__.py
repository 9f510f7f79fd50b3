"""Who is asking: credentials are taken from requests here, and documents say which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photon.runtime.lazy import front_door

if TYPE_CHECKING:
    from photon.security.api_key import APIKey as APIKey
    from photon.security.basic import BasicCredentials as BasicCredentials
    from photon.security.basic import HTTPBasic as HTTPBasic
    from photon.security.bearer import HTTPBearer as HTTPBearer
    from photon.security.oauth2 import OAuth2 as OAuth2
    from photon.security.oauth2 import OAuth2Password as OAuth2Password
    from photon.security.oauth2 import OAuthFlow as OAuthFlow
    from photon.security.oauth2 import OpenIdConnect as OpenIdConnect
    from photon.security.oauth2 import PasswordForm as PasswordForm
    from photon.security.scheme import SecurityScheme as SecurityScheme
    from photon.security.scheme import matches as matches

# Each name and the room it lives in.
_ROOMS = {
    "APIKey": "photon.security.api_key",
    "BasicCredentials": "photon.security.basic",
    "HTTPBasic": "photon.security.basic",
    "HTTPBearer": "photon.security.bearer",
    "OAuth2": "photon.security.oauth2",
    "OAuth2Password": "photon.security.oauth2",
    "OAuthFlow": "photon.security.oauth2",
    "OpenIdConnect": "photon.security.oauth2",
    "PasswordForm": "photon.security.oauth2",
    "SecurityScheme": "photon.security.scheme",
    "matches": "photon.security.scheme",
}

__all__ = sorted(_ROOMS)  # noqa: PLE0605  # a test holds it against the imports above
__getattr__, __dir__ = front_door(__name__, _ROOMS)
