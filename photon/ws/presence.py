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
from typing import Generic, Literal, TypeAlias

from msgspec import Struct

from photon.ws.info import I


class Presence(Struct, Generic[I], frozen=True):
    """Somebody in a room.

    Attributes:
        id: of the member, unique in all processes.
        info: what it says of itself, when it joined or by `member.update`: of `Rooms(info_type=)`,
            or as JSON has it (dict, list, str, numbers).
        is_here: whether its connection is in this process.
    """

    id: str
    info: I
    is_here: bool


class Entry(Struct, frozen=True):
    """Somebody, as processes tell each other.   Attributes: info: JSON."""

    id: str
    info: bytes
    is_here: bool


Kind: TypeAlias = Literal["joined", "updated", "left"]


class Change(Struct, frozen=True):
    """Somebody came, says something else of itself, or went."""

    who: Entry
    kind: Kind


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
        self._members: dict[str, dict[str, bytes]] = {}
        self._coming: dict[str, dict[str, bytes]] = {}

    def joined(self, origin: str, member: str, info: bytes) -> list[Change]:
        """A process has one more."""
        members = self._members.setdefault(origin, {})
        if member in members:
            return self.updated(origin, member, info)
        members[member] = info
        return [_change(member, info, "joined")]

    def updated(self, origin: str, member: str, info: bytes) -> list[Change]:
        """A member says something else of itself."""
        members = self._members.get(origin, {})
        # Of one whom we do not know yet we are told with all the others, soon.
        if member not in members or members[member] == info:
            return []
        members[member] = info
        return [_change(member, info, "updated")]

    def left(self, origin: str, member: str) -> list[Change]:
        """A process has one less."""
        members = self._members.get(origin, {})
        if member not in members:
            return []
        info = members.pop(member)
        if not members:
            del self._members[origin]
        return [_change(member, info, "left")]

    def present(
        self, origin: str, members: dict[str, bytes], *, goes_on: bool, is_answer: bool
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
        return _difference(before, coming)

    def gone(self, origin: str) -> list[Change]:
        """A process is no more."""
        self.awaited.discard(origin)
        self._answered.discard(origin)
        self._coming.pop(origin, None)
        return _difference(self._members.pop(origin, {}), {})

    def __iter__(self) -> Iterator[Entry]:
        for members in self._members.values():
            for member, info in members.items():
                yield Entry(member, info, False)

    def __len__(self) -> int:
        return sum(map(len, self._members.values()))

    def __repr__(self) -> str:
        return f"<Roll {len(self)} members in {len(self._members)} other processes>"


def _difference(before: dict[str, bytes], after: dict[str, bytes]) -> list[Change]:
    gone = [_change(id, info, "left") for id, info in before.items() if id not in after]
    here = [
        _change(id, info, "updated" if id in before else "joined")
        for id, info in after.items()
        if before.get(id) != info
    ]
    return gone + here


def _change(member: str, info: bytes, kind: Kind) -> Change:
    return Change(Entry(member, info, False), kind)
