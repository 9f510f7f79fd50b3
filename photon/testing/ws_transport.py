"""A `Link` that speaks WebSocket: bytes go, frames come, and what has to be answered is answered.

Nothing here raises what a test is to see; who owns it says what a wait that was in vain means.
"""

from __future__ import annotations

from photon.runtime.clock import now
from photon.testing.link import CHUNK_BYTES, Link
from photon.testing.ws_protocol import ClientProtocol

# What is taken while nobody receives. Beyond it lies what the link holds, and then the server
# has to wait: so slow clients can be tested, too.
_AHEAD_BYTES = 64 * 1024


class Transport:
    """One connection after its 101.

    Args: rest: what came behind the head.
    Attributes: has_ended: whether nothing can come any more.
    """

    def __init__(self, link: Link, protocol: ClientProtocol, rest: bytes) -> None:
        self.link = link
        self.protocol = protocol
        self.has_ended = False
        self._out = bytearray()
        self._came(rest)
        link.watch(self.take_ahead)

    @property
    def is_over(self) -> bool:
        """Whether the server will say nothing more."""
        protocol = self.protocol
        return self.has_ended or protocol.closed is not None or bool(protocol.fault)

    # Sending...

    def send(self, data: bytes, timeout_s: float) -> bool:
        """Send all of it; false when the server took nothing for so long.

        A server that has gone takes everything: it may have said why before it went.
        """
        self._out += data
        due = now() + timeout_s
        while self._out and not self.has_ended:
            # A server that waits until we take what it sent needs us to do that.
            if self._push() or self.take():
                due = now() + timeout_s
            elif self._out and not self.link.wait(max(due - now(), 0.0), to_send=True):
                return False
        return True

    def _push(self) -> int:
        """Send what is taken at once; how many bytes."""
        try:
            sent = self.link.send_some(memoryview(bytes(self._out[:CHUNK_BYTES])))
        except OSError:
            self._out.clear()
            return 0
        del self._out[:sent]
        return sent

    # Receiving...

    def take_ahead(self) -> None:
        """Take what came, up to a bound. In memory also in the hub, as soon as it comes."""
        while self.protocol.unread_bytes < _AHEAD_BYTES and self.take():
            pass

    def take(self) -> bool:
        """Take what came, without waiting; whether there was anything."""
        if self.has_ended:
            return False
        try:
            data = self.link.receive_some()
        except OSError:
            data = b""
        if data is None:
            return False
        if data:
            self._came(data)
        else:
            self.has_ended = True
        return True

    def _came(self, data: bytes) -> None:
        self._out += self.protocol.receive_data(data)
        if self._out:
            self._push()

    def wait(self, seconds: float) -> bool:
        """Wait until something can be taken; false when `seconds` went by."""
        if self._out and self._push():
            return True
        return self.link.wait(max(seconds, 0.0), to_send=bool(self._out))

    # The end...

    def abort(self) -> None:
        """Vanish without a word."""
        self.has_ended = True
        self._out.clear()
        self.link.vanish()
        self.link.settle()
