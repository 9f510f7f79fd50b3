"""Photon: plain blocking `def` handlers, served by greenlets at the speed of an event loop."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from photon.app.photon import Photon as Photon
    from photon.http.application import Application as Application
    from photon.http.application import Middleware as Middleware
    from photon.http.errors import ClientDisconnected as ClientDisconnected
    from photon.http.errors import HTTPError as HTTPError
    from photon.http.request import Request as Request
    from photon.http.response import Response as Response
    from photon.http.server.serving import serve as serve
    from photon.http.server.settings import Limits as Limits
    from photon.http.server.settings import ServerSettings as ServerSettings
    from photon.http.server.settings import Timeouts as Timeouts
    from photon.routing.converters import Converter as Converter
    from photon.runtime.cancel import CancelScope as CancelScope
    from photon.runtime.cancel import fail_after as fail_after
    from photon.runtime.cancel import move_on_after as move_on_after
    from photon.runtime.errors import Cancelled as Cancelled
    from photon.runtime.errors import DeadlineExceeded as DeadlineExceeded
    from photon.runtime.greenlets import checkpoint as checkpoint
    from photon.runtime.greenlets import sleep as sleep
    from photon.runtime.greenlets import spawn as spawn
    from photon.runtime.offload import offload as offload

__version__ = "0.1.0"

# Each name and the room it lives in. A name is imported when it is first asked for: `import
# photon` must cost nothing and must not import gevent before the patch.
_ROOMS = {
    "Application": "photon.http.application",
    "CancelScope": "photon.runtime.cancel",
    "Cancelled": "photon.runtime.errors",
    "ClientDisconnected": "photon.http.errors",
    "Converter": "photon.routing.converters",
    "DeadlineExceeded": "photon.runtime.errors",
    "HTTPError": "photon.http.errors",
    "Limits": "photon.http.server.settings",
    "Middleware": "photon.http.application",
    "Photon": "photon.app.photon",
    "Request": "photon.http.request",
    "Response": "photon.http.response",
    "ServerSettings": "photon.http.server.settings",
    "Timeouts": "photon.http.server.settings",
    "checkpoint": "photon.runtime.greenlets",
    "fail_after": "photon.runtime.cancel",
    "move_on_after": "photon.runtime.cancel",
    "offload": "photon.runtime.offload",
    "serve": "photon.http.server.serving",
    "sleep": "photon.runtime.greenlets",
    "spawn": "photon.runtime.greenlets",
}

__all__ = sorted(_ROOMS)  # noqa: PLE0605  # a test holds it against the imports above


def __getattr__(name: str) -> Any:
    room = _ROOMS.get(name)
    if room is None:
        raise AttributeError(f"photon has no {name!r}; it has {', '.join(__all__)}")
    value = globals()[name] = getattr(import_module(room), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
