"""What was found under a name: remembered for a moment, and looked for once, however many ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from photon.runtime.clock import now
from photon.runtime.greenlets import spawn
from photon.runtime.handle import Handle
from photon.runtime.offload import offload

T = TypeVar("T")

# Longer names are looked for each time: no page refers to one, and a flood of them takes memory.
_REMEMBERED_CHARS = 512


class Lookups(Generic[T]):
    """A function that waits for a disk, asked at most once at a time and once a while per name.

    It runs in a native thread. Who asks for a name that is being looked for waits for the same
    answer, and who goes away meanwhile leaves it to the others: a disk that hangs holds one thread
    per name, and not one per request.

    Args:
        find: gives what has this name; None when there is nothing, which is remembered too.
        seconds: for how long an answer is good; 0 for never.
        most: so many names that were found are remembered, and as many that were not. When there
            is no room the oldest goes; a flood of names that are not there pushes out no other.
    """

    def __init__(self, find: Callable[[str], T | None], *, seconds: float, most: int) -> None:
        self._find = find
        self._seconds = seconds
        self._most = most
        self._found: dict[str, tuple[T, float]] = {}
        self._missing: dict[str, float] = {}
        self._under_way: dict[str, Handle[T | None]] = {}

    def get(self, name: str) -> T | None:
        """What has this name; None when there is nothing.   Raises: what `find` raises."""
        known = self._found.get(name)
        if known is not None and known[1] > now():
            return known[0]
        until = self._missing.get(name)
        if until is not None and until > now():
            return None
        asking = self._under_way.get(name)
        if asking is None:
            asking = self._under_way[name] = spawn(self._ask, name)
        asking.join()
        return asking.result

    def _ask(self, name: str) -> T | None:
        try:
            found = offload(self._find, name)
        finally:
            del self._under_way[name]
        self._found.pop(name, None)
        self._missing.pop(name, None)
        if self._seconds and len(name) <= _REMEMBERED_CHARS:
            until = now() + self._seconds
            if found is None:
                _put(self._missing, name, until, self._most)
            else:
                _put(self._found, name, (found, until), self._most)
        return found

    def __repr__(self) -> str:
        return (
            f"<Lookups {len(self._found)} found, {len(self._missing)} missing, "
            f"{len(self._under_way)} under way>"
        )


V = TypeVar("V")


def _put(table: dict[str, V], name: str, value: V, most: int) -> None:
    if len(table) >= most:
        del table[next(iter(table))]
    table[name] = value
