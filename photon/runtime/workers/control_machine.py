"""One client of the control socket, as a machine without I/O: bytes to requests, answers to bytes.

    session = ControlSession()
    for request in session.receive(b'{"id": 1, "do": "stats"}\n'):
        session.answer(request["id"], {"busy": 3})        # now, or at any later time
    session.to_send()                                     # b'{"id":1,"ok":{"busy":3}}\n'

Several requests may be under way, and are answered in any order. What is wrong gets an answer that
says so, with the id null when there was none to be read, and is the last: after bytes that are no
message nobody knows where the next one begins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from photon.runtime.clock import now
from photon.runtime.workers.messages import Lines, Message, MessageError, encode

Number = int | str
"""What tells the requests of a client apart."""

MOST_RUNNING = 16
"""Requests of one client under way."""

MOST_WAITING_BYTES = 256 * 1024 * 1024
"""Of answers that a client did not take. A dump of 100,000 greenlets has a tenth of it."""

IDLE_S = 60.0
HALF_S = 10.0
UNREAD_S = 10.0
_LONGEST_ID = 64


class ControlSession:
    """See above. It is a `polled.Session`.

    Attributes:
        due: when its time is over: a minute for a client that asks nothing, 10 s for the rest of a
            message, 10 s for one that takes nothing of its answer.
    """

    def __init__(self) -> None:
        self._lines = Lines()
        self._running: set[Number] = set()
        self._output: deque[memoryview] = deque()
        self._output_bytes = 0
        self._is_at_end = False
        self._is_failed = False
        self._read_due: float | None = now() + IDLE_S
        self._send_due: float | None = None
        self.on_output: Callable[[], object] = _nothing

    # Requests...

    def receive(self, data: bytes) -> list[Message]:
        """The requests that are complete now: each has an "id" and a "do".

        Args: data: b"" when no more will come.
        """
        if self._is_failed:
            return []
        if not data:
            self._is_at_end = True
            self._read_due = None
            return []
        was_half = self._lines.is_half
        requests = []
        try:
            for message in self._lines.feed(data):
                self._check(message)
                self._running.add(message["id"])
                requests.append(message)
        except MessageError as error:
            self._fail(str(error))
        self._start_reading_time(renew=bool(requests) or not was_half)
        return requests

    def _check(self, message: Message) -> None:
        number = message.get("id")
        if type(number) is str and len(number) > _LONGEST_ID:
            raise MessageError(f'the "id" of a request has {_LONGEST_ID} characters at the most')
        if type(number) not in (int, str):
            raise MessageError(
                'a request has an "id", a number or a text: {"id": 1, "do": "stats"}'
            )
        if number in self._running:
            raise MessageError(f"the request {number!r} is under way; the next needs another id")
        if len(self._running) >= MOST_RUNNING:
            raise MessageError(f"{MOST_RUNNING} requests are under way; wait for an answer")
        if type(message.get("do")) is not str:
            raise MessageError('a request says what to "do": {"id": 1, "do": "stats"}')

    def _start_reading_time(self, *, renew: bool) -> None:
        if self._lines.is_half:
            if renew:
                self._read_due = now() + HALF_S
        else:
            self._read_due = None if self._running else now() + IDLE_S

    @property
    def is_reading(self) -> bool:
        """Whether another request may come now."""
        return not self._is_at_end and not self._is_failed

    # Answers...

    def answer(self, number: Number, ok: Any = None, *, error: str = "") -> None:
        """Answer a request.

        Args: ok: any value of JSON; error: a sentence with the way out, in the place of `ok`.
        A client that has gone, or was answered already, is no error: nothing happens then.
        """
        if number not in self._running:
            return
        self._running.discard(number)
        try:
            line = encode({"id": number, "error": error} if error else {"id": number, "ok": ok})
        except Exception as fault:
            line = encode({"id": number, "error": f"the answer is not JSON: {fault}"})
        self._send(line)
        if not self._is_at_end and not self._lines.is_half:
            self._start_reading_time(renew=True)
        self.on_output()

    def refuse(self, error: str) -> None:
        """Say why nothing is done for this client; it ends with that."""
        self._fail(error)

    def _fail(self, error: str) -> None:
        self._is_failed = True
        self._running.clear()
        self._send(encode({"id": None, "error": error}))

    def _send(self, line: bytes) -> None:
        self._output_bytes += len(line)
        if self._output_bytes > MOST_WAITING_BYTES:
            self._give_up()
            return
        if not self._output:
            self._send_due = now() + UNREAD_S
        self._output.append(memoryview(line))

    def _give_up(self) -> None:
        self._is_failed = True
        self._running.clear()
        self._output.clear()
        self._output_bytes = 0

    def to_send(self) -> memoryview:
        """The bytes that are next."""
        return self._output[0] if self._output else _EMPTY

    def sent(self, count: int) -> None:
        """So many of them are gone."""
        self._output_bytes -= count
        rest = self._output[0][count:]
        if rest:
            self._output[0] = rest
        else:
            self._output.popleft()
        self._send_due = now() + UNREAD_S if self._output else None

    # Its end...

    @property
    def is_over(self) -> bool:
        """Whether nothing comes after what is to be sent."""
        return self._is_failed or (self._is_at_end and not self._running)

    @property
    def due(self) -> float | None:
        moments = [due for due in (self._read_due, self._send_due) if due is not None]
        return min(moments, default=None)

    def on_due(self) -> None:
        """Who asks nothing is let go, who stopped within a message is told so first."""
        if self._send_due is not None:
            self._give_up()
        elif self._lines.is_half:
            self._fail(f"the end of a message did not come within {HALF_S:g} s")
        else:
            self._give_up()

    def __repr__(self) -> str:
        return f"<ControlSession running={len(self._running)} to_send={self._output_bytes}>"


_EMPTY = memoryview(b"")


def _nothing() -> None: ...
