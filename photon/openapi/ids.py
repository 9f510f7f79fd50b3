"""`operationId`s: what clients that are generated from the document call its operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from msgspec import Struct

from photon.openapi.names import plain_name


class Naming(Struct, frozen=True):
    """What an operation may be called by. Attributes: fixed: whether its author said `name`."""

    name: str
    method: str
    path: str
    fixed: bool = False


def operation_ids(namings: Sequence[Naming]) -> list[str]:
    """An id for each, all different: the name, and where several have it the method behind it,
    and then the path.

    None depends on which came first, so that an id stays what it is when others are added before
    it.
    """
    ids = [naming.name for naming in namings]
    for more in (_with_method, _with_path):
        ids = _told_apart(ids, namings, more)
    taken = {name for name, naming in zip(ids, namings, strict=True) if naming.fixed}
    for place, naming in enumerate(namings):
        if not naming.fixed:
            ids[place] = _free(ids[place], taken)
            taken.add(ids[place])
    return ids


def _told_apart(
    ids: list[str], namings: Sequence[Naming], more: Callable[[str, Naming], str]
) -> list[str]:
    count = Counter(ids)
    return [
        more(name, naming) if count[name] > 1 and not naming.fixed else name
        for name, naming in zip(ids, namings, strict=True)
    ]


def _with_method(name: str, naming: Naming) -> str:
    return f"{name}_{naming.method}"


def _with_path(name: str, naming: Naming) -> str:
    return f"{name}_{plain_name(naming.path)}"


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
