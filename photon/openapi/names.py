"""What schemas are called in a document.

A class has its own name while it is alone with it; of several all get their module's before it,
so that none depends on who came first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from types import UnionType
from typing import Any, Union, get_origin

# OpenAPI 3.1.0 §4.8.7: keys of components match ^[a-zA-Z0-9\.\-_]+$
_OTHERS = re.compile(r"[^A-Za-z0-9._-]+")


def name_all(classes: Iterable[Any]) -> dict[Any, str]:
    """A name for each class, or generic class with its arguments; no two have the same."""
    short: dict[str, list[Any]] = {}
    for cls in classes:
        short.setdefault(_spelled(cls, _own_name), []).append(cls)
    names: dict[Any, str] = {}
    for name, alike in short.items():
        if len(alike) == 1:
            names[alike[0]] = name
    taken = set(names.values())
    for alike in short.values():
        if len(alike) > 1:
            for cls in alike:
                names[cls] = _free(_spelled(cls, _full_name), taken)
                taken.add(names[cls])
    return names


def plain_name(text: str) -> str:
    """A text as a name that may stand in components, such as "Page_int" for "Page[int]"."""
    return _OTHERS.sub("_", text).strip("_") or "_"


def _spelled(kind: Any, name: Callable[[Any], str]) -> str:
    """`Page[Item]` as Page_Item."""
    if hasattr(kind, "__metadata__"):  # Annotated
        kind = kind.__origin__
    arguments = [_spelled(argument, name) for argument in getattr(kind, "__args__", ())]
    if get_origin(kind) in (Union, UnionType):
        return "_or_".join(arguments)
    return plain_name("_".join([name(getattr(kind, "__origin__", kind)), *arguments]))


def _own_name(kind: Any) -> str:
    return getattr(kind, "__name__", None) or repr(kind)


def _full_name(kind: Any) -> str:
    if not hasattr(kind, "__qualname__") or kind.__module__ == "builtins":
        return _own_name(kind)
    return f"{kind.__module__}.{kind.__qualname__}".replace("<locals>.", "")


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
