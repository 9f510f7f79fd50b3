"""The worker's end of its link to the supervisor.

It is read in the hub. When it ends the supervisor is gone, killed maybe, and nobody would ever stop
this worker: so that is told, too.
"""

from __future__ import annotations

import _socket
import logging
from collections.abc import Callable
from typing import Any

from photon.runtime.forks import children_may_have, keep_from_children
from photon.runtime.hub import READ, WRITE, current_hub
from photon.runtime.workers.messages import Lines, Message, MessageError, encode

logger = logging.getLogger("photon.runtime")

_READ_BYTES = 64 * 1024

# Of a message: it says little, but why a reload has failed may be a long story.
_MOST_MESSAGE_BYTES = 64 * 1024 * 1024

# What is kept for a supervisor that does not read, which is stopped maybe.
_MOST_PENDING_BYTES = 64 * 1024 * 1024


class Link:
    """Args: end: a connected stream socket, which is owned from here on."""

    def __init__(self, end: _socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._lines = Lines(_MOST_MESSAGE_BYTES)
        self._pending = bytearray()
        self._reader: Any = None
        self._writer: Any = None
        self._on_message: Callable[[Message], object] = lambda message: None
        self._on_end: Callable[[], object] = lambda: None
        keep_from_children(self, lambda link: link._end.close())

    def tell(self, message: Message) -> None:
        """Send a message, as soon as it is taken. Never waits, never raises."""
        try:
            data = encode(message)
        except Exception as fault:  # half a surrogate pair, or it contains itself
            error = f"the answer is not JSON: {fault}"
            data = encode({"id": message.get("id"), "error": error})
        if len(self._pending) + len(data) > _MOST_PENDING_BYTES:
            logger.error("the supervisor reads nothing: an answer to it is dropped")
            return
        self._pending += data
        self._flush()

    def last_words(self, message: Message, seconds: float = 1.0) -> None:
        """Send a message and wait until it is taken: at the end, where there may be no hub."""
        self.tell(message)
        try:
            self._end.settimeout(seconds)
            self._end.sendall(self._pending)
        except OSError:
            pass
        self._pending.clear()

    def _flush(self) -> None:
        try:
            while self._pending:
                del self._pending[: self._end.send(self._pending)]
        except (BlockingIOError, InterruptedError):
            self._flush_later()
        except OSError:  # it is gone, which the reader sees as well
            self._pending.clear()
        else:
            if self._writer is not None:
                self._writer.stop()

    def _flush_later(self) -> None:
        if self._reader is None:
            return  # nobody listens yet: the next one takes it along
        if self._writer is None:
            self._writer = current_hub().loop.io(self._end.fileno(), WRITE)
        if not self._writer.active:
            self._writer.start(self._flush)

    def listen(self, on_message: Callable[[Message], object], on_end: Callable[[], object]) -> None:
        """Call these in the hub, when something comes and when nothing will come any more."""
        self._on_message, self._on_end = on_message, on_end
        self._reader = current_hub().loop.io(self._end.fileno(), READ)
        self._reader.start(self._read)
        self._flush()

    def _read(self) -> None:
        try:
            data = self._end.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            self._on_end()
            return
        try:
            messages = self._lines.feed(data)
        except MessageError as error:
            logger.error("the supervisor said what cannot be read: %s", error)
            return
        for message in messages:
            self._on_message(message)

    def close(self) -> None:
        """Hear and say nothing more."""
        for watcher in (self._reader, self._writer):
            if watcher is not None:
                watcher.close()
        self._reader = self._writer = None
        self._end.close()
        children_may_have(self)
