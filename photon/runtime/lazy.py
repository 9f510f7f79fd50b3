"""Front doors of packages: a name is imported when it is first asked for.

`import photon` must cost nothing, and must not import gevent before the patch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def front_door(
    package: str, rooms: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package (PEP 562).

    Args: rooms: each name that the package has, and the module it lives in.
    """

    def get(name: str) -> Any:
        room = rooms.get(name)
        if room is None:
            raise AttributeError(f"{package} has no {name!r}; it has {', '.join(sorted(rooms))}")
        value = getattr(import_module(room), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *rooms})

    return get, names
