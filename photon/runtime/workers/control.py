"""The control socket: how a server is asked how it is, and told what to do, while it runs.

A Unix socket for this user alone (`control_socket`), on which a client says {"id": 1, "do":
"stats"} and gets {"id": 1, "ok": ...} or {"id": 1, "error": "..."} (`messages`,
`control_machine`). `ControlServer` has no loop of its own (`polled` shows how one drives it):

    def on_request(session, message):
        session.answer(message["id"], {"workers": 4})         # now, or whenever it is known

    server = ControlServer(path, on_request, about=lambda: {"app": "app:app", ...})

What `on_request` raises is the answer, and logged if it is no `ControlError`: no client ends the
process. One request the
server answers itself, so that all servers are found alike: "who", by the process id and `about`.

`control_hub.serve_control` is the same for a process without supervisor. `client` is the other end.
"""

from __future__ import annotations

import _socket
import logging
import os
from collections.abc import Callable

from photon.runtime.workers.control_machine import ControlSession
from photon.runtime.workers.control_socket import ControlError, ControlSocket, user_of
from photon.runtime.workers.messages import Message
from photon.runtime.workers.polled import PolledServer

__all__ = ["ControlError", "ControlServer", "ControlSession"]

logger = logging.getLogger("photon.runtime")

OnRequest = Callable[[ControlSession, Message], object]

MOST_SESSIONS = 32
# Those that are only told that there are too many.
_MOST_REFUSED = 32


def told(name: str, error: BaseException) -> str:
    """What a client hears of a command that raised."""
    if isinstance(error, ControlError):
        return str(error)
    return f"{name!r} failed: {type(error).__name__}: {error}; the log of the server has more"


class ControlServer(PolledServer[ControlSession]):
    """Answers at `path`, driven by whoever has a loop.

    Args:
        on_request: called with a session and a message that has an "id" and a "do"; the answer
            goes by `session.answer(id, ok)` or `session.answer(id, error="...")`.
        about: who this is, for "who": what goes into the answer beside the process id.
    Raises: ControlError, saying what is in the way of the socket.
    """

    def __init__(
        self, path: str, on_request: OnRequest, *, about: Callable[[], Message] = dict
    ) -> None:
        self._file = ControlSocket(path)
        super().__init__(self._file.socket, most=MOST_SESSIONS + _MOST_REFUSED)
        self.path = path
        self._on_request = on_request
        self._about = about
        self._strangers: set[int] = set()

    def close(self) -> None:
        """Stop listening, drop all clients, remove the file."""
        if self.listening_fd >= 0:
            super().close()
            self._file.remove_file()

    def meet(self, socket: _socket.socket) -> ControlSession:
        """The session of a new client; one that is refused hears why."""
        session = ControlSession()
        user = user_of(socket)
        if user not in (None, os.geteuid(), 0):
            self._refuse_stranger(session, user)
        elif len(self.sessions) >= MOST_SESSIONS:
            session.refuse(f"{MOST_SESSIONS} clients are connected already; close some of them")
        return session

    def _refuse_stranger(self, session: ControlSession, user: int | None) -> None:
        session.refuse(
            f"this server belongs to the user {os.geteuid()}, and you are {user}; only its own "
            "user and root may control it"
        )
        if user is not None and user not in self._strangers and len(self._strangers) < 100:
            self._strangers.add(user)  # once each: nobody fills the log
            logger.warning("the user %d was refused at the control socket %s", user, self.path)

    def on_data(self, session: ControlSession, data: bytes) -> None:
        """Bytes of a client."""
        for message in session.receive(data):
            number, name = message["id"], message["do"]
            try:
                if name == "who":
                    session.answer(number, {"pid": os.getpid(), **self._about()})
                else:
                    self._on_request(session, message)
            except ControlError as error:
                session.answer(number, error=str(error))
            except Exception as error:
                session.answer(number, error=told(name, error))
                logger.exception("the control request %r failed", name)

    def __repr__(self) -> str:
        return f"<ControlServer {self.path} sessions={len(self.sessions)}>"
