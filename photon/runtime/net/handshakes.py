"""TLS handshakes of those who have just connected, many at once, none of them trusted.

    SocketStream ──begin──▶ Handshake ──done──▶ on_done(TlsStream)
                               └─ plain HTTP, nonsense, too slow, refused: closed, and told

No greenlet is held: each run takes what came and lets go. Until the first byte has come a handshake
is a socket, a watcher and 0.5 KB; from there on OpenSSL takes 45 KB, for `timeout_s` at the most.

One costs 0.4 to 1.5 ms of computing, a hundred requests. So of thousands that are ready at once
only as many go on as fit in 5 ms; then everybody else has his turn.
"""

from __future__ import annotations

import logging
import ssl
from collections import deque
from collections.abc import Callable
from functools import partial

from photon.runtime.carriers import Carrier
from photon.runtime.clock import now
from photon.runtime.errors import StreamError
from photon.runtime.greenlets import Turn
from photon.runtime.hub import Hub
from photon.runtime.net.certificates import reason_of
from photon.runtime.net.client_hello import HelloReader
from photon.runtime.net.stream import ByteStream, PeerState
from photon.runtime.net.tls import TlsStream
from photon.runtime.net.tls_context import TlsContext

logger = logging.getLogger("photon.runtime")

_READ_BYTES = 4 * 1024

# All that a client sends until it is done: half a KB, with a long chain of certificates some 10.
# OpenSSL alone would take 128 KB of a ClientHello, and keep them.
_MOST_BYTES = 64 * 1024

# RFC 8446 §5.1: a record begins with its type, 22 for a handshake. SSL 2.0, which OpenSSL refuses
# with a word, has the highest bit set. All else is no TLS.
_HANDSHAKE_RECORD, _OLD_RECORD = 22, 0x80

# How long a client that spoke plain HTTP may take to read why that is wrong; as `server._LINGER_S`.
_LINGER_S = 5.0


class Handshakes:
    """The handshakes of one server.

    Args:
        context: may be reloaded; a handshake ends with what it began with.
        timeout_s: what one may take, from accept to end.
        on_done: takes the stream, in the hub or on a carrier; must not wait.
        on_count: called in the same way when there is one more, or one that failed less.
        answer_to_plain: is sent to who speaks no TLS, before the connection is closed.
    Attributes: failed, done: how many were, since the start.
    """

    def __init__(
        self,
        hub: Hub,
        context: TlsContext,
        timeout_s: float,
        on_done: Callable[[TlsStream], object],
        *,
        on_count: Callable[[], object] = lambda: None,
        answer_to_plain: bytes = b"",
    ) -> None:
        self.hub = hub
        self.context = context
        self.timeout_s = timeout_s
        self.on_done = on_done
        self.on_count = on_count
        self.answer_to_plain = answer_to_plain
        self.done = 0
        self.failed = 0
        self.open: set[Handshake] = set()
        self._queue: deque[Handshake] = deque()
        self._turn: Turn | None = None

    def begin(self, stream: ByteStream) -> None:
        """See to a connection that was just accepted. In the hub."""
        self.open.add(Handshake(self, stream))
        self.on_count()

    def drain(self, seconds: float, settle_s: float = 0.0) -> None:
        """The server stops: who has said something may go on for so long. In the hub.

        Args: settle_s: as `Server.settle_s`; who came so short a time ago may still begin.
        """
        self.timeout_s = min(self.timeout_s, max(seconds, settle_s))
        for handshake in list(self.open):
            handshake.hurry(now() - settle_s)

    def close(self) -> None:
        """Close all of them."""
        for handshake in list(self.open):
            handshake.close()

    def __len__(self) -> int:
        return len(self.open)

    def __bool__(self) -> bool:
        return bool(self.open)

    def __repr__(self) -> str:
        return f"<Handshakes open={len(self.open)} done={self.done} failed={self.failed}>"

    # Turns...

    def may_go_on(self, handshake: Handshake) -> bool:
        """Whether it is this one's turn; else it is called when it is."""
        if self._turn is None:
            self._turn = Turn()
            self.hub.carriers.submit(self)  # in the next round of the hub
        if not self._queue and not self._turn.is_over:
            return True
        self._queue.append(handshake)
        return False

    def run(self) -> bool:
        """A new round: go on with those that wait. A carrier's job."""
        self._turn = Turn() if self._queue else None
        while self._queue:
            self._queue.popleft().go_on()
            if self._turn is not None and self._turn.is_over:
                break
        if self._turn is not None:
            self.hub.carriers.submit(self)
        return False

    def on_parked(self, carrier: Carrier) -> None:
        """None of it waits, but a handler of the log may."""


class Handshake:
    """One of them: a carrier's job, and a subject of the hub's sweep.

    Attributes: sweep_tick: written by the sweep only.
    """

    __slots__ = (
        "_all",
        "_began",
        "_due",
        "_hello",
        "_is_done",
        "_is_lingering",
        "_is_queued",
        "_reader",
        "_received",
        "_stream",
        "_tls",
        "sweep_tick",
    )

    def __init__(self, everyone: Handshakes, stream: ByteStream) -> None:
        self._all = everyone
        self._stream = stream
        self._tls: TlsStream | None = None
        self._hello = b""
        self._reader: HelloReader | None = None
        self._received = 0
        self._is_queued = False
        self._is_done = False
        self._is_lingering = False
        self.sweep_tick = 0
        self._began = now()
        self._due = self._began + everyone.timeout_s
        everyone.hub.sweep.watch(self, self._due)
        stream.watch(self)

    # On a carrier...

    def run(self) -> bool:
        """Something came."""
        if self._is_lingering:
            self._drop_input()
        elif not self._is_queued and self in self._all.open:
            if self._all.may_go_on(self):
                self.go_on()
            else:
                self._is_queued = True
                self._stream.unwatch()
        return False

    def go_on(self) -> None:
        """Take what came, and go on as far as that goes."""
        if self not in self._all.open:
            return
        if self._is_queued:
            self._is_queued = False
            self._stream.watch(self)
        try:
            data = self._stream.raw.recv(_READ_BYTES)
            if not data:
                self._give_up("", "it went away")
                return
            if not self._received and data[0] != _HANDSHAKE_RECORD and not data[0] & _OLD_RECORD:
                self._answer_plainly()
                return
            self._received += len(data)
            if self._received > _MOST_BYTES:
                self._give_up("its handshake is larger than 64 KiB")
                return
            if self._tls is None:
                name = ""
                if self._all.context.is_chosen_by_name:
                    self._reader = self._reader or HelloReader()
                    asked = self._reader.name(data)
                    if asked is None:
                        return  # the rest of the ClientHello is to come
                    name, data, self._reader = asked, bytes(self._reader.data), None
                wrap = partial(self._all.context.wrap, name=name)
                self._tls = TlsStream(self._all.hub, self._stream, wrap)
            if len(self._hello) < _HEAD_BYTES:
                self._hello = (self._hello + data)[:_HEAD_BYTES]
            self._is_done = self._tls.handshake(data)
            if self._is_done or not self._tls.flush():
                self._finish(self._tls)
        except BlockingIOError:
            pass
        except ssl.SSLError as error:
            self._give_up(_why(error, self._hello))
        except OSError as error:
            self._give_up("", error.strerror or str(error))

    def _finish(self, tls: TlsStream) -> None:
        """Hand the stream on, once all that we said has gone out."""
        if not tls.flush():
            self._stream.unwatch()
            self._all.hub.carriers.submit(_Flush(self, tls))
        elif self._is_done:
            self._stream.unwatch()
            self._leave()
            self._all.done += 1
            self._all.on_done(tls)

    def flushed(self, tls: TlsStream) -> None:
        """The client has taken all that was said."""
        if self not in self._all.open:
            return
        if self._is_done:
            self._finish(tls)
        else:
            self._stream.watch(self)

    # It comes to nothing...

    def _answer_plainly(self) -> None:
        """It speaks HTTP without TLS, or something else: say so, and close gently."""
        peer = self._stream.peer
        self._all.failed += 1
        try:
            self._stream.send_nowait(self._all.answer_to_plain)
        except StreamError:
            self.close()
            return
        # RFC 9112 §9.6: a close while input is unread may erase our answer.
        self._is_lingering = True
        self._due = now() + min(_LINGER_S, self._all.timeout_s)
        self._stream.close_sending()
        self._all.hub.sweep.watch(self, self._due)
        logger.info("refused %s: it speaks no TLS", peer or "a client")

    def _drop_input(self) -> None:
        try:
            data = self._stream.receive_nowait(_READ_BYTES)
        except StreamError:
            data = b""
        if data == b"":
            self.close()

    def _give_up(self, why: str, detail: str = "") -> None:
        """Close, and say why to the log: that clients just vanish is no news."""
        if self not in self._all.open:
            return
        peer = self._stream.peer or "a client"
        self._all.failed += 1
        self.close()
        # Last of all: in the hub a handler of the log that waits fails.
        if why:
            logger.info("no TLS with %s: %s", peer, why)
        else:
            logger.debug("no TLS with %s: %s", peer, detail)

    def hurry(self, begun_since: float) -> None:
        """The server stops. In the hub.   Args: begun_since: who came before, and was silent, is
        closed."""
        is_silent = not self._received and self._stream.look() is not PeerState.TALKING
        if is_silent and self._began < begun_since:
            self.close()
        else:
            self._due = min(self._due, now() + self._all.timeout_s)
            self._all.hub.sweep.watch(self, self._due)

    def on_due(self, moment: float) -> float | None:
        """Close it, if it takes too long. Called by the hub's sweep."""
        if moment < self._due:
            return self._due
        if self._is_lingering:
            self.close()
        elif self._received:
            self._give_up(f"its handshake was not done within {self._all.timeout_s:g} s")
        else:  # browsers open connections that they do not need
            self._give_up("", "it said nothing")
        return None

    def close(self) -> None:
        """Close at once. May be called twice."""
        if self in self._all.open:
            self._leave()
            self._stream.close()
            self._all.on_count()

    def _leave(self) -> None:
        self._all.open.discard(self)
        self._all.hub.sweep.forget(self)

    def on_parked(self, carrier: Carrier) -> None:
        """None of it waits, but a handler of the log may."""

    def __repr__(self) -> str:
        return f"<Handshake with {self._stream.peer or 'a client'} received={self._received}>"


class _Flush:
    """Waits until a client takes what we say of the handshake. A carrier's job, and a rare one."""

    def __init__(self, handshake: Handshake, tls: TlsStream) -> None:
        self._handshake = handshake
        self._tls = tls

    def run(self) -> bool:
        try:
            while not self._tls.flush():
                self._tls.wait_writable()
        except (StreamError, OSError):
            self._handshake.close()
        else:
            self._handshake.flushed(self._tls)
        return False

    def on_parked(self, carrier: Carrier) -> None:
        """The handshake's deadline closes the stream, which ends the wait."""


# Why...

# Record header, type and length of the message, and the version that a ClientHello begins with.
_HEAD_BYTES = 11

_VERSIONS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2"}

# What OpenSSL says, and what an operator wants to know. "Alert" is what the client has told us.
_REASONS = {
    "no shared cipher": "it has no cipher suite in common with us",
    "no suitable signature algorithm": "it has no kind of signature in common with us",
    "no shared signature algorithms": "it has no kind of signature in common with us",
    "peer did not return a certificate": "it sent no certificate",
    "tlsv1 alert unknown ca": "it does not trust our certificate",
    "sslv3 alert bad certificate": "it does not trust our certificate",
    "sslv3 alert certificate unknown": "it does not trust our certificate",
    "ssl/tls alert bad certificate": "it does not trust our certificate",
    "ssl/tls alert certificate unknown": "it does not trust our certificate",
    "sslv3 alert certificate expired": "our certificate has expired, it says",
    "ssl/tls alert certificate expired": "our certificate has expired, it says",
    "tlsv1 alert protocol version": "it does not speak our versions of TLS",
    "tlsv1 alert internal error": "it failed",
}

_TOO_OLD = {"unsupported protocol", "unknown protocol", "version too low", "wrong version number"}


def _why(error: ssl.SSLError, hello: bytes) -> str:
    """Why a handshake came to nothing, in a sentence about the client."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    reason = reason_of(error)
    if reason in _TOO_OLD:
        version = _VERSIONS.get(int.from_bytes(hello[9:_HEAD_BYTES], "big"))
        if version is not None and version != "TLS 1.2":
            return f"it offers {version} at most"
        return "it offers no version of TLS that we speak"
    return _REASONS.get(reason) or f"this was no proper TLS handshake ({reason})"
