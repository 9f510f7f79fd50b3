"""Who is in a room: those of other processes, as they tell it.

Each process is the one source of its own members, and says each change in order; who missed some
(it just came, or its broker was away) asks for all of them, and what comes then replaces what it
knew. So there is nothing to merge, and no clocks to compare. A process that is no longer heard of
takes its members along.

Prior art: Phoenix.Tracker and Phoenix.Presence, which merge (a CRDT), as any of their nodes may
hold the members of any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct


class Presence(Struct, frozen=True):
    """Somebody in a room.

    Attributes:
        id: of the member, unique in all processes.
        info: what was given when it joined, as JSON has it (dict, list, str, numbers).
        is_here: whether its connection is in this process.
    """

    id: str
    info: Any
    is_here: bool


class Change(Struct, frozen=True):
    """Somebody came, or went."""

    who: Presence
    has_joined: bool


class Roll:
    """The members that one room has in other processes. No I/O; what changes is returned.

    Attributes: awaited: processes that were asked, and have not yet said who they have. What they
        say is how it was when we came, and no change.
    """

    __slots__ = ("_coming", "_members", "awaited")

    def __init__(self) -> None:
        self.awaited: set[str] = set()
        self._members: dict[str, dict[str, Any]] = {}
        self._coming: dict[str, dict[str, Any]] = {}

    def joined(self, origin: str, member: str, info: Any) -> list[Change]:
        """A process has one more."""
        members = self._members.setdefault(origin, {})
        if member in members:
            return []
        members[member] = info
        return [_change(member, info, has_joined=True)]

    def left(self, origin: str, member: str) -> list[Change]:
        """A process has one less."""
        members = self._members.get(origin, {})
        if member not in members:
            return []
        info = members.pop(member)
        if not members:
            del self._members[origin]
        return [_change(member, info, has_joined=False)]

    def present(self, origin: str, members: dict[str, Any], *, goes_on: bool) -> list[Change]:
        """A process says whom it has, maybe in several parts."""
        coming = self._coming.setdefault(origin, {})
        coming.update(members)
        if goes_on:
            return []
        del self._coming[origin]
        before = self._members.pop(origin, {})
        if coming:
            self._members[origin] = coming
        if origin in self.awaited:
            self.awaited.remove(origin)
            return []
        return [
            *(
                _change(id, info, has_joined=False)
                for id, info in before.items()
                if id not in coming
            ),
            *(
                _change(id, info, has_joined=True)
                for id, info in coming.items()
                if id not in before
            ),
        ]

    def gone(self, origin: str) -> list[Change]:
        """A process is no more."""
        self.awaited.discard(origin)
        self._coming.pop(origin, None)
        before = self._members.pop(origin, {})
        return [_change(member, info, has_joined=False) for member, info in before.items()]

    def __iter__(self) -> Iterator[Presence]:
        for members in self._members.values():
            for member, info in members.items():
                yield Presence(member, info, False)

    def __len__(self) -> int:
        return sum(map(len, self._members.values()))

    def __repr__(self) -> str:
        return f"<Roll {len(self)} members in {len(self._members)} other processes>"


def _change(member: str, info: Any, *, has_joined: bool) -> Change:
    return Change(Presence(member, info, False), has_joined)


class Changes:
    """Changes that are still to be told, with what cancels out left out.

    Who came and went before it could be told is not told of. So there are never more of them than
    members, however slow who listens is.
    """

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], Change] = {}

    def add(self, room: str, change: Change) -> None:
        """Tell this, unless it undoes what was not yet told."""
        key = (room, change.who.id)
        before = self._waiting.pop(key, None)
        if before is None or before.has_joined == change.has_joined:
            self._waiting[key] = change

    def next(self) -> tuple[str, Change] | None:
        """The next to tell, with its room; None when there is none."""
        for key in self._waiting:
            return key[0], self._waiting.pop(key)
        return None

    def __len__(self) -> int:
        return len(self._waiting)

    def __repr__(self) -> str:
        return f"<Changes {len(self)}>"
