"""One connection in one room."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Generic, NoReturn

from photon.ws.connection import Connection
from photon.ws.info import I
from photon.ws.outbox import Outbox, OutboxStatistics
from photon.ws.wording import frame_of

if TYPE_CHECKING:
    from photon.ws.room import Room
    from photon.ws.rooms import Rooms


class Member(Generic[I]):
    """A connection that is in a room until the block ends, however it does, or it leaves.

    Attributes:
        id: unique in all processes. No secret: others see it among those present.
        room: where it is.
        connection: such as its `WebSocket`.
        is_in: whether it is in the room still.
    """

    __slots__ = ("_rooms", "connection", "id", "is_in", "outbox", "room", "told")

    def __init__(
        self, rooms: Rooms[I], room: Room[I], id: str, outbox: Outbox, told: bytes
    ) -> None:
        self._rooms = rooms
        self.room = room
        self.id = id
        self.told = told  # its info, as JSON
        self.outbox = outbox
        self.connection: Connection = outbox.connection
        self.is_in = True

    @property
    def info(self) -> I:
        """What it says of itself, as others see it: a copy. `update` changes it."""
        return self._rooms.form.read(self.told, self.id)

    if TYPE_CHECKING:

        @info.setter
        def info(self, value: NoReturn) -> None: ...

    else:

        @info.setter
        def info(self, value):
            raise AttributeError(
                "what a member says of itself is told to all processes, so it is not set:"
                " member.update(info) changes it"
            )

    def update(self, info: I) -> bool:
        """Say something else of itself, to all who see it in this room, in all processes.

            with rooms.join(room, ws, info={"name": "Ada", "is_away": False}) as me:
                me.update({"name": "Ada", "is_away": True})

        `presence` has it from now on, in other processes in a moment, and the hooks of
        `Rooms.on_update` are called. Never waits.

        Args: info: all of it, as for `join`.
        Returns: False when it has left already.   Raises: as `join`, for an info that cannot be.
        """
        return self._rooms.update(self, info)

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

    def __enter__(self) -> Member[I]:
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
