"""One connection in one room."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from photon.ws.outbox import Connection, Outbox, OutboxStatistics
from photon.ws.wording import frame_of

if TYPE_CHECKING:
    from photon.ws.room import Room
    from photon.ws.rooms import Rooms


class Member:
    """A connection that is in a room until the block ends, however it does, or it leaves.

    Attributes:
        id: unique in all processes. No secret: others see it among those present.
        room: where it is.
        info: what was given when it joined, as JSON has it.
        connection: such as its `WebSocket`.
        is_in: whether it is in the room still.
    """

    __slots__ = ("_rooms", "connection", "id", "info", "is_in", "outbox", "room")

    def __init__(self, rooms: Rooms, room: Room, id: str, outbox: Outbox, info: Any) -> None:
        self._rooms = rooms
        self.room = room
        self.id = id
        self.info = info
        self.outbox = outbox
        self.connection: Connection = outbox.connection
        self.is_in = True

    def send(self, message: object) -> None:
        """Send to this member alone, through the same queue and by the same policy as the room.

        Raises: TypeError, for what cannot be JSON.
        """
        self.room.send_late([self.outbox], frame_of(message))

    def leave(self) -> None:
        """Leave the room. At once; nothing happens when it has left already.

        What was broadcast before is still sent, unless the connection closes.
        """
        self._rooms.remove(self)

    def __enter__(self) -> Member:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.leave()

    def statistics(self) -> OutboxStatistics:
        """Of what waits for its connection, in all rooms that it is in."""
        return self.outbox.statistics()

    def __repr__(self) -> str:
        return f"<Member {self.id} {'in' if self.is_in else 'has left'} {self.room.name!r}>"
