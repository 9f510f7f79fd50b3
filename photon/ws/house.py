"""What of all rooms is in this process: the rooms, their members, and the outboxes of these.

Everything here happens at once: nobody waits, and after each call all of it fits together. Who is
told of it (the other processes, the hooks) is told at the end.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, Generic

from msgspec import Struct

from photon.runtime.errors import WrongThread
from photon.runtime.hub import Hub, current_hub, existing_hub
from photon.ws.bounds import Bounds
from photon.ws.brokers.base import Broker
from photon.ws.connection import Connection
from photon.ws.hooks import Hooks
from photon.ws.info import I
from photon.ws.member import Member
from photon.ws.neighbours import Neighbours
from photon.ws.outbox import Outbox
from photon.ws.presence import Change, Entry, Kind
from photon.ws.room import Room
from photon.ws.wording import shown


class RoomsStatistics(Struct, frozen=True, kw_only=True):
    """`rooms`, `members` (here), `neighbours` (other processes) and `queued` are now; the others
    are messages since the start.

    Attributes:
        broadcasts: messages that were broadcast from here.
        sent: to single members.
        dropped: by policy, or since the connection ended.
        closed: connections that did not keep up.
        received: from other processes.
        unpublished: messages that the broker did not take, so that others did not get them.
    """

    rooms: int
    members: int
    neighbours: int
    queued: int
    broadcasts: int
    sent: int
    dropped: int
    closed: int
    received: int
    unpublished: int


class House(Generic[I]):
    """Who is where. Also a `Tally` of its outboxes, and what its neighbours speak with.

    Args: new_room: makes a room of this name; new_member: of room, id, outbox and info.
    Attributes:
        rooms: by name; members: by id; outboxes: by the id() of their connection.
        neighbours: other processes, while a broker is used.
        origin: this process, among them.
    """

    def __init__(
        self,
        bounds: Bounds,
        hooks: Hooks,
        new_room: Callable[[str], Room[I]],
        new_member: Callable[[Room[I], str, Outbox, bytes], Member[I]],
    ) -> None:
        self.bounds = bounds
        self.hooks = hooks
        self.rooms: dict[str, Room[I]] = {}
        self.members: dict[str, Member[I]] = {}
        self.outboxes: dict[int, Outbox] = {}
        self.neighbours: Neighbours | None = None
        self.origin = _new_origin()
        self.broadcasts = self.unpublished = 0
        self.sent = self.dropped = self.closed = 0
        self._new_room = new_room
        self._new_member = new_member
        self._numbers = count(1)
        self._hub: Hub | None = None

    # Its life...

    def start(self, broker: Broker, name: str, *, beat_s: float, expire_s: float) -> None:
        """Speak with other processes over a broker, from now on."""
        # In each process a new one: workers may have been forked from the one that made this.
        self.origin = _new_origin()
        broker.__enter__()
        self.neighbours = Neighbours(self, broker, name, beat_s=beat_s, expire_s=expire_s)
        try:
            self.neighbours.start()
        except BaseException:
            self.stop(broker)
            raise

    def stop(self, broker: Broker) -> None:
        """Say goodbye to them; nothing when it was not started."""
        neighbours, self.neighbours = self.neighbours, None
        if neighbours is not None:
            try:
                neighbours.stop()
                for room in self.rooms.values():
                    room.hear_no_more()
            finally:
                broker.__exit__(None, None, None)

    def check_thread(self) -> None:
        """Raises: WrongThread: its rooms are of another one."""
        if self.rooms and existing_hub() is not self._hub:
            raise WrongThread(
                "these rooms are of another thread, and so are their connections; in offload()"
                " return what is to be broadcast, and broadcast it outside"
            )

    # Members...

    def enter(self, name: str, connection: Connection, told: bytes) -> Member[I]:
        """A connection comes into a room.   Raises: RuntimeError: it is in there already."""
        outbox = self.outboxes.get(id(connection))
        if outbox is None:
            outbox = Outbox(
                connection, self.bounds, self, on_gone=self._lose, on_empty=self._settle
            )
        elif any(member.room.name == name for member in outbox.members.values()):
            raise RuntimeError(
                f"{connection!r} is in {name!r} already, and would get each message twice; keep"
                " the member that the first join gave, and leave() before you join again;"
                " update(info) changes what it says of itself"
            )
        room = self.open(name)
        member = self._new_member(room, f"{self.origin}.{next(self._numbers)}", outbox, told)
        room.local[member.id] = outbox.members[member.id] = self.members[member.id] = member
        self.outboxes[id(connection)] = outbox
        if self.neighbours is not None:
            self.neighbours.joined(room, member.id, told)
        self._note(member, "joined")
        return member

    def update(self, member: Member[I], told: bytes) -> bool:
        """A member says something else of itself.   Returns: False when it has left already."""
        if not member.is_in:
            return False
        if told != member.told:
            member.told = told
            if self.neighbours is not None:
                self.neighbours.updated(member.room, member.id, told)
            self._note(member, "updated")
        return True

    def remove(self, member: Member[I]) -> None:
        """A member leaves; nothing when it has left already."""
        if not member.is_in:
            return
        member.is_in = False
        room = member.room
        del room.local[member.id], self.members[member.id], member.outbox.members[member.id]
        self._settle(member.outbox)
        if self.neighbours is not None:
            self.neighbours.left(room, member.id)
        self.close_if_empty(room)
        self._note(member, "left")

    def _note(self, member: Member[I], kind: Kind) -> None:
        if self.hooks.has_any:
            who = Entry(member.id, member.told, True)
            self.hooks.tell(member.room.name, [Change(who, kind)])

    def _lose(self, outbox: Outbox) -> None:
        """Nothing can be sent to this connection any more."""
        for member in list(outbox.members.values()):
            self.remove(member)

    def _settle(self, outbox: Outbox) -> None:
        """Forget an outbox that nobody uses."""
        key = id(outbox.connection)
        if not outbox.members and outbox.is_idle and self.outboxes.get(key) is outbox:
            del self.outboxes[key]

    def ids_of(self, who: Any) -> list[str]:
        """The ids of members who are meant by them, by their ids or their connections.

        Raises: TypeError: they cannot be.
        """
        if who is None:
            return []
        if isinstance(who, Member):
            return [who.id]
        if isinstance(who, str):
            return [who]
        outbox = self.outboxes.get(id(who))
        if outbox is not None:
            return list(outbox.members)
        if hasattr(who, "send_frame"):  # a connection that is in no room
            return []
        if isinstance(who, Iterable):
            return [each for item in who for each in self.ids_of(item)]
        raise TypeError(
            "exclude= is a Member, the id of one, a WebSocket, or several of them, not"
            f" {shown(who)}"
        )

    # Messages...

    def broadcast(self, room: str, frame: bytes, exclude: list[str], *, local: bool) -> int:
        """A message for all in a room.   Returns: how many of this process it was given to."""
        self.broadcasts += 1
        # Before the members here are served: whoever is cancelled while the broker is busy has told
        # nobody yet.
        neighbours = self.neighbours
        if (
            neighbours is not None
            and not local
            and not neighbours.say(room, frame, exclude, self.bounds.patience_s)
        ):
            self.unpublished += 1
        found = self.rooms.get(room)
        return found.deliver(frame, exclude, can_wait=True) if found is not None else 0

    def send_to(self, member: str, frame: bytes) -> bool:
        """A message for one member, wherever it is.   Returns: False when it is nowhere."""
        here = self.members.get(member)
        if here is not None:
            here.room.send_late([here.outbox], frame)
            return True
        neighbours = self.neighbours
        return neighbours is not None and neighbours.tell(member, frame, self.bounds.patience_s)

    # Rooms...

    def open(self, name: str) -> Room[I]:
        """The room of this name, which begins now if it was not there."""
        room = self.rooms.get(name)
        if room is None:
            room = self._new_room(name)
            self._hub = current_hub()
            if self.neighbours is not None:
                self.neighbours.open(room)
            self.rooms[name] = room
        return room

    def close_if_empty(self, room: Room[I]) -> None:
        """It ends when nobody is in it, or watches it."""
        if not room.local and not room.watchers and self.rooms.get(room.name) is room:
            del self.rooms[room.name]
            room.hear_no_more()

    # For its neighbours...

    def room_named(self, name: str) -> Room[I] | None:
        """A room of this process."""
        return self.rooms.get(name)

    def all_rooms(self) -> list[Room[I]]:
        """Those of this process."""
        return list(self.rooms.values())

    def tell_changes(self, room: str, changes: list[Change]) -> None:
        """Members of another process came, changed or went."""
        self.hooks.tell(room, changes)

    def deliver_to(self, member: str, frame: bytes) -> None:
        """A message of another process for one member."""
        found = self.members.get(member)
        if found is not None:
            found.outbox.put(frame)

    # Seeing inside...

    def statistics(self) -> RoomsStatistics:
        """How many rooms and members, and what became of their messages."""
        neighbours = self.neighbours
        return RoomsStatistics(
            rooms=len(self.rooms),
            members=len(self.members),
            neighbours=0 if neighbours is None else len(neighbours),
            queued=sum(outbox.queued for outbox in self.outboxes.values()),
            broadcasts=self.broadcasts,
            sent=self.sent,
            dropped=self.dropped,
            closed=self.closed,
            received=0 if neighbours is None else neighbours.received,
            unpublished=self.unpublished,
        )

    def __repr__(self) -> str:
        return f"<House {len(self.members)} members in {len(self.rooms)} rooms>"


def _new_origin() -> str:
    return secrets.token_hex(8)
