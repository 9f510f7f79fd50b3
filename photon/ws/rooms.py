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

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType, UnionType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from photon.runtime.hints import no_such_attribute
from photon.ws.bounds import Policy, checked_bounds
from photon.ws.brokers.base import Broker
from photon.ws.connection import Connection
from photon.ws.elsewhere import OF_ROOMS
from photon.ws.hooks import Hooks
from photon.ws.house import House, RoomsStatistics
from photon.ws.info import I, InfoForm
from photon.ws.member import Member
from photon.ws.presence import Entry, Presence
from photon.ws.room import Room
from photon.ws.wording import checked_name, frame_of, shown

H = TypeVar("H", bound=Callable[[str, Presence[Any]], object])

# How long a newcomer waits for the broker to take his room, or for others to say who they have:
# with a broker that works it takes some milliseconds, with another one nobody should wait for it.
_START_S = 1.0


class Rooms(Generic[I]):
    """Rooms by name.

    Args:
        broker: carries messages between processes; None for this one alone.
        info_type: of what members say of themselves, such as a msgspec.Struct: `info=` is checked
            against it, and `Presence.info` and `Member.info` are of it. Left out, any value that
            can be JSON goes in, and what JSON has (dict, list, str, numbers) comes out.
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
        info_type: type[I] | UnionType = Any,  # type: ignore[assignment]  # then I is Any, too
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
        if isinstance(broker, type):
            raise TypeError(f"broker= is the class {broker.__name__}: write {broker.__name__}(...)")
        if not 0 < beat_s < expire_s:
            raise ValueError(
                f"beat_s={beat_s!r} is above 0 and less than expire_s={expire_s!r}, or all others"
                " seem gone between two beats; 3 beats are usual"
            )
        self.name = checked_name(name)
        self.bounds = checked_bounds(queue, queue_bytes, policy, patience_s)
        self.form: InfoForm[I] = InfoForm(info_type)
        self._broker = broker
        self._beat_s = beat_s
        self._expire_s = expire_s
        self._house: House[I] = House(
            self.bounds,
            Hooks(self.present),
            lambda name: Room(self, name),
            lambda room, id, outbox, told: Member(self, room, id, outbox, told),
        )

    # Members...

    def join(self, room: str, connection: Connection, info: I | None = None) -> Member[I]:
        """Have a connection get what is broadcast in a room.

            with rooms.join("general", ws, info={"name": "Ada"}) as member: ...

        It leaves with the block, by `member.leave()`, or when nothing can be sent to it any more.
        A WebSocket is accepted, as by its first `send`. With a broker this waits, at most a second,
        until what others broadcast is heard.

        Args: info: what others see of it (`presence`): any value that can be JSON, 8 KiB at most.
            `member.update` changes it.
        Raises: TypeError, ValueError: a name or info that cannot be; RuntimeError: it is in there
            already, or these rooms have a broker and were not started; WebSocketClosed: it is over
            already; WrongThread.
        """
        checked_name(room, "rooms.join(room, ws)")
        _check_connection(connection)
        told = self.form.write(info)
        self._check_use()
        ready: Callable[[], object] | None = getattr(connection, "ready", None)
        if ready is not None:
            ready()  # here, and not by whoever sends first
        member = self._house.enter(room, connection, told)
        try:
            self._wait_started(member.room)
        except BaseException:
            member.leave()
            raise
        return member

    def update(self, member: Member[I], info: I) -> bool:
        """As `member.update(info)`."""
        self._check_use()
        return self._house.update(member, self.form.write(info, "info"))

    def remove(self, member: Member[I]) -> None:
        """As `member.leave()`."""
        self._house.remove(member)

    def _check_use(self) -> None:
        """Raises: WrongThread; RuntimeError: they were not started."""
        self._house.check_thread()
        if self._broker is not None and self._house.neighbours is None:
            raise RuntimeError(
                f"{self!r} has a broker and was not started: app.lifespan(lambda: rooms), or"
                " `with rooms:` around what uses it"
            )

    def _wait_started(self, room: Room[I]) -> None:
        if self._broker is not None and not room.started:
            room.waiters.wait_for(lambda: room.started, self._patience_with_others())

    # Messages...

    def broadcast(
        self, room: str, message: object, *, exclude: Any = None, local: bool = False
    ) -> int:
        """Send a message to all members of a room; to nobody, if there are none.

        Text and bytes are sent as they are, any other value as JSON. It is encoded once. All
        members here get the same broadcasts in the same order.

        Clients that are slow keep nobody waiting, but with the policy "block". A broker is given
        the message and sends it in the background: this waits only while it has too much on its
        way already (10,000 messages or 16 MiB), at most `patience_s`, and then members of this
        process alone get it (`unpublished`, in the statistics). One that is away is not waited for.

        Args:
            exclude: who does not get it: a Member, its id, a connection, or several of them.
            local: only members of this process, as in a hook, which is called in each process.
        Returns: how many of this process it was given to.
        Raises: TypeError, for what cannot be JSON; ValueError, for what the broker cannot carry.
        """
        checked_name(room, "rooms.broadcast(room, message)")
        frame = frame_of(message, room)
        self._check_use()
        return self._house.broadcast(room, frame, self._house.ids_of(exclude), local=local)

    def send_to(self, member: Member[I] | str, message: object) -> bool:
        """Send a message to one member, by its id, wherever it is.

        Returns: False when it is known not to be there.
        """
        id = member.id if isinstance(member, (Member, Presence)) else member
        if not isinstance(id, str):
            raise TypeError(
                f"rooms.send_to(member, message) takes a Member or the id of one, not {shown(id)};"
                " a WebSocket sends by itself"
            )
        frame = frame_of(message)
        self._check_use()
        return self._house.send_to(id, frame)

    # Who is there...

    def presence(self, room: str) -> list[Presence[I]]:
        """Who is in a room, in all processes.

        In a process that has nobody in it the others are asked, for a second at most.
        """
        checked_name(room)
        self._check_use()
        if self._broker is None:
            found = self._house.rooms.get(room)
            return found.presence if found is not None else []
        with self.watch(room) as watched:
            watched.waiters.wait_for(
                lambda: watched.started and not watched.roll.awaited, self._patience_with_others()
            )
            return watched.presence

    def _patience_with_others(self) -> float:
        return _START_S if self._broker is not None and self._broker.is_connected else 0.0

    @contextmanager
    def watch(self, room: str) -> Iterator[Room[I]]:
        """Know who is in a room, and have hooks told of changes, without being in it."""
        checked_name(room)
        self._check_use()
        watched = self._house.open(room)
        watched.watchers += 1
        try:
            self._wait_started(watched)
            yield watched
        finally:
            watched.watchers -= 1
            self._house.close_if_empty(watched)

    def present(self, who: Entry) -> Presence[I]:
        """Somebody as users see them.   Raises: ValueError: the info is not of the type."""
        return Presence(who.id, self.form.read(who.info, who.id), who.is_here)

    def on_join(self, hook: H) -> H:
        """Have `hook(room, who)` called when somebody joined: the room's name, and a Presence.

        It is called in each process that has the room, for members of all processes, one after the
        other, after the fact and in a greenlet of its own. `who.is_here` says whether it is a
        member of this process: with `if who.is_here:` it is done once. Who was there before the
        room began in this process has not joined. Who came and went quickly may be left out.

        While one hook waits, no other is called: have it `spawn` what takes long.
        """
        self._house.hooks.add("joined", hook, "on_join")
        return hook

    def on_update(self, hook: H) -> H:
        """Have `hook(room, who)` called when somebody says something else of itself.

        That is `member.update(info)`, and `who` has the new info; see `on_join`. Of several updates
        that follow each other quickly the last is told. Who was not yet told to have joined joins
        with what he says now.
        """
        self._house.hooks.add("updated", hook, "on_update")
        return hook

    def on_leave(self, hook: H) -> H:
        """Have `hook(room, who)` called when somebody left; see `on_join`."""
        self._house.hooks.add("left", hook, "on_leave")
        return hook

    # Rooms...

    def get(self, room: str) -> Room[I] | None:
        """The room of this name, while somebody of this process is in it."""
        return self._house.rooms.get(room)

    def __contains__(self, room: object) -> bool:
        return room in self._house.rooms

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._house.rooms))

    def __len__(self) -> int:
        return len(self._house.rooms)

    def __bool__(self) -> bool:
        return True  # it is there, though nobody is in it

    # Its life...

    def __enter__(self) -> Rooms[I]:
        if self._house.neighbours is not None:
            raise RuntimeError(f"{self!r} was started already")
        if self._broker is not None:
            self._house.start(self._broker, self.name, beat_s=self._beat_s, expire_s=self._expire_s)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._broker is not None:
            self._house.stop(self._broker)

    def statistics(self) -> RoomsStatistics:
        """How many rooms and members, and what became of their messages."""
        return self._house.statistics()

    if not TYPE_CHECKING:  # a checker shall see that these do not exist

        def __getattr__(self, name: str) -> Any:
            return no_such_attribute(self, name, OF_ROOMS)

    def __repr__(self) -> str:
        house = self._house
        over = "" if self._broker is None else f" over {self._broker!r}"
        return f"<Rooms {self.name!r}: {len(house.members)} members in {len(house.rooms)}{over}>"


def _check_connection(connection: object) -> None:
    if isinstance(connection, type):
        raise TypeError(
            f"a WebSocket joins a room, and not the class {connection.__name__}: give the one that"
            " the handler got, rooms.join(name, ws)"
        )
    if not hasattr(connection, "send_frame"):
        raise TypeError(f"a WebSocket joins a room, not {shown(connection)}: rooms.join(name, ws)")
