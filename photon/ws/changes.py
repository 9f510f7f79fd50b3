"""Changes that are still to be told, with what cancels out left out."""

from __future__ import annotations

from collections import OrderedDict

from photon.ws.presence import Change


class Changes:
    """Of each member one change at most, however slow who listens is.

    Who came and went before it could be told is not told of; of what somebody says of itself the
    latest is. So there are never more of them than members.
    """

    __slots__ = ("_renewed", "_waiting")

    def __init__(self) -> None:
        # An OrderedDict: a dict finds its first entry slowly after many deletions.
        self._waiting: OrderedDict[tuple[str, str], Change] = OrderedDict()
        # Of those who are to be told to have left: whose info is newer than the one last told.
        self._renewed: set[tuple[str, str]] = set()

    def add(self, room: str, change: Change) -> None:
        """Tell this, too. What is told of a member keeps its place in the order."""
        key = (room, change.who.id)
        before = self._waiting.get(key)
        if before is None:
            self._waiting[key] = change
            return
        match before.kind, change.kind:
            case "joined", "left":
                del self._waiting[key]
            case "joined", _:
                self._waiting[key] = Change(change.who, "joined")
            case "left", "joined":
                # Its process was away for a while, and it may have said something new meanwhile.
                if before.who.info == change.who.info and key not in self._renewed:
                    del self._waiting[key]
                else:
                    self._waiting[key] = Change(change.who, "updated")
                self._renewed.discard(key)
            case "updated", "left":
                self._waiting[key] = change
                self._renewed.add(key)
            case _:
                self._waiting[key] = change

    def next(self) -> tuple[str, Change] | None:
        """The next to tell, with its room; None when there is none."""
        if not self._waiting:
            return None
        key, change = self._waiting.popitem(last=False)
        self._renewed.discard(key)
        return key[0], change

    def __len__(self) -> int:
        return len(self._waiting)

    def __repr__(self) -> str:
        return f"<Changes {len(self)}>"


def _together(before: Change, after: Change) -> Change | None:
    """Two changes of one member as one, or as none."""
    match before.kind, after.kind:
        case "joined", "left":
            return None
        case "joined", "updated":
            return Change(after.who, "joined")
        case "left", "joined":
            # Its process was away for a while, and it may have said something new meanwhile.
            return None if before.who.info == after.who.info else Change(after.who, "updated")
    return after
