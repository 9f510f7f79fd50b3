"""The one greenlet that keeps a broker's connection to its server.

It alone speaks with the server, so nothing on the connection overlaps, and what is published goes
out in order, many messages at a time when many wait.

    publish ──▶ backlog ──────┐
    subscribe, close ─────────┼──▶ keeper: listen, send, hand out; then wait for either side
    the server ───────────────┘      │
                                     └─ lost: say so once, forget what waits, try again with
                                        back-off; back: say so once, listen to all channels again,
                                        call `on_start`

A connection can be dead without a word (a cable, a firewall that forgot it). So when nothing came
for a while the keeper publishes something to itself, and takes it for lost if that does not arrive.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Any

from photon.runtime.cancel import fail_after, move_on_after
from photon.runtime.clock import now
from photon.runtime.greenlets import Turn
from photon.runtime.guarding import brief
from photon.runtime.handle import Handle
from photon.runtime.hub import READ, current_hub, getcurrent
from photon.runtime.region import Region
from photon.ws.brokers.backlog import Backlog
from photon.ws.brokers.link import Link, LinkLost
from photon.ws.brokers.subscriptions import Subscriptions
from photon.ws.waiters import Waiters

logger = logging.getLogger("photon.ws")

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 5.0
_SILENCE_S = 10.0
_FLUSH_S = 2.0


class Keeper:
    """Keeps a connection.

    Args:
        server: what it is called in logs, such as "Redis at redis://localhost"; product: "Redis".
        connect: makes a connection; timeout_s: how long that, and any call to it, may take.
    Attributes:
        changed: woken when there is room in the backlog, or another state of the connection.
        attempts: to connect, since it was started.
        published, received, dropped: messages; losses: of the connection; since it was made.
    """

    def __init__(
        self, server: str, product: str, connect: Callable[[], Link], timeout_s: float
    ) -> None:
        self._server = server
        self._product = product
        self._connect = connect
        self._timeout_s = timeout_s
        self.subscriptions = Subscriptions(self._wake)
        self.backlog = Backlog()
        self.changed = Waiters()
        self.is_connected = False
        self.attempts = 0
        self.published = self.received = self.dropped = self.losses = 0
        self._own_channel = ""
        self._region: Region | None = None
        self._job: Handle[None] | None = None
        self._greenlet: Any = None
        self._parked: Any = None
        self._is_awake = False
        self._is_stopping = False
        self._lost_at: float | None = None

    # Its life...

    def start(self, own_channel: str) -> None:
        """Begin, and wait until it is connected, or was tried.   Args: own_channel: nobody else's.

        One that is there is connected before the first request; one that is not is no reason not
        to serve.
        """
        self._is_stopping = False
        self._lost_at = None
        self.attempts = 0
        self._own_channel = own_channel
        self._region = Region(f"the connection to {self._product}")
        try:
            self._job = self._region.spawn(self._keep)
            self.changed.wait_for(lambda: self.attempts, self._timeout_s)
        except BaseException:
            self._region.close(0)
            raise

    def stop(self) -> None:
        """Send what was published, if that is possible soon, and disconnect."""
        self._is_stopping = True
        self._wake()
        self.changed.wake()
        region, self._region = self._region, None
        if region is not None:
            region.close(_FLUSH_S if self.is_connected else 0)
        self._job = None

    # For those who publish...

    def publish(self, channel: str, payload: bytes, wait_s: float) -> bool:
        """Send this soon. See `Broker.publish`."""
        if self.backlog.is_full and wait_s > 0 and getcurrent() is not self._greenlet:
            self.changed.wait_for(lambda: not (self.backlog.is_full and self.is_connected), wait_s)
        if not self.is_connected or self.backlog.is_full:
            self.dropped += 1
            return False
        self._put(channel, payload)
        return True

    def _put(self, channel: str, payload: bytes) -> None:
        self.backlog.put(channel, payload)
        self._wake()

    # In its greenlet...

    def _keep(self) -> None:
        self._greenlet = getcurrent()
        delay_s = _FIRST_DELAY_S
        try:
            while not self._is_stopping:
                began = now()
                try:
                    self._use_connection()
                except Exception as error:
                    self._note_loss(error)
                if now() - began > _LONGEST_DELAY_S:  # it was good for a while
                    delay_s = _FIRST_DELAY_S
                # Not all processes at once.
                self.changed.wait_for(lambda: self._is_stopping, delay_s * random.uniform(0.5, 1.0))
                delay_s = min(delay_s * 2, _LONGEST_DELAY_S)
        finally:
            self._greenlet = None

    def _use_connection(self) -> None:
        """Connect, and serve until the connection is lost or no longer needed."""
        with fail_after(self._timeout_s):
            link = self._connect()
        try:
            with fail_after(self._timeout_s):
                link.listen([self._own_channel])
            self.is_connected = True
            self._note_return()
            self._serve(link)
        finally:
            self._disconnect()
            try:
                with move_on_after(self._timeout_s):
                    link.close()
            except Exception:
                pass  # it is lost, and there are many ways to say so

    def _serve(self, link: Link) -> None:
        turn = Turn()
        last_sign = now()
        asked_at: float | None = None
        while True:
            self._is_awake = False
            self.subscriptions.tell(link, self._timeout_s)
            self._send(link)
            with fail_after(self._timeout_s):
                came = link.receive()
            for channel, payload in came:
                if channel != self._own_channel:
                    self.received += 1
                    self.subscriptions.hand_out(channel, payload)
                    turn.give_way()
            if self._is_stopping and not self.backlog:
                return
            moment = now()
            if came:
                last_sign, asked_at = moment, None
            elif asked_at is not None and moment - asked_at >= self._timeout_s:
                raise LinkLost(f"{self._product} did not answer for {self._timeout_s:g} s")
            elif asked_at is None and moment - last_sign >= _SILENCE_S:
                asked_at = moment
                self._put(self._own_channel, b"")
            self._wait(link, _SILENCE_S if asked_at is None else self._timeout_s)
            turn.give_way()

    def _send(self, link: Link) -> None:
        while self.backlog:
            batch = self.backlog.take()
            try:
                with fail_after(self._timeout_s):
                    link.send(batch)
            except BaseException:
                self.dropped += len(batch)  # some may have arrived; at most once is promised
                raise
            self.published += len(batch)
            self.changed.wake()

    def _wait(self, link: Link, seconds: float) -> None:
        """Wait until something came or is to be sent, or the time is over."""
        hub = current_hub()
        deadline = hub.deadlines.add(now() + seconds, self._wake)
        watcher = hub.loop.io(link.fileno(), READ)
        self._parked = getcurrent()
        try:
            watcher.start(self._wake_now)
            while not self._is_awake:
                hub.park()
        finally:
            self._parked = None
            self._is_awake = False
            deadline.cancel()
            watcher.close()

    def _wake(self) -> None:
        if not self._is_awake:
            self._is_awake = True
            if self._parked is not None:
                current_hub().run_soon(self._wake_now)

    def _wake_now(self) -> None:
        # In the hub.
        if self._parked is not None:
            self._is_awake = True
            self._parked.switch()

    # Losses...

    def _note_loss(self, error: Exception) -> None:
        self.attempts += 1
        if self._lost_at is None:
            self._lost_at = now()
            self.losses += 1
            logger.warning(
                "%s cannot be reached (%s): until it can, rooms are of this process alone",
                self._server,
                brief(error),
            )
        self.changed.wake()

    def _note_return(self) -> None:
        self.attempts += 1
        if self._lost_at is not None:
            lost_s = now() - self._lost_at
            self._lost_at = None
            logger.warning("%s is back after %.1f s", self._server, lost_s)
        self.changed.wake()

    def _disconnect(self) -> None:
        self.is_connected = False
        # Stale when it is back, and nobody listens either: they are lost with it.
        self.dropped += self.backlog.clear()
        self.subscriptions.forget()
        self.changed.wake()

    def __repr__(self) -> str:
        return f"<keeper of the connection to {self._server}>"
