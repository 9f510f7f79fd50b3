"""What can go wrong on the ground floor.

BaseException
└── Cancelled              the work was told to end; never swallow it
Exception
├── RuntimeFault           the root of what this room raises on purpose
│   ├── StreamError        a byte stream cannot go on
│   │   ├── StreamClosed   this side closed it
│   │   ├── StreamBroken   the peer reset it, or the network did
│   │   └── StreamBusy     two greenlets read, or two write, at the same time
│   ├── HandleCancelled    a spawned function was cancelled, so it has no result
│   ├── AddressError       an address that cannot be read
│   └── ListenError        an address that cannot be listened on
├── DeadlineExceeded       a `fail_after` block took too long; also a TimeoutError
└── PatchedTooLate         a warning: modules were imported before the patch
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from photon.runtime.cancel import CancelScope

CancelSource = Literal["deadline", "disconnect", "shutdown", "scope"]


class Cancelled(BaseException):
    """Raised at the blocking call where a greenlet waits, when its work is told to end.

    A BaseException, so that `except Exception` in a handler does not swallow it by accident.
    Let it pass: clean up in `finally`, and raise it again if you caught it.

    Attributes:
        source: who asked: a deadline, a client that went away, the server's shutdown, or a scope.
        reason: one sentence for the log.
        scope: the `CancelScope` that was cancelled, None when the whole job was.

    Source: trio's Cancelled.
    """

    def __init__(
        self, source: CancelSource, reason: str = "", *, scope: CancelScope | None = None
    ) -> None:
        super().__init__(source, reason)
        self.source: CancelSource = source
        self.reason = reason
        self.scope = scope

    def __str__(self) -> str:
        return f"cancelled by {self.source}" + (f": {self.reason}" if self.reason else "")


class DeadlineExceeded(TimeoutError):
    """A `fail_after` block did not finish in time.

    Attributes: seconds: what the block was given.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the block did not finish within {seconds:g} s")
        self.seconds = seconds


class RuntimeFault(Exception):
    """The root of what the runtime raises on purpose."""


class StreamError(RuntimeFault):
    """A byte stream cannot go on."""


class StreamClosed(StreamError):
    """This side closed the stream, maybe while another greenlet waited in it."""


class StreamBroken(StreamError):
    """The peer reset the connection, or the network lost it."""


class StreamBusy(StreamError):
    """A second greenlet reads, or writes, where one already waits."""


class HandleCancelled(RuntimeFault):
    """A spawned function was cancelled, so it has no result."""


class AddressError(RuntimeFault, ValueError):
    """An address that cannot be read."""


class ListenError(RuntimeFault, OSError):
    """An address that cannot be listened on; the message says why and the way out."""


class PatchedTooLate(RuntimeWarning):
    """Modules that should cooperate were imported before `photon.runtime.monkey.patch()`."""
