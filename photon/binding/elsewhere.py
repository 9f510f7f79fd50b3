"""Types of other rooms that handlers ask for by their annotation alone.

Those rooms are heavy, and most applications use none of them: whoever names such a type has
imported it, so it is enough to look among what is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def is_websocket(annotation: Any) -> bool:
    """Whether it is `photon.ws.websocket.WebSocket`, or a class of that kind."""
    cls = _imported("photon.ws.websocket", "WebSocket")
    return cls is not None and isinstance(annotation, type) and issubclass(annotation, cls)


def own_provider(annotation: Any) -> Callable[..., Any] | None:
    """What provides the values of `photon.tasks.background.BackgroundTasks`; None for others."""
    if annotation is not _imported("photon.tasks.background", "BackgroundTasks"):
        return None
    return _imported("photon.tasks.background", "background_tasks")  # type: ignore[no-any-return]


def is_own_provider(provider: Any) -> bool:
    """Whether the house calls it for a type, and no user named it."""
    return provider is not None and provider is _imported(
        "photon.tasks.background", "background_tasks"
    )


def _imported(module: str, name: str) -> Any:
    """None, if nobody imported that."""
    return getattr(sys.modules.get(module), name, None)
