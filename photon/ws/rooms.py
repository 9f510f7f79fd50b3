"""Rooms: connections that get the same messages, in one process or, with a broker, in many.

    rooms = Rooms()

    @app.websocket("/chat/{room}")
    def chat(ws: WebSocket, room: str):
        with rooms.join(room, ws, info={"name": ws.query.get("name")}):
            for message in ws:
                rooms.broadcast(room, message)

A room is there while somebody is in it. With a broker the rooms of one name are the same in all
processes; `app.lifespan(lambda: rooms)` starts and stops it:

    rooms = Rooms(RedisBroker("redis://localhost"))
    app.lifespan(lambda: rooms)

Who is in this process is always served, whether the broker is there or not.

Prior art: rooms of socket.io; Phoenix Channels and Presence; groups of Django Channels, which drop
messages without a word when a channel is full (here that is a policy, and counted), and leave who
was killed in the group for a day (here it is gone after `expire_s`).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from types import TracebackType
from typing import Any, TypeVar, get_args

from msgspec import Struct

from photon.runtime.carriers import Carrier
from photon.runtime.errors import WrongThread
from photon.runtime.hints import meant
from photon.runtime.hub import Hub, current_hub, existing_hub
from photon.ws.brokers.base import Broker
from photon.ws.member import Member
from photon.ws.neighbours import Neighbours
from photon.ws.outbox import Bounds, Connection, Outbox, Policy
from photon.ws.presence import Change, Changes, Presence
from photon.ws.room import Room
from photon.ws.wording import checked_info, checked_name, frame_of

logger = logging.getLogger("photon.ws")

Hook = Callable[[str, Presence], object]
H = TypeVar("H", bound=Hook)

# How long a newcomer waits for the broker to take his room, or for others to say who they have:
# with a broker that works it takes some milliseconds, with another one nobody should wait for it.
_START_S = 1.0

_OTHER_NAMES = {"drop": "drop_oldest or drop_newest", "disconnect": "close", "wait": "block"}


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


class Rooms:
    """Rooms by name.

    Args:
        broker: carries messages between processes; None for this one alone.
        queue: messages that may wait for one connection that does not keep up.
        queue_bytes: and how many bytes of them. One message may always wait, however large.
        policy: what happens beyond: "close" (with 1013; the client may come back), "drop_oldest",
            "drop_newest", or "block" (whoever broadcasts waits `patience_s`, then it is closed).
            Messages of other processes wait for nobody: there "block" is as "close".
        patience_s: also how long a broadcast waits when the broker has too much to do.
        name: of all these rooms together: what has the same name on the same broker is the same.
        beat_s: how often processes say that they are there.
        expire_s: a process that was not heard for so long is gone, and its members have left.
    """

    def __init__(
        self,
        broker: Broker | None = None,
        *,
        queue: int = 256,
        queue_bytes: int = 1024 * 1024,
        policy: Policy = "close",
        patience_s: float = 5.0,
        name: str = "rooms",
        beat_s: float = 5.0,
        expire_s: float = 15.0,
    ) -> None:
        if broker is not None and not hasattr(broker, "publish"):
            raise TypeError(f"broker= is a broker, such as RedisBroker(url), not {broker!r}")
        if policy not in get_args(Policy):
            raise ValueError(
                f"there is no policy {policy!r}{meant(str(policy), get_args(Policy), _OTHER_NAMES)}"
            )
        if queue < 1 or queue_bytes < 1:
            raise ValueError(
                f"queue={queue!r} and queue_bytes={queue_bytes!r}: both are 1 or more, as what"
                " does not fit into the socket must wait somewhere"
            )
        if not 0 < beat_s < expire_s:
            raise ValueError(
                f"beat_s={beat_s!r} is above 0 and less than expire_s={expire_s!r}, or all others"
                " seem gone between two beats; 3 beats are usual"
            )
        if not patience_s > 0:
            raise ValueError(f"patience_s= is a number of seconds above 0, not {patience_s!r}")
        self.name = checked_name(name)
        self.bounds = Bounds(queue, queue_bytes, policy, patience_s)
        self.origin = secrets.token_hex(8)
        self._broker = broker
        self._neighbours: Neighbours | None = None
        self._hub: Hub | None = None
        self._beat_s = beat_s
        self._expire_s = expire_s
        self._rooms: dict[str, Room] = {}
        self._members: dict[str, Member] = {}
        self._outboxes: dict[int, Outbox] = {}
        self._numbers = count(1)
        self._join_hooks: list[Hook] = []
        self._leave_hooks: list[Hook] = []
        self._teller = _Teller(self._call_hooks)
        self._broadcasts = 0
        self._unpublished = 0
        self.sent = 0
        self.dropped = 0
        self.closed = 0

    # Members...

    def join(self, room: str, connection: Connection, info: Any = None) -> Member:
        """Have a connection get what is broadcast in a room.

            with rooms.join("general", ws, info={"name": "Ada"}) as member: ...

        It leaves with the block, by `member.leave()`, or when nothing can be sent to it any more.
        A WebSocket is accepted, as by its first `send`. With a broker this waits, at most a second,
        until what others broadcast is heard.

        Args: info: what others see of it (`presence`): any value that can be JSON, 8 KiB at most.
        Raises: TypeError, ValueError: a name or info that cannot be; RuntimeError: it is in there
            already, or these rooms have a broker and were not started; WrongThread.
        """
        checked_name(room)
        info = checked_info(info)
        if not hasattr(connection, "send_frame"):
            raise TypeError(f"a WebSocket joins a room, not {connection!r}: rooms.join(name, ws)")
        neighbours = self._started()
        self._hub = current_hub()
        if getattr(connection, "stage", None) == "connecting":
            connection.accept()  # type: ignore[attr-defined]  # here, and not by whoever sends first
        outbox = self._outboxes.get(id(connection))
        if outbox is None:
            outbox = Outbox(
                connection, self.bounds, self, on_gone=self._lose, on_empty=self._settle
            )
            self._outboxes[id(connection)] = outbox
        elif any(member.room.name == room for member in outbox.members.values()):
            raise RuntimeError(
                f"{connection!r} is in {room!r} already, and would get each message twice; keep"
                " the member that the first join gave, and leave() before you join again"
            )
        place = self._open(room)
        member = Member(self, place, f"{self.origin}.{next(self._numbers)}", outbox, info)
        place.local[member.id] = outbox.members[member.id] = self._members[member.id] = member
        self._note(place, member, has_joined=True)
        if neighbours is not None:
            neighbours.joined(place, member.id, info)
            if not place.started:
                try:
                    self._wait_started(place)
                except BaseException:
                    member.leave()
                    raise
        return member

    def remove(self, member: Member) -> None:
        """As `member.leave()`."""
        if not member.is_in:
            return
        member.is_in = False
        room = member.room
        del room.local[member.id], self._members[member.id], member.outbox.members[member.id]
        self._settle(member.outbox)
        self._note(room, member, has_joined=False)
        if self._neighbours is not None:
            self._neighbours.left(room, member.id)
        self._close_if_empty(room)

    def _started(self) -> Neighbours | None:
        if self._rooms and existing_hub() is not self._hub:
            raise WrongThread(
                f"{self!r} is of another thread, and so are its connections; in offload() return"
                " what is to be broadcast, and broadcast it outside"
            )
        if self._broker is not None and self._neighbours is None:
            raise RuntimeError(
                f"{self!r} has a broker and was not started: app.lifespan(lambda: rooms), or"
                " `with rooms:` around what uses it"
            )
        return self._neighbours

    def _wait_started(self, room: Room) -> None:
        if self._broker is not None and self._broker.is_connected:
            room.waiters.wait_for(lambda: room.started, _START_S)

    def _lose(self, outbox: Outbox) -> None:
        """Nothing can be sent to this connection any more."""
        for member in list(outbox.members.values()):
            self.remove(member)

    def _settle(self, outbox: Outbox) -> None:
        """Forget an outbox that nobody uses."""
        key = id(outbox.connection)
        if not outbox.members and outbox.is_idle and self._outboxes.get(key) is outbox:
            del self._outboxes[key]

    # Messages...

    def broadcast(
        self, room: str, message: object, *, exclude: Any = None, local: bool = False
    ) -> int:
        """Send a message to all members of a room; to nobody, if there are none.

        Text and bytes are sent as they are, any other value as JSON. It is encoded once. All
        members here get the same broadcasts in the same order.

        Args:
            exclude: who does not get it: a Member, its id, a connection, or several of them.
            local: only members of this process, as in a hook, which is called in each process.
        Returns: how many of this process it was given to.
        Raises: TypeError, for what cannot be JSON; ValueError, for what the broker cannot carry.
        """
        checked_name(room)
        frame = frame_of(message)
        excluded = self._ids(exclude)
        neighbours = self._started()
        self._broadcasts += 1
        # Before the members here are served: whoever is cancelled while the broker is busy has told
        # nobody yet.
        if (
            neighbours is not None
            and not local
            and not neighbours.say(room, frame, excluded, self.bounds.patience_s)
        ):
            self._unpublished += 1
        found = self._rooms.get(room)
        return found.deliver(frame, excluded, can_wait=True) if found is not None else 0

    def send_to(self, member: Member | str, message: object) -> bool:
        """Send a message to one member, by its id, wherever it is.

        Returns: False when it is known not to be there.
        """
        id = member.id if isinstance(member, Member) else member
        frame = frame_of(message)
        neighbours = self._started()
        here = self._members.get(id)
        if here is not None:
            here.room.send_late([here.outbox], frame)
            return True
        return neighbours is not None and neighbours.tell(id, frame, self.bounds.patience_s)

    def _ids(self, exclude: Any) -> list[str]:
        """The ids of those who are meant."""
        if exclude is None:
            return []
        if isinstance(exclude, Member):
            return [exclude.id]
        if isinstance(exclude, str):
            return [exclude]
        outbox = self._outboxes.get(id(exclude))
        if outbox is not None:
            return list(outbox.members)
        if hasattr(exclude, "send_frame"):  # a connection that is in no room
            return []
        if isinstance(exclude, Iterable):
            return [each for item in exclude for each in self._ids(item)]
        raise TypeError(
            f"exclude= is a Member, the id of one, a WebSocket, or several of them, not {exclude!r}"
        )

    # Who is there...

    def presence(self, room: str) -> list[Presence]:
        """Who is in a room, in all processes.

        In a process that has nobody in it the others are asked, for a second at most.
        """
        if self._started() is None:
            found = self._rooms.get(room)
            return found.presence if found is not None else []
        with self.watch(room) as watched:
            watched.waiters.wait_for(
                lambda: watched.started and not watched.roll.awaited, self._patience_with_others()
            )
            return watched.presence

    def _patience_with_others(self) -> float:
        return _START_S if self._broker is not None and self._broker.is_connected else 0.0

    @contextmanager
    def watch(self, room: str) -> Iterator[Room]:
        """Know who is in a room, and be told of changes, without being in it."""
        checked_name(room)
        self._started()
        self._hub = current_hub()
        watched = self._open(room)
        watched.watchers += 1
        try:
            self._wait_started(watched)
            yield watched
        finally:
            watched.watchers -= 1
            self._close_if_empty(watched)

    def on_join(self, hook: H) -> H:
        """Have `hook(room, who)` called when somebody joined: the room's name, and a Presence.

        It is called in each process that has the room, for members of all processes, one after the
        other, after the fact and in a greenlet of its own. `who.is_here` says whether it is a
        member of this process: with `if who.is_here:` it is done once. Who was there before the
        room began in this process has not joined. Who came and went quickly may be left out.
        """
        self._join_hooks.append(hook)
        return hook

    def on_leave(self, hook: H) -> H:
        """Have `hook(room, who)` called when somebody left; see `on_join`."""
        self._leave_hooks.append(hook)
        return hook

    def _note(self, room: Room, member: Member, *, has_joined: bool) -> None:
        if self._join_hooks or self._leave_hooks:
            who = Presence(member.id, member.info, True)
            self.tell_changes(room.name, [Change(who, has_joined)])

    def tell_changes(self, room: str, changes: list[Change]) -> None:
        """Call the hooks, soon."""
        if changes and (self._join_hooks or self._leave_hooks):
            self._teller.tell(room, changes)

    def _call_hooks(self, room: str, change: Change) -> None:
        for hook in self._join_hooks if change.has_joined else self._leave_hooks:
            try:
                hook(room, change.who)
            except Exception:
                logger.exception("the hook %r failed", hook)

    # Rooms...

    def get(self, room: str) -> Room | None:
        """The room of this name, while somebody of this process is in it."""
        return self._rooms.get(room)

    def __contains__(self, room: object) -> bool:
        return room in self._rooms

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._rooms))

    def __len__(self) -> int:
        return len(self._rooms)

    def __bool__(self) -> bool:
        return True  # it is there, though nobody is in it

    def _open(self, name: str) -> Room:
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = Room(self, name)
            if self._neighbours is not None:
                self._neighbours.open(room)
        return room

    def _close_if_empty(self, room: Room) -> None:
        if not room.local and not room.watchers and self._rooms.get(room.name) is room:
            del self._rooms[room.name]
            if room.subscription is not None:
                room.subscription.close()
                room.subscription = None

    # For its neighbours...

    def room_named(self, name: str) -> Room | None:
        """As `get`."""
        return self._rooms.get(name)

    def all_rooms(self) -> list[Room]:
        """Those of this process."""
        return list(self._rooms.values())

    def deliver_to(self, member: str, frame: bytes) -> None:
        """A message of another process for one member."""
        found = self._members.get(member)
        if found is not None:
            found.outbox.put(frame)

    # Its life...

    def __enter__(self) -> Rooms:
        if self._neighbours is not None:
            raise RuntimeError(f"{self!r} was started already")
        if self._broker is not None:
            # In each process a new one: workers may have been forked from the one that made this.
            self.origin = secrets.token_hex(8)
            self._broker.__enter__()
            self._neighbours = Neighbours(
                self, self._broker, self.name, beat_s=self._beat_s, expire_s=self._expire_s
            )
            self._neighbours.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        neighbours, self._neighbours = self._neighbours, None
        if neighbours is not None and self._broker is not None:
            try:
                neighbours.stop()
                for room in self.all_rooms():
                    if room.subscription is not None:
                        room.subscription.close()
                        room.subscription = None
            finally:
                self._broker.__exit__(kind, error, traceback)

    def statistics(self) -> RoomsStatistics:
        """How many rooms and members, and what became of their messages."""
        neighbours = self._neighbours
        return RoomsStatistics(
            rooms=len(self._rooms),
            members=len(self._members),
            neighbours=0 if neighbours is None else len(neighbours),
            queued=sum(outbox.queued for outbox in self._outboxes.values()),
            broadcasts=self._broadcasts,
            sent=self.sent,
            dropped=self.dropped,
            closed=self.closed,
            received=0 if neighbours is None else neighbours.received,
            unpublished=self._unpublished,
        )

    def __repr__(self) -> str:
        over = "" if self._broker is None else f" over {self._broker!r}"
        return f"<Rooms {self.name!r}: {len(self._members)} members in {len(self._rooms)}{over}>"


class _Teller:
    """Tells changes one after the other. A carrier's job while there are any."""

    def __init__(self, call: Callable[[str, Change], None]) -> None:
        self._call = call
        self._changes = Changes()
        self._is_at_work = False

    def tell(self, room: str, changes: list[Change]) -> None:
        """Soon."""
        for change in changes:
            self._changes.add(room, change)
        if not self._is_at_work:
            self._is_at_work = True
            current_hub().carriers.submit(self)

    def run(self) -> None:
        try:
            while (told := self._changes.next()) is not None:
                self._call(*told)
        finally:
            self._is_at_work = False

    def on_parked(self, carrier: Carrier) -> None:
        """A hook may wait."""

    def __repr__(self) -> str:
        return f"<hooks of rooms, {len(self._changes)} changes to tell>"
