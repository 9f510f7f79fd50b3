"""What a broker needs of a connection to its server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Message = tuple[str, bytes]
"""A channel, as the server knows it, and a payload."""


class Link(Protocol):
    """A connection to a server. Only the keeper uses it; any exception means that it is lost."""

    def fileno(self) -> int:
        """Readable when something came."""
        ...

    def listen(self, channels: Sequence[str]) -> None:
        """From when this returns nothing on these is missed."""
        ...

    def unlisten(self, channels: Sequence[str]) -> None: ...

    def send(self, messages: Sequence[Message]) -> None:
        """Publish these, in order."""
        ...

    def receive(self) -> Sequence[Message]:
        """What has come. Does not wait for more."""
        ...

    def close(self) -> None: ...


class LinkLost(Exception):
    """The server does not answer."""
