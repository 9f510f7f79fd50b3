"""What the greenlets are made of here: versions, the loop, and who resolves names."""

from __future__ import annotations

from typing import NamedTuple

import gevent
import greenlet

from photon.runtime.hub import current_hub


class Backend(NamedTuple):
    """Attributes: loop: how it polls, such as "libev with epoll"; resolver: its class' name."""

    gevent: str
    greenlet: str
    loop: str
    resolver: str


def backend() -> Backend:
    """That of the hub of this thread."""
    native = current_hub().native
    library = type(native.loop).__module__.rpartition(".")[2]
    names = {"corecext": "libev", "corecffi": "libev (by cffi)", "loop": "libuv"}
    poller = getattr(native.loop, "backend", "")
    loop = names.get(library, library) + (f" with {poller}" if isinstance(poller, str) else "")
    return Backend(gevent.__version__, greenlet.__version__, loop, type(native.resolver).__name__)
