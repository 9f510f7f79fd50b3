"""TLS over any `ByteStream`: ciphertext below, plaintext above, and nothing waits in between.

    inner ──recv──▶ BIO ──▶ SSL object ──▶ plaintext          BIO: bytes in memory, see `ssl`
    inner ◀──send── BIO ◀── SSL object ◀── plaintext

What the owner of a stream relies on, and what TLS would take from him, is kept so:

- *Readable* means ciphertext, so no plaintext may hide where nobody is told of it. `recv` gives all
  that comes of what it read; what was decrypted otherwise (the end of the handshake, `look`) is
  kept, and while it is, `watch` and `wait_readable` answer as a readable socket does.
- *Sent* means in the kernel. Plaintext that was encrypted cannot be taken back, so while a part of
  its ciphertext is unsent the last byte of it is *owed*: it counts as not taken. Its owner comes
  with it again, as for any rest, waits as long as he has patience for, and closes nothing before.
  The byte itself is not encrypted twice.

Source: RFC 8446; of the `ssl` module, "Memory BIO Support".
"""

from __future__ import annotations

import errno
import os
import ssl
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from photon.runtime.carriers import Job
from photon.runtime.clock import now
from photon.runtime.errors import StreamBroken, StreamBusy, StreamClosed, StreamError
from photon.runtime.hub import Hub, getcurrent
from photon.runtime.net.stream import ByteStream, PeerState

Wrap: TypeAlias = Callable[[ssl.MemoryBIO, ssl.MemoryBIO], ssl.SSLObject]
"""Makes the SSL object of a connection, of what comes in and what goes out."""

# The most that a record holds, RFC 8446 §5.1. A BIO keeps the memory it once had, so that each is
# fed and emptied by a record at a time: 22 KB for a connection that moved much, not 90.
_RECORD_BYTES = 16 * 1024

# So much is encrypted before it is offered to the kernel; what it does not take is kept.
_PIECE_BYTES = 4 * _RECORD_BYTES

# So much at the most by one call: others have their turn while a large response is encrypted
# (1 ms for 1 MB), as the sender waits until the socket is writable before he goes on.
_SEND_BYTES = 4 * _PIECE_BYTES

# A read is never smaller: a client's request is one record more often than not.
_LEAST_READ_BYTES = 4 * 1024


class TlsStream:
    """The encrypted side of a connection, as a `ByteStream`.

    Args:
        hub: the hub that the inner stream lives in.
        inner: carries the ciphertext, and belongs to this stream from here on.
        wrap: see `Wrap`; a context's `wrap_bio`, with `server_side=True` or a `server_hostname`.
    Raises: ssl.SSLError, if there is no memory for it.
    """

    __slots__ = (
        "_failure",
        "_hub",
        "_incoming",
        "_inner",
        "_is_closed",
        "_is_ended",
        "_is_midway",
        "_is_open",
        "_is_telling",
        "_job",
        "_outgoing",
        "_owed",
        "_raw",
        "_reader",
        "_rest",
        "_tls",
        "_unsent",
    )

    def __init__(self, hub: Hub, inner: ByteStream, wrap: Wrap) -> None:
        self._hub = hub
        self._inner = inner
        self._raw = inner.raw
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = wrap(self._incoming, self._outgoing)
        self._is_open = False  # the handshake is done
        self._is_closed = False
        self._job: Job | None = None
        self._reader: Any = None
        self._is_telling = False
        # Reading...
        self._rest = b""
        self._is_ended = False
        self._failure = ""  # why there can be nothing more
        self._is_midway = False  # a part of a record has come
        # Writing...
        self._unsent: bytes | memoryview = b""
        self._owed = 0  # bytes at the start of what is sent next that are encrypted already

    @property
    def raw(self) -> TlsStream:
        return self

    @property
    def peer(self) -> str:
        return self._inner.peer

    # The handshake...

    def handshake(self, data: bytes = b"") -> bool:
        """Go on with the handshake. Never waits.

        Args: data: ciphertext that came; b"" begins a client's side of it.
        Returns: whether it is done; if not, more has to come, or `flush` has to send all.
        Raises: OSError: the connection was lost; ssl.SSLError, a kind of it: there will be none.
            The other side was told why, if it takes that at once.
        """
        if data:
            self._incoming.write(data)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._put_out()
            return False
        except ssl.SSLError:
            self._put_out()
            raise
        self._is_open = True
        self._put_out()
        if self._incoming.pending:
            # TLS 1.3 lets a client's first request come in the same packet.
            self._rest = self._decrypted()
        return True

    def flush(self) -> bool:
        """Hand on the ciphertext that waits, as far as it is taken; whether all of it was.

        Raises: OSError.
        """
        return not self._unsent or self._send_unsent()

    # What was agreed...

    @property
    def peer_certificate(self) -> Mapping[str, Any] | None:
        """What the other side proved to be, as `ssl.SSLSocket.getpeercert` tells it.

        None when it was not asked for a certificate.
        """
        return self._tls.getpeercert() or None

    @property
    def version(self) -> str:
        """Such as "TLSv1.3"; "" before the handshake."""
        return self._tls.version() or ""

    @property
    def cipher(self) -> str:
        """Such as "TLS_AES_128_GCM_SHA256"; "" before the handshake."""
        agreed = self._tls.cipher()
        return agreed[0] if agreed else ""

    @property
    def application_protocol(self) -> str:
        """What was agreed by ALPN (RFC 7301), such as "http/1.1"; "" for nothing."""
        return self._tls.selected_alpn_protocol() or ""

    # Reading...

    def recv(self, limit: int, /) -> bytes:
        """The plaintext of one read; b"" at the end.

        It may be more than `limit`, by one record at the most: what was decrypted cannot wait in
        the kernel.

        Raises: BlockingIOError: nothing yet, or a part of a record; OSError.
        """
        if self._rest:
            data, self._rest = self._rest, b""
        elif self._is_ended:
            data = self._the_end()
        else:
            data = self._decrypt(self._raw.recv(max(limit, _LEAST_READ_BYTES)))
            if not data:
                if not self._has_news:
                    raise BlockingIOError
                data = self._the_end()
        if self._is_ended and self._job is not None:
            self._tell_soon()  # of the end: the socket may never be readable again
        return data

    def receive_nowait(self, limit: int) -> bytes | None:
        """As `recv`; None when there is nothing yet.   Raises: StreamBroken; StreamClosed."""
        try:
            return self.recv(limit)
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._failed(error) from error

    def wait_readable(self) -> None:
        """Park until plaintext, the end, or maybe only a part of a record can be read.

        Raises: StreamClosed, when another greenlet closes the stream meanwhile; StreamBusy.
        """
        if self._reader is not None:
            raise StreamBusy("another greenlet already reads from this stream")
        self._check_open()
        if self._has_news:
            return
        self._reader = getcurrent()
        try:
            self._inner.wait_readable()
        finally:
            self._reader = None

    def _decrypt(self, ciphertext: bytes) -> bytes:
        """The plaintext of what came, b"" for none; notes the end, and what comes before it."""
        if not ciphertext:
            # Without a close_notify it may be a truncation, RFC 8446 §6.1. HTTP and WebSocket say
            # themselves where their messages end; and from here on the other side is gone anyway.
            self._is_ended = True
            return b""
        if len(ciphertext) <= _RECORD_BYTES:
            self._incoming.write(ciphertext)
            # PERF: 2 us less than with room for a whole record, which is made smaller afterwards.
            return self._decrypted(_RECORD_BYTES if self._is_midway else len(ciphertext))
        parts = []
        for start in range(0, len(ciphertext), _RECORD_BYTES):
            self._incoming.write(ciphertext[start : start + _RECORD_BYTES])
            parts.append(self._decrypted())
            if self._is_ended:
                break
        return b"".join(parts)

    def _decrypted(self, expected: int = _RECORD_BYTES) -> bytes:
        """All plaintext there is of what is in the BIO.   Args: expected: so much, or less."""
        read, incoming, tls = self._tls.read, self._incoming, self._tls
        data = b""
        self._is_midway = False
        try:
            data = read(expected)
            # PERF: to be told that there is no more takes an exception, 2 us.
            while data and (incoming.pending or tls.pending()):
                piece = read(_RECORD_BYTES)
                if not piece:
                    self._is_ended = True
                    break
                data += piece
            if not data:
                self._is_ended = True
        except ssl.SSLWantReadError:
            self._is_midway = True
        except ssl.SSLZeroReturnError:  # both have said that they end
            self._is_ended = True
        except ssl.SSLError as error:
            self._failure = _improper(error)
            self._is_ended = True
        if self._outgoing.pending:  # an alert, or the answer to a KeyUpdate
            try:
                self._put_out()
            except OSError:
                pass  # who sends next is told; what came before is read still
        return data

    def _the_end(self) -> bytes:
        if self._failure:
            raise ConnectionAbortedError(errno.ECONNABORTED, self._failure)
        return b""

    # Writing...

    def send(self, data: bytes, /) -> int:
        """Encrypt and hand on; how much was taken: the rest is to be sent again, see above.

        Raises: BlockingIOError; OSError.
        """
        if not (self._unsent or self._owed) and 0 < len(data) <= _RECORD_BYTES:
            # PERF: most responses are one record, and are taken as a whole: 1 us less.
            self._tls.write(data)
            out = self._outgoing.read()
            try:
                sent = self._raw.send(out)
            except BlockingIOError:
                sent = 0
            if sent == len(out):
                return len(data)
            self._unsent = memoryview(out)[sent:]
            self._owed = 1
            taken = len(data) - 1
        else:
            taken = self._take(data)
        if not taken and data:
            raise BlockingIOError
        return taken

    def send_nowait(self, data: bytes | memoryview) -> int:
        """As `send`; 0 when nothing is taken now.   Raises: StreamBroken; StreamClosed."""
        try:
            return self._take(data)
        except OSError as error:
            raise self._failed(error) from error

    def send_file_nowait(self, fd: int, offset: int, count: int) -> int:
        """Send a piece of a file, by way of memory; how much was taken, maybe 0.

        Raises: StreamBroken; StreamClosed; EOFError when the file ends before `offset`.
        """
        try:
            if not self.flush():
                return 0
        except OSError as error:
            raise self._failed(error) from error
        data = os.pread(fd, min(count, _PIECE_BYTES), offset)
        if not data:
            raise EOFError("the file is shorter than when its length was asked for")
        return self.send_nowait(data)

    def wait_writable(self) -> None:
        """Park until more can be sent.

        Raises: StreamClosed, when another greenlet closes the stream meanwhile; StreamBusy.
        """
        self._check_open()
        self._inner.wait_writable()

    def _take(self, data: bytes | memoryview) -> int:
        """Encrypt what there is room for; how much of it the caller is rid of."""
        if self._unsent and not self._send_unsent():
            return 0
        taken, self._owed = min(self._owed, len(data)), 0
        end = min(len(data), _SEND_BYTES)
        while taken < end:
            upto = min(taken + _PIECE_BYTES, end)
            # PERF: most responses are one record, and `bytes` are not copied by a slice of all.
            self._unsent = self._encrypt(data[taken:upto])
            taken = upto
            if not self._send_unsent():
                self._owed = 1
                return taken - 1
        return taken

    def _encrypt(self, data: bytes | memoryview) -> bytes:
        written = self._tls.write(data)  # a record at a time
        out = self._outgoing.read()
        if written == len(data):
            return out
        parts = [out]
        view = memoryview(data)
        while written < len(view):
            written += self._tls.write(view[written:])
            parts.append(self._outgoing.read())
        return b"".join(parts)

    def _send_unsent(self) -> bool:
        """Hand on what waits; whether all of it was taken."""
        unsent = self._unsent
        try:
            sent = self._raw.send(unsent)  # type: ignore[arg-type]  # it takes any buffer
        except BlockingIOError:
            return False
        if sent == len(unsent):
            self._unsent = b""
            return True
        self._unsent = memoryview(unsent)[sent:]
        return False

    def _put_out(self) -> None:
        """Hand on what the SSL object says of its own accord, behind what waits."""
        if self._outgoing.pending:
            self._unsent = bytes(self._unsent) + self._outgoing.read()
            self._send_unsent()

    # Watching the other side...

    def watch(self, job: Job) -> None:
        """Run `job` on a carrier whenever there is something to read, until `unwatch`.

        Raises: StreamClosed.
        """
        self._check_open()
        self._inner.watch(job)
        self._job = job
        if self._has_news:
            self._tell_soon()

    def unwatch(self) -> None:
        self._job = None
        self._inner.unwatch()

    def look(self) -> PeerState:
        """What the other side does. What it said is kept for the next `recv`."""
        if not self._rest and not self._is_ended:
            try:
                self._rest = self._decrypt(self._raw.recv(_LEAST_READ_BYTES))
            except BlockingIOError:
                pass
            except OSError as error:
                self._failure = error.strerror or str(error)
                self._is_ended = True
            if self._has_news and (self._job is not None or self._reader is not None):
                self._tell_soon()
        if self._rest or (self._is_midway and not self._is_ended):
            return PeerState.TALKING
        return PeerState.GONE if self._is_ended else PeerState.QUIET

    def has_hung_up(self) -> bool:
        """Whether the other side closed, even if bytes it sent before wait to be read."""
        return self._is_ended or self._inner.has_hung_up()

    def interrupt_reader(self, error: BaseException) -> bool:
        return self._inner.interrupt_reader(error)

    def interrupt_writer(self, error: BaseException) -> bool:
        return self._inner.interrupt_writer(error)

    @property
    def _has_news(self) -> bool:
        """Whether there is something to read that the socket does not tell of."""
        return bool(self._rest) or self._is_ended

    def _tell_soon(self) -> None:
        if not self._is_telling:
            self._is_telling = True
            self._hub.run_soon(self._tell)

    def _tell(self) -> None:
        """In the hub: be readable, as a socket is: again and again, until it was read."""
        self._is_telling = False
        if self._is_closed or not self._has_news:
            return
        if self._reader is not None:
            self._reader.switch()
        elif self._job is not None:
            self._hub.carriers.submit(self._job)
            self._is_telling = True
            self._hub.deadlines.add(now(), self._tell)

    # Closing...

    def close_sending(self) -> None:
        """Say that nothing more will come; what was sent is still delivered."""
        self._say_end()
        self._inner.close_sending()

    def close(self) -> None:
        """Close at once; whoever waits in the stream gets StreamClosed. May be called twice."""
        if not self._is_closed:
            self._is_closed = True
            self._job = None
            self._say_end()
            self._inner.close()

    def _say_end(self) -> None:
        """Send a close_notify, if it is taken at once. Not after a message that was cut off."""
        if not self._is_open or self._failure or self._owed:
            return
        try:
            self._tls.unwrap()
        except OSError:
            pass  # it waits for the other's, and nobody else does
        try:
            self._put_out()
        except OSError:
            pass  # the other side was quicker

    def _check_open(self) -> None:
        if self._is_closed:
            raise StreamClosed("the stream is closed")

    def _failed(self, error: OSError) -> StreamError:
        if self._is_closed:
            return StreamClosed("the stream is closed")
        why = _improper(error) if isinstance(error, ssl.SSLError) else error.strerror or error
        return StreamBroken(f"the connection was lost: {why}")

    def __repr__(self) -> str:
        agreed = f"{self.version} {self.cipher}" if self._is_open else "in its handshake"
        return f"<TlsStream {agreed} over {self._inner!r}>"


def _improper(error: ssl.SSLError) -> str:
    reason = (error.reason or "unknown").lower().replace("_", " ")
    return f"this was no proper TLS ({reason})"
