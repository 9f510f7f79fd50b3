"""Front doors of packages: a name is imported when it is first asked for.

`import photon` must cost nothing, and must not import gevent before the patch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import FrameType
from typing import Any

_IMPORTLIB = ("importlib._bootstrap", "_frozen_importlib")


def front_door(
    package: str, rooms: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package (PEP 562).

    Args: rooms: each name that the package has, and the module it lives in.
    """

    def get(name: str) -> Any:
        room = rooms.get(name)
        if room is None:
            raise _missing(package, name, sys._getframe(1))
        value = getattr(import_module(room), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *rooms})

    return get, names


def _missing(package: str, name: str, frame: FrameType) -> Exception:
    """The error for a name that a package does not have.   Args: frame: of who asks for it."""
    if name.startswith("_") or frame.f_globals.get("__name__") in _IMPORTLIB:
        # Who only asks whether it is there: importlib looks for a submodule next.
        return AttributeError(f"{package} has no {name!r}", name=name)
    from photon.runtime.elsewhere import way_to

    message = f"{package} has no {name!r}{way_to(package, name)}"
    if _imports_from(frame):
        return ImportError(message, name=package)
    return AttributeError(message, name=name)


def _imports_from(frame: FrameType) -> bool:
    """Whether the code that asks is `from package import name`.

    Then Python says "cannot import name" in place of what an AttributeError says, and lets an
    ImportError pass as it is.
    """
    from opcode import opmap

    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]
