"""How long each phase of a connection may last, and what happens when that is over.

A connection stands in the hub's sweep with the moment when its phase is over; `on_due` is called
then, or earlier, and says when to ask again. What a request agreed on for itself (`Terms`) comes
before what the server's settings say.

A handler's time counts from when it first waits: one that never does pays nothing for being timed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from photon.http.errors import BodyTimeout, ProtocolError
from photon.http.protocol.base import Http1
from photon.http.server.phases import (
    CLOSED,
    ENDLESS,
    FINISHING,
    HANDLING,
    HEAD,
    IDLE,
    LINGERING,
    READING,
    WRITING,
)
from photon.http.server.terms import LOOKS, OnDisconnect, Stay, Terms
from photon.runtime.carriers import Carrier
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled, CancelSource, StreamBroken
from photon.runtime.net.stream import ByteStream, PeerState

if TYPE_CHECKING:
    from photon.http.server.server import Server
    from photon.http.server.upgrade import Upgraded

# How often a client that sent more than its request is asked whether it is there still.
_ASK_S = 5.0

# When an idle connection turns out to be none any more.
_SOON_S = 0.05


class Timed(ABC):
    """A connection, as far as it keeps time; the rest of it is `Connection`.

    PERF: a base class. An object of its own would be 0.1 KB more for each idle connection.

    Attributes:
        phase: one of `phases`.
        since: when the phase began, or last made progress; seconds on the runtime clock.
        session: what speaks another protocol here, once the connection was upgraded.
        sweep_tick: written by the sweep only.
    """

    __slots__ = (
        "_carrier",
        "_is_unwatched",
        "_stay",
        "_terms",
        "phase",
        "protocol",
        "server",
        "session",
        "since",
        "stream",
        "sweep_tick",
    )

    phase: int

    def __init__(self, server: Server, stream: ByteStream, protocol: Http1) -> None:
        self.server = server
        self.stream = stream
        self.protocol = protocol
        self.session: Upgraded | None = None
        self.sweep_tick = 0
        self._carrier: Carrier | None = None
        self._is_unwatched = False
        self._terms: Terms | None = None
        self._stay: Stay | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a request is in progress."""
        return HEAD < self.phase < LINGERING

    @property
    def has_waited(self) -> bool:
        """Whether the request in progress did, so that its time is kept."""
        return self._carrier is not None

    # What is done when it is over: see `Connection`...

    @abstractmethod
    def refuse(self, error: ProtocolError) -> None: ...

    @abstractmethod
    def cancel(self, source: CancelSource, reason: str) -> bool: ...

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def _client_left(self) -> bool: ...

    # What was agreed for one request...

    @property
    def terms(self) -> Terms | None:
        """What was agreed for the request in progress; None for nothing."""
        terms, request = self._terms, self.protocol.request
        if terms is not None and terms.head is not request:
            terms = self._terms = None
        return terms

    def allow(self, seconds: float) -> None:
        """Let the handler of the request in progress wait so long, whatever the settings say."""
        terms, head = self._terms, self.protocol.request
        if terms is not None and terms.head is head:
            terms.allowance_s = seconds
        elif head is not None:
            self._terms = Terms(head, seconds)
        if self._carrier is not None:  # it has waited already
            self.enter(self.phase)

    def agree_on_leaving(
        self, policy: OnDisconnect, on_left: Callable[[], object] | None = None
    ) -> None:
        """What is done when the client of the request in progress goes away; see `Terms`."""
        terms, head = self.terms, self.protocol.request
        if terms is None and head is not None:
            terms = self._terms = Terms(head)
        if terms is not None:
            terms.on_disconnect, terms.on_left = policy, on_left

    # When it will be over...

    def enter(self, phase: int) -> None:
        """Begin a phase, and have its time kept."""
        self.phase = phase
        self.since = moment = now()
        allowance = self.server.allowances[phase] if self._terms is None else self._allowance
        if phase == HANDLING:
            self._stay = None
            allowance /= LOOKS  # it is looked at before its time is over
        if allowance < ENDLESS:
            self.server.sweep.watch(self, moment + allowance)

    @property
    def _allowance(self) -> float:
        """How long the current phase may last."""
        if self.phase == HANDLING:
            terms = self.terms
            if terms is not None and terms.allowance_s is not None:
                return terms.allowance_s
        return self.server.allowances[self.phase]

    @property
    def left_s(self) -> float:
        """How long the current phase may last still."""
        return self.since + self._allowance - now()

    @property
    def deadline(self) -> float | None:
        """When the handler of the request in progress is interrupted; None for never."""
        if self.phase != HANDLING:
            return None
        # Its time counts from its first wait.
        due = (self.since if self.has_waited else now()) + self._allowance
        return due if due < ENDLESS else None

    def overdue(self, stuck_since: float) -> Cancelled | None:
        """What is to be raised in a handler that computes past its deadline; see `watchdog`.

        Args: stuck_since: when the hub moved last, on the runtime clock: before that a handler
            that has not waited yet cannot have begun.
        """
        if self.phase != HANDLING or not self.server.watches:
            return None
        due = (self.since if self.has_waited else stuck_since) + self._allowance
        if now() < due:
            return None
        return Cancelled("deadline", f"no response within {self._allowance:g} s")

    # In the hub: it is over...

    def on_due(self, moment: float) -> float | None:
        """Act if the phase takes too long. Called by the hub's sweep.

        Returns: when to look again; None when the next phase will say.
        """
        if self.session is not None and self.phase < FINISHING:
            return self._on_due_upgraded(self.session, moment)
        due = self.since + self._allowance
        if self._is_unwatched and self.is_busy:
            if self.stream.has_hung_up() and self._client_left():
                return None
            due = min(due, moment + _ASK_S) if moment < due else due
        if moment < due:
            if self.phase == HANDLING and self._carrier is not None:
                return min(due, self._look_at_handler(self._carrier, moment))
            return due if due < ENDLESS else None
        timeouts = self.server.timeouts
        if self.phase == HEAD:
            detail = f"the request head did not come within {self.server.allowances[HEAD]:g} s"
            self.refuse(ProtocolError("head-timeout", 408, detail))
        elif self.phase == HANDLING:
            self.cancel("deadline", f"no response within {self._allowance:g} s")
        elif self.phase == FINISHING:
            self.cancel("deadline", f"not cleaned up within {self._allowance:g} s")
        elif self.phase == READING:
            # RFC 9110 §15.5.9: with 408 "the server SHOULD send the "close" connection option".
            self.protocol.keep_alive = False
            self.stream.interrupt_reader(BodyTimeout(timeouts.body_s))
        elif self.phase == WRITING:
            self._give_up_writing()
        elif self.phase == IDLE and self.stream.look() is PeerState.TALKING:
            return moment + _SOON_S  # a request has just come, and is about to be read
        else:
            self.close()
        if self.phase == CLOSED:
            return None
        # A handler that swallowed its cancel is told again, once it had time to clean up.
        return moment + timeouts.cleanup_s

    def _ask_for_client(self) -> None:
        """From here on the sweep asks now and then whether the client is there still."""
        self.server.sweep.watch(self, now() + _ASK_S)

    def _look_at_handler(self, carrier: Carrier, moment: float) -> float:
        """Note where the handler waits.   Returns: when to look again."""
        if self._stay is None:
            self._stay = Stay()
        self._stay.look(carrier, moment)
        return moment + self._allowance / LOOKS

    def _place(self, carrier: Carrier) -> str:
        """Where the handler waits, and for how long; "" when it does not."""
        return (self._stay or Stay()).told(carrier, now())

    def _on_due_upgraded(self, session: Upgraded, moment: float) -> float | None:
        again = session.on_due(moment)
        if self.phase == WRITING:
            due = self.since + self._allowance
            if moment < due:
                return due if again is None else min(again, due)
            self._give_up_writing()
        # The session, or who wrote, may have ended it all just now.
        return again if self.phase < FINISHING else None

    def _give_up_writing(self) -> None:
        seconds = self.server.timeouts.write_s
        self.stream.interrupt_writer(StreamBroken(f"the client took nothing for {seconds:g} s"))
