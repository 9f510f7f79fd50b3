"""`serve`: a server for the length of a `with` block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from photon.http.server.server import OnAnswer, Server, Shared
from photon.http.server.settings import ServerSettings
from photon.runtime import monkey
from photon.runtime.background import run_in_native_thread
from photon.runtime.net.address import Address, TcpAddress

if TYPE_CHECKING:
    from photon.http.application import Application
    from photon.runtime.net.tls_context import TlsContext, TlsSettings


@contextmanager
def serve(
    application: Application,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    address: Address | None = None,
    settings: ServerSettings | None = None,
    on_answer: OnAnswer | None = None,
    shared: Shared | None = None,
    tls: TlsSettings | TlsContext | None = None,
) -> Iterator[Server]:
    """Serve an application while the block runs; it is stopped in an orderly way at its end.

    Where the standard library is patched the server runs beside the block, in its thread. Where
    it is not, it runs in a native thread of its own, so that the block may use blocking clients;
    handlers that block then stop each other, as they do not cooperate.

    Args:
        port: 0 has the system choose a free one; `server.port` and `server.url` tell.
        address: in place of host and port, such as a `UnixAddress`.
        settings: limits and time-outs.
        on_answer: called after each exchange, as for an access log.
        shared: the open socket of this address, if other processes listen on it as well.
        tls: certificates and the like, for HTTPS.
    Returns: the server, which accepts from here on.
    Raises: ListenError; TlsError, which is one.
    """
    where = address or TcpAddress(host, port)
    inside = _serve(application, where, settings, on_answer, shared, tls)
    with inside if monkey.is_patched() else run_in_native_thread(inside) as server:
        yield server


@contextmanager
def _serve(
    application: Application,
    address: Address,
    settings: ServerSettings | None,
    on_answer: OnAnswer | None,
    shared: Shared | None,
    tls: TlsSettings | TlsContext | None,
) -> Iterator[Server]:
    server = Server(application, settings, on_answer=on_answer, tls=tls)
    # First of all: an address in use shall be found before a database is opened.
    server.listen(address, shared)
    try:
        with lifespan_of(application):
            server.start()
            try:
                yield server
            finally:
                server.stop()
    finally:
        server.stop()  # if the application did not start


def lifespan_of(application: object) -> AbstractContextManager[object]:
    """The time in which an application may be called, if it has an opinion about that."""
    running = getattr(application, "running", None)
    return nullcontext() if running is None else running()
