"""Who is in a room: those of other processes, as they tell it.

Each process is the one source of its own members, and says each change in order; who missed some
(it just came, or its broker was away) asks for all of them, and what comes then replaces what it
knew. So there is nothing to merge, and no clocks to compare. A process that is no longer heard of
takes its members along.

Prior art: Phoenix.Tracker and Phoenix.Presence, which merge (a CRDT), as any of their nodes may
hold the members of any other.
"""

from __future__ import annotations

from collections import OrderedDict
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

    Attributes:
        awaited: processes that were asked, and have not yet answered.
        is_settled: whether all that is said now is a change: the room has missed some, and asks
            again.
    """

    __slots__ = ("_answered", "_coming", "_members", "awaited", "is_settled")

    def __init__(self) -> None:
        self.awaited: set[str] = set()
        self.is_settled = False
        self._answered: set[str] = set()
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

    def present(
        self, origin: str, members: dict[str, Any], *, goes_on: bool, is_answer: bool
    ) -> list[Change]:
        """A process says whom it has, maybe in several parts.

        Args: is_answer: to our own question. The first answer of a process says how it was when we
            came, which is no change.
        """
        coming = self._coming.setdefault(origin, {})
        coming.update(members)
        if goes_on:
            return []
        del self._coming[origin]
        before = self._members.pop(origin, {})
        if coming:
            self._members[origin] = coming
        if is_answer:
            self.awaited.discard(origin)
            if not self.is_settled and origin not in self._answered:
                self._answered.add(origin)
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
        self._answered.discard(origin)
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
        # An OrderedDict: a dict finds its first entry slowly after many deletions.
        self._waiting: OrderedDict[tuple[str, str], Change] = OrderedDict()

    def add(self, room: str, change: Change) -> None:
        """Tell this, unless it undoes what was not yet told."""
        key = (room, change.who.id)
        before = self._waiting.pop(key, None)
        if before is None or before.has_joined == change.has_joined:
            self._waiting[key] = change

    def next(self) -> tuple[str, Change] | None:
        """The next to tell, with its room; None when there is none."""
        if not self._waiting:
            return None
        (room, _), change = self._waiting.popitem(last=False)
        return room, change

    def __len__(self) -> int:
        return len(self._waiting)

    def __repr__(self) -> str:
        return f"<Changes {len(self)}>"
