"""The other end of the control socket: asks, and waits for the answer.

    ControlClient("/run/user/1000/photon/1234.sock").ask("stats", timeout=2.0)

Plain blocking sockets, the originals: there is nothing else to do in the process that asks. Each
question has a connection of its own, so that a server may go and come back between two of them.
"""

from __future__ import annotations

import _socket
import os
from contextlib import closing
from typing import Any

from photon.runtime.clock import now
from photon.runtime.workers.control_socket import ControlError, check_length
from photon.runtime.workers.messages import Lines, Message, MessageError, encode

_MOST_ANSWER_BYTES = 1024 * 1024 * 1024
_RECEIVE_BYTES = 256 * 1024


class ServerGone(ControlError):
    """Nobody listens at the socket (any more)."""


class NoAnswer(ControlError):
    """The server is there and did not answer in time."""


class CommandFailed(ControlError):
    """The server answered that it cannot do what was asked; its own words."""


class ControlClient:
    """Asks the server at `path`.   Raises: ControlError, for a path that cannot be one."""

    def __init__(self, path: str) -> None:
        check_length(path)
        self.path = path

    def ask(self, do: str, *, timeout: float = 5.0, **arguments: Any) -> Any:
        """What the server answers to a request.

        Args: timeout: seconds for all of it; arguments: whatever the command takes.
        Raises: ServerGone; NoAnswer; CommandFailed; ControlError, when what came is no answer.
        """
        return self.ask_with(do, arguments, timeout=timeout)

    def ask_with(self, do: str, arguments: dict[str, Any], *, timeout: float = 5.0) -> Any:
        """As `ask`; the arguments may have a "timeout" of their own: for answers of workers."""
        until = now() + timeout
        # The C class: `socket.socket` is gevent's after the patch, and would start a hub.
        with closing(_socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)) as socket:
            try:
                self._connect(socket, until)
                _send(socket, encode({"id": 1, "do": do, **arguments}))
                answer = self._receive(socket, until)
            except TimeoutError:
                raise NoAnswer(
                    f"{self.path}: no answer to {do!r} within {timeout:g} s; its process is "
                    "stopped, or its hub stands still"
                ) from None
            except OSError as error:
                raise self._failed(error) from None
        if "error" in answer:
            raise CommandFailed(str(answer["error"]))
        return answer.get("ok")

    def _connect(self, socket: _socket.socket, until: float) -> None:
        socket.settimeout(_left(until))
        try:
            socket.connect(self.path)
        except BlockingIOError:  # the line of those who wait for it is full
            raise TimeoutError from None

    def _receive(self, socket: _socket.socket, until: float) -> Message:
        lines = Lines(_MOST_ANSWER_BYTES)
        while True:
            socket.settimeout(_left(until))
            data = socket.recv(_RECEIVE_BYTES)
            if not data:
                raise ServerGone(f"{self.path}: the server ended before it answered")
            try:
                messages = lines.feed(data)
            except MessageError as error:
                raise ControlError(f"{self.path} is no control socket of Photon: {error}") from None
            if messages:
                return messages[0]

    def _failed(self, error: OSError) -> ControlError:
        if isinstance(error, FileNotFoundError):
            return ServerGone(f"{self.path}: there is no such socket; its server has ended")
        if isinstance(error, ConnectionRefusedError):
            return ServerGone(f"{self.path}: nobody listens there; its server has ended")
        if isinstance(error, ConnectionError):
            return ServerGone(f"{self.path}: the server ended before it answered")
        if isinstance(error, PermissionError):
            return ControlError(
                f"{self.path}: permission denied; only the user of the server and root may "
                f"control it, and you are {os.geteuid()}"
            )
        return ControlError(f"{self.path}: {error.strerror or error}")

    def __repr__(self) -> str:
        return f"<ControlClient {self.path}>"


def _send(socket: _socket.socket, data: bytes) -> None:
    try:
        socket.sendall(data)
    except BrokenPipeError:
        pass  # it closed, and said why


def _left(until: float) -> float:
    left = until - now()
    if left <= 0:
        raise TimeoutError
    return left
