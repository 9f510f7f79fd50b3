"""Connections in memory to the real server, on the hub of whoever asks.

    the test's greenlet                         a carrier
    MemoryLink ──inbox──▶ ServerEnd ──▶ BenchConnection ──▶ the application
               ◀─outbox──

The client parks while the server works, so both share one thread, and neither needs a socket nor
the patch. A connection serves one request; its `run` tells when that is over to the last function
that was put off until the response was written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from photon.http.application import Application
from photon.http.protocol.base import Http1
from photon.http.request import Request
from photon.http.server.connection import Connection
from photon.http.server.phases import LINGERING
from photon.http.server.server import Server
from photon.http.server.settings import ServerSettings
from photon.runtime.cancel import move_on_after
from photon.runtime.clock import now
from photon.runtime.greenlets import checkpoint
from photon.runtime.hub import Hub, getcurrent
from photon.runtime.whereabouts import where
from photon.testing.link import CHUNK_BYTES
from photon.testing.wire import MemoryStream

# What lies between the two ends, as in the kernel's buffers: a response that nobody reads holds
# its handler back, and so does a handler that does not read who sends.
_WINDOW_BYTES = 256 * 1024

# How long a handler has to end by itself whose client left because a test failed.
_PROMPT_S = 0.1


class Bench(Server):
    """A server of one hub that is reached in memory, and keeps the request of each connection."""

    def __init__(self, application: Application, settings: ServerSettings | None) -> None:
        super().__init__(application, settings)
        self._answer = self.answer
        self.answer = self._note_and_answer

    def connect(self, scheme: str, peer: str) -> MemoryLink:
        """A new connection.   Args: scheme, peer: what the request will say of itself."""
        end = ServerEnd(self.hub, peer)
        connection = BenchConnection(self, end, self._new_protocol(), scheme)
        self.connections.add(connection)
        return MemoryLink(end, connection)

    def _note_and_answer(self, connection: Connection, request: Request) -> int:
        if isinstance(connection, BenchConnection):
            connection.request = request
        return self._answer(connection, request)


class ServerEnd(MemoryStream):
    """The server's end, which tells the other one whenever something changed."""

    def __init__(self, hub: Hub, peer: str) -> None:
        super().__init__(hub, _WINDOW_BYTES)
        self.peer = peer
        self.waiters: list[Any] = []
        self.on_told: Callable[[], object] | None = None
        self.told = 0
        self._is_telling = False
        self.is_queued = False

    def tell(self) -> None:
        """Have the client look, from the hub."""
        if (self.waiters or self.on_told is not None) and not self._is_telling:
            self._is_telling = True
            self._hub.run_soon(self._wake)

    def _wake(self) -> None:
        self._is_telling = False
        if self.on_told is not None:
            self.told += 1
            self.on_told()
        for waiter in list(self.waiters):
            if waiter in self.waiters:  # the one before may have changed that
                waiter.switch()

    def _become_readable(self) -> None:
        # A wire queues its connection again and again until it has run, which costs 5 ms.
        if self._job is None or self._reader is not None:
            super()._become_readable()
        elif not self.is_queued and not self.is_closed and (self.inbox or self.is_broken):
            self.is_queued = True
            self._hub.carriers.submit(self._job)

    def look_again(self) -> None:
        """The connection has run: what it left is told again, as epoll does."""
        if self._job is not None and self.inbox and self.inbox != [b""]:
            self.notify()

    @property
    def is_watched(self) -> bool:
        """Whether the server would see now that the client leaves."""
        return self._job is not None or self._reader is not None or self._writer is not None

    def receive_nowait(self, limit: int) -> bytes | None:
        data = super().receive_nowait(limit)
        self.tell()  # there is room again
        return data

    def send_nowait(self, data: bytes | memoryview) -> int:
        sent = super().send_nowait(data)
        self.tell()
        return sent

    def close_sending(self) -> None:
        super().close_sending()
        self.tell()

    def close(self) -> None:
        super().close()
        self.tell()


class BenchConnection(Connection):
    """A connection that knows when its one request is over.

    Attributes: request: the one it serves, None before it came.
    """

    __slots__ = ("_end", "_has_run", "_scheme", "request")

    def __init__(self, server: Server, end: ServerEnd, protocol: Http1, scheme: str) -> None:
        self._end = end
        self._scheme = scheme
        self._has_run = False
        self.request: Request | None = None
        super().__init__(server, end, protocol)

    @property
    def scheme(self) -> str:
        return self._scheme

    @property
    def is_over(self) -> bool:
        """Whether nobody works for its request any more, or it was refused."""
        return self._has_run if self.request is not None else self.phase >= LINGERING

    @property
    def whereabouts(self) -> str:
        """Where the handler waits; "" when none does."""
        carrier = self._carrier
        return "" if carrier is None or self.is_over else where(carrier)

    def run(self) -> bool:
        before, end = self.request, self._end
        end.is_queued = False
        again = super().run()
        # Not every run is the one that serves: others see that the client sent more, or left.
        self._has_run = self._has_run or self.request is not before
        end.look_again()
        end.tell()
        return again


class MemoryLink:
    """The client's end of a connection in memory: a `Link`."""

    def __init__(self, end: ServerEnd, connection: BenchConnection) -> None:
        self._end = end
        self._connection = connection
        self._has_left = False

    @property
    def hub(self) -> Hub:
        """Where it is served; no other thread may use it."""
        return self._connection.server.hub

    @property
    def drain_s(self) -> float:
        """How long a handler has to end when the server stops."""
        return self._connection.server.timeouts.drain_s

    @property
    def is_closed(self) -> bool:
        """Whether nothing is left of it, no handler either."""
        return self._end.is_closed and (
            self._connection.is_over or self._connection.request is None
        )

    @property
    def failure(self) -> BaseException | None:
        request = self._connection.request
        return None if request is None else request.failure

    def send_some(self, data: memoryview) -> int:
        end = self._end
        if end.is_closed or end.is_broken:
            raise BrokenPipeError("the server closed the connection")
        room = min(_WINDOW_BYTES - sum(map(len, end.inbox)), CHUNK_BYTES)
        taken = bytes(data[: max(room, 0)])
        if taken:
            end.inbox.append(taken)
            end.notify()
        return len(taken)

    def receive_some(self) -> bytes | None:
        end = self._end
        if end.outbox:
            data = b"".join(end.outbox)
            end.outbox.clear()
            end.wake_writer()
            return data
        return b"" if end.is_closed or end.is_end_sent or end.is_broken else None

    def wait(self, seconds: float, *, to_send: bool = False) -> bool:
        told = self._end.told
        can = self._can_send if to_send else self._can_receive
        # Who looks in between takes what comes, and it is not seen here any more.
        return self._wait_until(lambda: can() or self._end.told != told, seconds)

    def settle(self) -> None:
        for _ in range(3):  # a wake-up may make another greenlet ready, and that one more
            checkpoint()

    def watch(self, look: Callable[[], object]) -> None:
        self._end.on_told = look

    def whereabouts(self) -> str:
        return self._connection.whereabouts

    def finish(self, seconds: float) -> bool:
        over = self._wait_until(self._is_over, seconds)
        if over:
            self._connection.close()
            self._wait_for_background(seconds)
        return over

    def _wait_for_background(self, seconds: float) -> None:
        """What a test asks for next is often what the tasks after the response have done."""
        request, hub = self._connection.request, self.hub
        if request is None or request.background is None:
            return
        if hub.timers is not hub.loop:  # time stands still, and with it they may
            checkpoint()
            return
        with move_on_after(seconds):
            request.background.join()

    def vanish(self) -> None:
        end, connection = self._end, self._connection
        if end.is_broken or connection.is_over:
            return
        end.is_broken = True
        if end.is_watched:
            end.wake_writer()
            end.notify()
        elif connection.session is None:
            # Bytes it did not read hide the end, and it would ask only now and then.
            self._cancel()
        else:
            connection.server.sweep.watch(connection, now())

    def drain(self) -> bool:
        """Have a WebSocket closed as a server does that stops; false when there is none."""
        connection = self._connection
        if connection.session is None or connection.is_over:
            return False
        self.hub.run_soon(connection.drain)
        return True

    def close(self) -> None:
        connection = self._connection
        if not connection.is_over and not self._has_left:
            self._has_left = True
            self.vanish()
            if connection.session is not None and not self._wait_until(self._is_over, _PROMPT_S):
                # It has a while for messages that came before the end, and nobody waits for that.
                self._cancel()
            self._wait_until(self._is_over, connection.server.timeouts.cleanup_s)
        if connection.is_over or connection.request is None:
            connection.close()

    def _cancel(self) -> None:
        connection = self._connection
        self.hub.run_soon(connection.cancel, "disconnect", "the client went away")

    # Waiting...

    def _can_receive(self) -> bool:
        end = self._end
        return bool(end.outbox) or end.is_closed or end.is_end_sent or end.is_broken

    def _can_send(self) -> bool:
        return self._can_receive() or sum(map(len, self._end.inbox)) < _WINDOW_BYTES

    def _is_over(self) -> bool:
        return self._connection.is_over

    def _wait_until(self, condition: Any, seconds: float) -> bool:
        due = now() + seconds
        while not condition():
            if not self._park(due - now()):
                return bool(condition())  # a hub that was held up may be late with both
        return True

    def _park(self, seconds: float) -> bool:
        """Wait until the server tells something; False when `seconds` went by."""
        end, hub = self._end, self.hub
        timer = None
        end.waiters.append(me := getcurrent())
        try:
            with move_on_after(seconds) as scope:
                if hub.timers is not hub.loop:
                    # By a clock that a test moves by hand, which it may not do while it waits here.
                    timer = hub.loop.timer(max(seconds, 0.0))
                    timer.start(scope.cancel, update=True)
                hub.park()
        finally:
            end.waiters.remove(me)
            if timer is not None:
                timer.close()
        return not scope.cancelled_caught

    def __repr__(self) -> str:
        return f"<MemoryLink to {self._connection!r}>"
