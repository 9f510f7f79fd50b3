"""What brokers on a server have in common: what users give and call. `keeper.py` does the work."""

from __future__ import annotations

import secrets
from importlib.util import find_spec
from types import TracebackType
from typing import ClassVar
from urllib.parse import urlsplit

from photon.runtime.monkey import is_patched
from photon.ws.brokers.base import BrokerStatistics, OnMessage, OnStart
from photon.ws.brokers.keeper import Keeper
from photon.ws.brokers.link import Link
from photon.ws.brokers.subscriptions import RemoteSubscription


class RemoteBroker:
    """A broker on a server. Subclasses say how to connect.

    Args:
        url: of the server.
        prefix: of all topics on it, so that several applications can share it.
        timeout_s: how long connecting, and any call to the server, may take.
        max_bytes: of one message.
    """

    product: ClassVar[str]
    schemes: ClassVar[tuple[str, ...]]
    package: ClassVar[str]
    extra: ClassVar[str]

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "photon",
        timeout_s: float = 5.0,
        max_bytes: int = 4 * 1024 * 1024,
    ) -> None:
        kind = type(self).__name__
        if find_spec(self.package) is None:
            raise ModuleNotFoundError(
                f"{kind} needs {self.package}, which is not installed:"
                f" pip install 'photon-web[{self.extra}]'"
            )
        if not isinstance(url, str):
            raise TypeError(f"{kind} takes a URL, {self.schemes[0]}://..., not {url!r}")
        scheme = urlsplit(url).scheme
        if scheme not in self.schemes:
            begins = " or ".join(f"{scheme}://" for scheme in self.schemes)
            raise ValueError(
                f"{kind} takes a URL that begins with {begins},"
                f" not {scheme + '://' if scheme else repr(_shown(url))}"
            )
        if not timeout_s > 0:
            raise ValueError(f"timeout_s= is a number of seconds above 0, not {timeout_s!r}")
        self._url = url
        self._prefix = prefix
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._users = 0
        server = f"{self.product} at {_shown(url)}"
        self._keeper = Keeper(server, self.product, self._connect, timeout_s)

    # For subclasses...

    def _connect(self) -> Link:
        """A new connection."""
        raise NotImplementedError

    def _channel(self, topic: str) -> str:
        """What the server knows a topic by."""
        raise NotImplementedError

    # For those who publish and subscribe...

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self._keeper.is_connected

    def publish(self, topic: str, payload: bytes, *, wait_s: float = 0.0) -> bool:
        """Have a message sent in the background. See `Broker.publish`.

        So much may be on its way: 10,000 messages, or 16 MiB. What a server does not take within
        `timeout_s` is dropped, with the connection, and nobody waits for one that is lost.
        """
        if len(payload) > self._max_bytes:
            raise ValueError(
                f"a message of {len(payload)} bytes is more than {self!r} carries; max_bytes="
                f" allows {self._max_bytes}. Store it, and publish where it is"
            )
        self._check_started()
        return self._keeper.publish(self._channel(topic), payload, wait_s)

    def subscribe(
        self, topic: str, on_message: OnMessage, on_start: OnStart | None = None
    ) -> RemoteSubscription:
        """Have a topic listened to, soon. See `Broker.subscribe`."""
        self._check_started()
        return self._keeper.subscriptions.add(self._channel(topic), on_message, on_start)

    def _check_started(self) -> None:
        if self._users == 0:
            raise RuntimeError(
                f"{self!r} was not started: use it within `with broker:`, or give it to Rooms and"
                " start these with app.lifespan(lambda: rooms)"
            )

    # Its life...

    def __enter__(self) -> RemoteBroker:
        if self._users == 0 and not is_patched():
            raise RuntimeError(
                f"{type(self).__name__} would stop every request while it waits, as the"
                " standard library is not patched: start with `python -m photon run`, or put"
                " `from photon.runtime import monkey; monkey.patch()` before every other import"
            )
        self._users += 1
        if self._users == 1:
            try:
                self._keeper.start(self._channel(f"keeper/{secrets.token_hex(8)}"))
            except BaseException:
                self._users = 0
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._users -= 1
        if self._users == 0:
            self._keeper.stop()

    # Seeing inside...

    def statistics(self) -> BrokerStatistics:
        """Whether it is connected, and counts of messages and topics."""
        keeper = self._keeper
        return BrokerStatistics(
            is_connected=keeper.is_connected,
            topics=len(keeper.subscriptions),
            queued=len(keeper.backlog),
            published=keeper.published,
            received=keeper.received,
            dropped=keeper.dropped,
            losses=keeper.losses,
        )

    def __repr__(self) -> str:
        state = "not started" if not self._users else "lost"
        if self._keeper.is_connected:
            state = "connected"
        return f"<{type(self).__name__} {_shown(self._url)} {state}>"


def _shown(url: str) -> str:
    """A URL for logs: without user, password and options."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else "..."
