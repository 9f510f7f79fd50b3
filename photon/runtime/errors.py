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
│   ├── RegionClosed       the application stopped, so nothing is spawned in it
│   ├── RegionFull         too many functions were spawned, and their end cannot be waited for
│   ├── WouldBlock         a `_nowait` call that could not be done at once
│   ├── WaitTimedOut       the `timeout=` of one wait is over; also a TimeoutError
│   ├── MustNotWait        a wait in the hub itself
│   ├── WrongThread        greenlets of two threads met at one lock or channel
│   ├── LockError          acquired twice, or released by who does not hold it
│   ├── ChannelError       a channel cannot go on
│   │   ├── ClosedChannel  this end of it was closed
│   │   ├── BrokenChannel  nobody is left to receive
│   │   └── EndOfChannel   nobody is left to send, and all was received
│   ├── BreakerOpen        a circuit breaker refuses a call to what fails
│   ├── AddressError       an address that cannot be read
│   └── ListenError        an address that cannot be listened on
│       └── TlsError       certificates or keys that cannot be served with
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
        where: the place that it arrived at, for the log; "" when nobody looked.

    Source: trio's Cancelled.
    """

    def __init__(
        self, source: CancelSource, reason: str = "", *, scope: CancelScope | None = None
    ) -> None:
        super().__init__(source, reason)
        self.source: CancelSource = source
        self.reason = reason
        self.scope = scope
        self.where = ""

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


class BreakerOpen(RuntimeFault):
    """A circuit breaker refuses a call to what has failed too often.

    Attributes:
        name: of the breaker.
        since_s: for how many seconds it has refused calls.
        reason: why it opened.
        retry_after: seconds until it lets a call through again, as far as is known.
        unavailable: what a client is told of it, with a 503.
    """

    unavailable = "a service that this needs is not available"

    def __init__(self, name: str, *, since_s: float, reason: str, retry_after: float) -> None:
        super().__init__(
            f"the circuit breaker {name!r} has refused calls for {since_s:.3g} s, because {reason};"
            f" it tries again in {retry_after:.3g} s"
        )
        self.name = name
        self.since_s = since_s
        self.reason = reason
        self.retry_after = retry_after


class WouldBlock(RuntimeFault):
    """A `_nowait` call could not be done at once; its twin waits."""


class WaitTimedOut(RuntimeFault, TimeoutError):
    """What was waited for did not come within `timeout=`.

    Attributes: seconds: how long that was.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"it did not come within {seconds:g} s")
        self.seconds = seconds


class MustNotWait(RuntimeFault, RuntimeError):
    """A call that has to wait was made in a callback of the hub, which must not."""


class WrongThread(RuntimeFault, RuntimeError):
    """Something of one thread's greenlets was used in another thread."""


class LockError(RuntimeFault, RuntimeError):
    """A lock or permit was acquired twice, or released by somebody who does not hold it."""


class ChannelError(RuntimeFault):
    """A channel cannot go on.

    Attributes: end: the Sender or Receiver that was used; tells them apart after a `select`.
    """

    def __init__(self, message: str, end: object) -> None:
        super().__init__(message)
        self.end = end


class ClosedChannel(ChannelError):
    """This end of the channel was closed, maybe while another greenlet waited in it."""


class BrokenChannel(ChannelError):
    """All receivers are closed: nobody will ever take the item."""


class EndOfChannel(ChannelError):
    """All senders are closed, and all that they sent was received."""


class RegionClosed(RuntimeFault):
    """The application, or whoever owns the region, stopped: nothing is spawned in it any more."""


class RegionFull(RuntimeFault):
    """A region has as many functions as it may have, and the caller cannot wait for room."""


class AddressError(RuntimeFault, ValueError):
    """An address that cannot be read."""


class ListenError(RuntimeFault, OSError):
    """An address that cannot be listened on; the message says why and the way out."""


class TlsError(ListenError):
    """Certificates, keys or other settings of TLS that cannot be served with."""


class PatchedTooLate(RuntimeWarning):
    """Modules that should cooperate were imported before `photon.runtime.monkey.patch()`."""
