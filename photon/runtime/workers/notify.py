"""sd_notify(3): what the process that started us wants to be told, over its datagram socket.

systemd (Type=notify), and what speaks its protocol: podman, s6, supervisors of containers. One
datagram is lines of NAME=value. No answer comes, and nothing is ever waited for: a service that
cannot tell serves nevertheless.

    notifier = Notifier.from_environment()
    notifier.ready("4 workers")         # what is ordered after us may start
    notifier.reloading()                # ... then ready() again
    notifier.stopping()

Source: sd_notify(3), systemd.service(5) of systemd 252; the protocol is stable ("can be
implemented independently of libsystemd").
"""

from __future__ import annotations

import _socket
import logging
import os
from collections.abc import MutableMapping
from time import monotonic_ns

logger = logging.getLogger("photon.runtime")

_SOCKET, _WATCHDOG, _WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"


class Notifier:
    """Tells the one who started us how we are; tells nobody when there is nobody to be told.

    Args:
        address: of the datagram socket: a path, or "@name" in Linux's abstract names; "" for none.
        watchdog_s: how long we may be silent until we are killed; 0 for any time.
    """

    def __init__(self, address: str = "", *, watchdog_s: float = 0.0) -> None:
        self.address = address
        self.watchdog_s = watchdog_s if address else 0.0
        self.failed = ""
        self._socket: _socket.socket | None = None

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] | None = None) -> Notifier:
        """That of NOTIFY_SOCKET, or one that tells nobody.

        The variables are taken out: a program that a worker starts must not speak for us. One that
        takes our place is given them again, see `environment`.
        """
        environment = os.environ if environment is None else environment
        address = environment.get(_SOCKET, "")
        watchdog_s = _watchdog_s(environment)
        for name in (_SOCKET, _WATCHDOG, _WATCHDOG_PID):
            environment.pop(name, None)
        if address and address[0] not in "/@":
            # Also vsock:, which systemd 254 has for virtual machines.
            logger.warning("%s=%r is neither a path nor @name: nobody is told", _SOCKET, address)
            address = ""
        return cls(address, watchdog_s=watchdog_s)

    @property
    def environment(self) -> dict[str, str]:
        """What a program that takes our place needs to go on telling."""
        if not self.address:
            return {}
        if not self.watchdog_s:
            return {_SOCKET: self.address}
        # Ours by its pid, which execve keeps.
        usec = str(round(self.watchdog_s * 1e6))
        return {_SOCKET: self.address, _WATCHDOG: usec, _WATCHDOG_PID: str(os.getpid())}

    def ready(self, status: str = "") -> bool:
        """We serve, at last or again. All of these: whether it was told.

        Args: status: a line for people, in `systemctl status`.
        """
        return self.tell(READY="1", STATUS=status)

    def reloading(self, status: str = "") -> bool:
        """We load anew; `ready` ends it."""
        # "MONOTONIC_USEC=... shall be set to the CLOCK_MONOTONIC timestamp in µs when the
        # notification message was generated", which Type=notify-reload compares.
        return self.tell(RELOADING="1", MONOTONIC_USEC=monotonic_ns() // 1000, STATUS=status)

    def stopping(self, status: str = "") -> bool:
        """The end has begun."""
        return self.tell(STOPPING="1", STATUS=status)

    def watchdog(self) -> bool:
        """We are alive: to be told more than once each `watchdog_s`, half of it is usual."""
        return self.tell(WATCHDOG="1")

    def tell(self, **values: str | int) -> bool:
        """One datagram of NAME=value; empty values are left out.

        Returns: whether it was taken. A full queue loses it: who must not be lost tells again.
        """
        if not self.address:
            return False
        # A line end would begin another assignment.
        lines = [f"{name}={_one_line(value)}" for name, value in values.items() if value != ""]
        message = "\n".join(lines).encode("utf-8", "backslashreplace")
        try:
            self._open().send(message)
        except OSError as error:
            self.close()  # it may be another socket of that name by the next time
            if not self.failed:
                self.failed = error.strerror or str(error)
                logger.warning("%s %s: %s", _SOCKET, self.address, self.failed)
            return False
        self.failed = ""
        return True

    def close(self) -> None:
        """Give the socket back; the next word opens another one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self) -> _socket.socket:
        if self._socket is None:
            # The C class, which no patch makes wait. Not inherited, as all of Python's.
            opened = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
            opened.setblocking(False)
            try:
                name = self.address
                opened.connect("\0" + name[1:] if name.startswith("@") else name)
            except OSError:
                opened.close()
                raise
            self._socket = opened
        return self._socket

    def __repr__(self) -> str:
        return f"<Notifier {self.address or 'nobody'}>"


def _one_line(value: str | int) -> str:
    return " ".join(str(value).split("\n"))


def _watchdog_s(environment: MutableMapping[str, str]) -> float:
    """Seconds, 0 when nobody waits for us: "$WATCHDOG_PID ... if set, must be our PID"."""
    pid = environment.get(_WATCHDOG_PID, "")
    if pid and pid != str(os.getpid()):
        return 0.0
    usec = environment.get(_WATCHDOG, "")
    return int(usec) / 1e6 if usec.isascii() and usec.isdecimal() else 0.0
