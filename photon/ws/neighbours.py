"""The other processes that have the same rooms: what is said to them, and what they say.

    start      Alive(is_new), which each answers with Alive
    a room     its topic is subscribed while somebody is in it. From when that works: Present, whom
               we have; Asked, whom have you? All answer with Present on the room's topic
    changes    Joined, Updated, Left
    always     Alive every `beat_s`; who was not heard for `expire_s` is gone, members and all
    stop       Gone

After a loss of the broker each room starts again as a new one, so that both sides learn what they
missed.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

from photon.runtime.carriers import Carrier
from photon.runtime.clock import now
from photon.runtime.deadlines import Deadline
from photon.runtime.hub import current_hub
from photon.ws.brokers.base import Broker, Subscription
from photon.ws.notices import (
    Alive,
    Asked,
    Gone,
    Joined,
    Left,
    Notice,
    Present,
    Said,
    Told,
    Updated,
    decode,
)
from photon.ws.presence import Change
from photon.ws.room import Room
from photon.ws.voice import AT_ONCE, Voice

logger = logging.getLogger("photon.ws")

# Of processes that were lost only so many are known again when they come back.
_REMEMBERED = 1000


class House(Protocol):
    """What `Rooms` is to its neighbours."""

    origin: str

    def room_named(self, name: str) -> Room[Any] | None: ...
    def all_rooms(self) -> list[Room[Any]]: ...
    def tell_changes(self, room: str, changes: list[Change]) -> None: ...
    def deliver_to(self, member: str, frame: bytes) -> None: ...


class Neighbours:
    """Speaks with the other processes over a broker. A carrier's job: its beat.

    Attributes: received: messages of others, for rooms and members here; unreadable: notices that
        were none.
    """

    def __init__(
        self, house: House, broker: Broker, name: str, *, beat_s: float, expire_s: float
    ) -> None:
        self._house = house
        self._broker = broker
        self._voice = Voice(broker, name)
        self._beat_s = beat_s
        self._expire_s = expire_s
        self._heard: dict[str, float] = {}
        self._lost: dict[str, None] = {}
        self._subscriptions: list[Subscription] = []
        self._next_beat: Deadline | None = None
        self._last_beat = 0.0
        self.received = 0
        self.unreadable = 0

    # Its life...

    def start(self) -> None:
        """Begin to listen, and say that we are here."""
        self._subscriptions = [
            self._broker.subscribe(self._voice.all_topic, self._on_all, self._greet),
            self._broker.subscribe(self._voice.process_topic(self._house.origin), self._on_told),
        ]
        self._last_beat = now()
        self._plan_beat()

    def stop(self) -> None:
        """Say goodbye, and listen no more."""
        if self._next_beat is not None:
            self._next_beat.cancel()
            self._next_beat = None
        self._voice.to_all(Gone(self._house.origin))
        for subscription in self._subscriptions:
            subscription.close()
        self._subscriptions = []

    def _greet(self) -> None:
        self._voice.to_all(Alive(self._house.origin, True))

    def _plan_beat(self) -> None:
        hub = current_hub()
        self._next_beat = hub.deadlines.add(now() + self._beat_s, lambda: hub.carriers.submit(self))

    def run(self) -> None:
        """One beat."""
        if self._next_beat is None:  # stopped meanwhile
            return
        self._next_beat.cancel()  # a beat that comes early takes the place of the next one
        self._plan_beat()
        self._voice.to_all(Alive(self._house.origin, False))
        for room in self._house.all_rooms():
            if room.started and not room.is_announced:
                self._announce(room)
        # Who was held up himself has heard of nobody, and what they said waits to be read.
        moment = now()
        was_held_up = moment - self._last_beat > 2 * self._beat_s
        self._last_beat = moment
        if not was_held_up:
            self._expire(moment)

    def on_parked(self, carrier: Carrier) -> None:
        """It hardly ever waits."""

    # What is said...

    def open(self, room: Room[Any]) -> None:
        """A room begins here."""
        room.subscription = self._broker.subscribe(
            self._voice.room_topic(room.name),
            lambda payload: self._on_room(room, payload),
            lambda: self._start(room),
        )

    def joined(self, room: Room[Any], member: str, info: bytes) -> None:
        """Somebody joined here."""
        if room.started:
            self._tell_change(room, Joined(self._house.origin, member, info))

    def updated(self, room: Room[Any], member: str, info: bytes) -> None:
        """Somebody here says something else of itself."""
        if room.started:
            self._tell_change(room, Updated(self._house.origin, member, info))

    def left(self, room: Room[Any], member: str) -> None:
        """Somebody left here."""
        if room.started:
            self._tell_change(room, Left(self._house.origin, member))

    def say(self, room: str, frame: bytes, exclude: list[str], wait_s: float) -> bool:
        """A message for all others in the room.   Raises: ValueError: too large; Cancelled."""
        return self._voice.send(
            self._voice.room_topic(room), Said(self._house.origin, frame, exclude), wait_s
        )

    def tell(self, member: str, frame: bytes, wait_s: float) -> bool:
        """A message for one member elsewhere.   Returns: False when its process is not there."""
        origin = member.rpartition(".")[0]
        if origin not in self._heard:
            return False
        return self._voice.send(
            self._voice.process_topic(origin), Told(self._house.origin, member, frame), wait_s
        )

    def _start(self, room: Room[Any]) -> None:
        """From now on we hear what is said in the room."""
        if room.subscription is None:  # over already
            return
        room.roll.is_settled = room.started
        if not room.started:
            room.roll.awaited = set(self._heard)
            room.started = True
        self._announce(room)
        self._voice.to_all(Asked(self._house.origin, [room.name], ""))
        room.waiters.wake()

    def _announce(self, room: Room[Any], to: str = "") -> None:
        """Say whom we have in the room.   Args: to: who asked, if anybody did."""
        members = {member.id: member.told for member in room.local.values()}
        room.is_announced = self._voice.present(self._house.origin, room.name, members, to)

    def _tell_change(self, room: Room[Any], notice: Notice) -> None:
        if not self._voice.to_room(room.name, notice):
            room.is_announced = False  # the next beat says it all

    # What is heard...

    def _on_all(self, payload: bytes) -> None:
        notice = self._read(payload)
        match notice:
            case Alive(is_new=True):
                self._voice.to_all(Alive(self._house.origin, False))
            case Asked(origin=origin, rooms=rooms, of=of) if of in ("", self._house.origin):
                if of:  # it had lost us, and tells its hooks that we are back
                    self._answer("", rooms, even_nobody=False)
                else:
                    self._answer(origin, rooms, even_nobody=True)
            case Gone(origin=origin):
                self._heard.pop(origin, None)
                self._drop(origin)

    def _answer(self, to: str, rooms: list[str], *, even_nobody: bool) -> None:
        for name in rooms:
            room = self._house.room_named(name)
            if room is not None and room.local:
                self._announce(room, to)
            elif even_nobody:
                self._voice.present(self._house.origin, name, {}, to)

    def _on_room(self, room: Room[Any], payload: bytes) -> None:
        notice = self._read(payload)
        match notice:
            case Said(frame=frame, exclude=exclude):
                self.received += 1
                room.deliver(frame, exclude, can_wait=False)
                return
            case Joined(origin=origin, member=member, info=info):
                changes = room.roll.joined(origin, member, info)
            case Updated(origin=origin, member=member, info=info):
                changes = room.roll.updated(origin, member, info)
            case Left(origin=origin, member=member):
                changes = room.roll.left(origin, member)
            case Present(origin=origin, members=members, goes_on=goes_on, to=to):
                changes = room.roll.present(
                    origin, members, goes_on=goes_on, is_answer=to == self._house.origin
                )
                room.waiters.wake()
            case _:
                return
        self._house.tell_changes(room.name, changes)

    def _on_told(self, payload: bytes) -> None:
        notice = self._read(payload)
        if isinstance(notice, Told):
            self.received += 1
            self._house.deliver_to(notice.member, notice.frame)

    def _read(self, payload: bytes) -> Notice | None:
        """The notice of another process; None for our own, and for what is none."""
        notice = decode(payload)
        if notice is None:
            self.unreadable += 1
            if self.unreadable == 1:
                logger.warning(
                    "%r carries what is not of rooms (%d bytes): does another program, or another"
                    " version, use the same names? Rooms(name=...) tells them apart",
                    self._broker,
                    len(payload),
                )
            return None
        if notice.origin == self._house.origin:
            return None
        if not isinstance(notice, Gone):
            self._hear(notice.origin)
        return notice

    def _hear(self, origin: str) -> None:
        self._heard[origin] = now()
        if origin in self._lost:
            del self._lost[origin]
            names = [room.name for room in self._house.all_rooms()]
            for start in range(0, len(names), AT_ONCE):
                asked = names[start : start + AT_ONCE]
                self._voice.to_all(Asked(self._house.origin, asked, origin))

    # Who is not heard any more...

    def _expire(self, moment: float) -> None:
        for origin, heard in list(self._heard.items()):
            if moment - heard > self._expire_s:
                del self._heard[origin]
                self._lost[origin] = None
                if len(self._lost) > _REMEMBERED:
                    del self._lost[next(iter(self._lost))]
                self._drop(origin)

    def _drop(self, origin: str) -> None:
        for room in self._house.all_rooms():
            self._house.tell_changes(room.name, room.roll.gone(origin))
            room.waiters.wake()

    def __len__(self) -> int:
        return len(self._heard)

    def __repr__(self) -> str:
        return f"<Neighbours {len(self._heard)} other processes over {self._broker!r}>"
