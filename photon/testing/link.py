"""The client's end of a connection, whatever it is made of.

It never hides a wait, as `runtime.net.stream.ByteStream` does not: `*_some` do what is possible at
once, so that who sends can take what comes meanwhile, and `wait` says when more is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

CHUNK_BYTES = 64 * 1024


class Link(Protocol):
    """One connection to a server: over a socket, or in memory.

    Attributes: failure: what the handler let through, as far as this end can know.
    """

    @property
    def failure(self) -> BaseException | None: ...

    def send_some(self, data: memoryview) -> int:
        """Send what is taken at once; how many bytes, maybe 0.   Raises: OSError."""
        ...

    def receive_some(self) -> bytes | None:
        """What is here; b"" at the end; None when there is nothing yet.   Raises: OSError."""
        ...

    def wait(self, seconds: float, *, to_send: bool = False) -> bool:
        """Wait until something or the end can be received, or, with `to_send`, be sent.

        Returns: False when `seconds` went by.
        """
        ...

    def settle(self) -> None:
        """Let the server look at what was sent, if it cannot do so by itself."""
        ...

    def watch(self, look: Callable[[], object]) -> None:
        """Have `look()` called when something came, also while nobody waits for it, if that can be.

        It must not wait.
        """
        ...

    def whereabouts(self) -> str:
        """Where the handler waits, as far as this end can know; "" otherwise."""
        ...

    def finish(self, seconds: float) -> bool:
        """The response is complete: wait for what the server does after it, if that can be seen.

        Returns: False when `seconds` went by.
        """
        ...

    def vanish(self) -> None:
        """Break the connection, as a client that crashes does. Waits for nobody."""
        ...

    def close(self) -> None:
        """Leave; a handler that still works sees its client vanish. May be called twice."""
        ...
