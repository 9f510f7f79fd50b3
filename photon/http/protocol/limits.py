"""How large a head may be."""

from __future__ import annotations

from photon.runtime.settings import Settings


class HeadLimits(Settings, frozen=True, kw_only=True):
    """Limits of a request head.

    Attributes:
        head_bytes: request line and headers together.
        headers: header fields.
        target_bytes: the request target.
    """

    head_bytes: int = 32 * 1024
    headers: int = 100
    target_bytes: int = 8 * 1024
