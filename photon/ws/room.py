"""One room in this process: who is in it, and how a message gets to all of them.

A message is encoded and framed once. It is given to each member's outbox without waiting, so that
nobody waits for anybody else; those who are behind are waited for afterwards, if the policy says
so.

One message after the other: a broadcast to thousands lets other work in between, and a second
broadcast waits meanwhile, so that all members get the same messages in the same order. A broadcast
that has begun goes to all of them: when whoever broadcasts is cancelled (his client left, say),
that is raised when the room is done, for half a room must not miss what the other half knows.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Generic

from msgspec import Struct

from photon.runtime.clock import now
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import Turn
from photon.runtime.sync import Lock
from photon.ws.info import I
from photon.ws.outbox import Outbox
from photon.ws.presence import Entry, Presence, Roll
from photon.ws.waiters import Waiters

if TYPE_CHECKING:
    from photon.ws.brokers.base import Subscription
    from photon.ws.member import Member
    from photon.ws.rooms import Rooms

# PERF: between two looks at the clock. So many members take 1 ms, nearly all of it in the kernel:
# a send to a client takes 5 to 15 us, all that is done here 0.4 us.
_AT_ONCE = 63


class RoomStatistics(Struct, frozen=True, kw_only=True):
    """`members` (here), `present` (everywhere), `queued` and `queued_bytes` are now; `broadcasts`
    (from here or elsewhere) is since the room began."""

    members: int
    present: int
    queued: int
    queued_bytes: int
    broadcasts: int


class Room(Generic[I]):
    """A room, while somebody of this process is in it or watches it.

    Attributes: name.
    """

    __slots__ = (
        "_broadcasts",
        "_line",
        "_rooms",
        "is_announced",
        "local",
        "name",
        "roll",
        "started",
        "subscription",
        "waiters",
        "watchers",
    )

    def __init__(self, rooms: Rooms[I], name: str) -> None:
        self.name = name
        self.local: dict[str, Member[I]] = {}
        self.watchers = 0
        self._rooms = rooms
        self._line = Lock()
        self._broadcasts = 0
        # For `Neighbours`: others' members, whether theirs are heard, whether ours were told.
        self.roll = Roll()
        self.subscription: Subscription | None = None
        self.started = False
        self.is_announced = False
        self.waiters = Waiters()

    # For users...

    @property
    def members(self) -> list[Member[I]]:
        """Those whose connections are in this process, in the order in which they came."""
        return list(self.local.values())

    @property
    def presence(self) -> list[Presence[I]]:
        """Who is in the room, in all processes, as far as is known now."""
        here = [Entry(member.id, member.told, True) for member in self.local.values()]
        return list(map(self._rooms.present, (*here, *self.roll)))

    def broadcast(self, message: object, *, exclude: Any = None, local: bool = False) -> int:
        """As `Rooms.broadcast`, to this room."""
        return self._rooms.broadcast(self.name, message, exclude=exclude, local=local)

    def statistics(self) -> RoomStatistics:
        """How many are here, and what waits for them."""
        boxes = [member.outbox.statistics() for member in self.local.values()]
        return RoomStatistics(
            members=len(self.local),
            present=len(self.local) + len(self.roll),
            queued=sum(box.queued for box in boxes),
            queued_bytes=sum(box.queued_bytes for box in boxes),
            broadcasts=self._broadcasts,
        )

    def hear_no_more(self) -> None:
        """Get no more of what other processes say in it."""
        if self.subscription is not None:
            self.subscription.close()
            self.subscription = None

    # Delivery...

    def deliver(self, frame: bytes, exclude: Collection[str], *, can_wait: bool) -> int:
        """Give a frame to all members here.

        Args: can_wait: whether this may wait for slow members, under "block".
        Returns: to how many.   Raises: Cancelled, afterwards.
        """
        late: list[Outbox] = []
        if len(exclude) > _AT_ONCE:
            exclude = frozenset(exclude)
        cancelled = self._take_turn()
        try:
            self._broadcasts += 1
            turn = Turn()
            count = 0
            for number, member in enumerate(list(self.local.values())):
                if member.is_in and member.id not in exclude:
                    count += 1
                    if not member.outbox.put(frame, can_wait=can_wait):
                        late.append(member.outbox)
                if not number & _AT_ONCE and turn.is_over:
                    cancelled = _let_others_in(turn) or cancelled
        finally:
            self._line.release()
        if cancelled is not None:
            for outbox in late:
                outbox.withdraw(frame)
            raise cancelled
        if late:
            self._wait_for(late, frame)
        return count

    def send_late(self, outboxes: list[Outbox], frame: bytes) -> None:
        """Give a frame to these, waiting for them if the policy is "block"."""
        late = [outbox for outbox in outboxes if not outbox.put(frame, can_wait=True)]
        self._wait_for(late, frame)

    def _take_turn(self) -> Cancelled | None:
        """Wait until no other message is under way; the cancel that came meanwhile, if one did."""
        cancelled = None
        while True:
            try:
                self._line.acquire()
            except Cancelled as error:
                cancelled = error
            else:
                return cancelled

    def _wait_for(self, late: list[Outbox], frame: bytes) -> None:
        """Wait until there is room in these outboxes, and close those in which there never is."""
        patience_ends = now() + self._rooms.bounds.patience_s
        waiting = list(late)
        try:
            while waiting:
                if not waiting[-1].wait_for_room(patience_ends - now()):
                    waiting[-1].close_slow()
                waiting.pop()
        finally:
            for outbox in waiting:  # cancelled: nobody waits with these any more
                outbox.withdraw(frame)

    def __repr__(self) -> str:
        return f"<Room {self.name!r} {len(self.local)} members here, {len(self.roll)} elsewhere>"


def _let_others_in(turn: Turn) -> Cancelled | None:
    """A pause of a long turn; the cancel that came meanwhile, if one did."""
    try:
        turn.give_way()
    except Cancelled as error:
        return error
    return None
