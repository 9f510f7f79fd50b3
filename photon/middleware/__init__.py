"""Ready-made wrappers around applications, groups and routes: one file, one idea."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photon.runtime.lazy import front_door

if TYPE_CHECKING:
    from photon.middleware.body_limit import BodyLimit as BodyLimit
    from photon.middleware.compression import Compression as Compression
    from photon.middleware.cors import CORS as CORS
    from photon.middleware.forwarded import Forwarded as Forwarded
    from photon.middleware.https_redirect import HTTPSRedirect as HTTPSRedirect
    from photon.middleware.request_id import RequestId as RequestId
    from photon.middleware.security_headers import SecurityHeaders as SecurityHeaders
    from photon.middleware.trusted_hosts import TrustedHosts as TrustedHosts

# Each name and the room it lives in.
_ROOMS = {
    "BodyLimit": "photon.middleware.body_limit",
    "CORS": "photon.middleware.cors",
    "Compression": "photon.middleware.compression",
    "Forwarded": "photon.middleware.forwarded",
    "HTTPSRedirect": "photon.middleware.https_redirect",
    "RequestId": "photon.middleware.request_id",
    "SecurityHeaders": "photon.middleware.security_headers",
    "TrustedHosts": "photon.middleware.trusted_hosts",
}

__all__ = sorted(_ROOMS)  # noqa: PLE0605  # a test holds it against the imports above
__getattr__, __dir__ = front_door(__name__, _ROOMS)
