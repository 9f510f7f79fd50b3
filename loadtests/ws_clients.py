"""WebSocket clients that cost little: the frames are made beforehand, the answers only compared.

    python -m loadtests.ws_clients 8000 22 1 5      port, connections, seconds before, seconds

Opens its connections, prints `ready`, waits for a line, and then has one message of 32 bytes under
way on each connection until the time is over. Prints one line of JSON: how many echoes came after
the seconds that do not count, within how many seconds, how often each waiting time (in tens of
microseconds) was seen, and what went wrong. A message costs it an epoll, a recv and a send, most
of them in the kernel; `loadtests/apps/canned_echo.py` shows what it could reach.
"""

import base64
import hashlib
import json
import os
import random
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

HOST = "127.0.0.1"
PATH = "/echo"
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
TEXT = b"0123456789abcdefghijklmnopqrstuv"
ECHO = b"\x81" + bytes([len(TEXT)]) + TEXT
TIMEOUT_S = 10
MASKS = 64
BUCKET_S = 1e-5


class WrongEcho(Exception):
    """The other side does not speak WebSocket, or says something else than it was told."""


# One connection...


def connect(port: int, source: str | None = None) -> socket.socket:
    """An open WebSocket, after its handshake.   Raises: WrongEcho, OSError."""
    sock = socket.create_connection((HOST, port), TIMEOUT_S, (source, 0) if source else None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        key = base64.b64encode(os.urandom(16))
        sock.sendall(
            b"GET %b HTTP/1.1\r\nHost: %b:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: %b\r\nSec-WebSocket-Version: 13\r\n\r\n"
            % (PATH.encode(), HOST.encode(), port, key)
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            data = sock.recv(4096)
            if not data:
                raise WrongEcho(f"the handshake was not answered: {head[:200]!r}")
            head += data
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        if not head.startswith(b"HTTP/1.1 101 ") or accept not in head:
            raise WrongEcho(f"the handshake was refused: {head[:300]!r}")
    except BaseException:
        sock.close()
        raise
    return sock


def masked(text: bytes, mask: bytes) -> bytes:
    """A whole text message of at most 125 bytes, as a client sends it (RFC 6455 §5.2)."""
    payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(text))
    return bytes([0x81, 0x80 | len(text)]) + mask + payload


def echo_once(sock: socket.socket) -> None:
    """Raises: WrongEcho, OSError."""
    sock.sendall(masked(TEXT, os.urandom(4)))
    answer = b""
    while len(answer) < len(ECHO):
        data = sock.recv(4096)
        if not data:
            break
        answer += data
    if answer != ECHO:
        raise WrongEcho(f"an echo was expected: {answer[:200]!r}")


# Many...


def ask(sockets: Sequence[socket.socket], before_s: float, seconds: float) -> dict[str, Any]:
    """One message at a time on each connection.   Returns: what is printed."""
    frames = [masked(TEXT, random.randbytes(4)) for _ in range(MASKS)]
    poller = select.epoll()
    # PERF: lists by file descriptor, and bound methods: a look-up is an index.
    size = max(sock.fileno() for sock in sockets) + 1
    recv: list[Any] = [None] * size
    send: list[Any] = [None] * size
    sent_at = [0.0] * size
    answered = [False] * size
    parts: dict[int, bytes] = {}
    errors: Counter[str] = Counter()
    for sock in sockets:
        fd = sock.fileno()
        sock.setblocking(False)
        recv[fd], send[fd] = sock.recv, sock.send
        poller.register(fd, select.EPOLLIN)
    waits: list[float] = []
    note, now_is, poll = waits.append, time.perf_counter, poller.poll
    begin = now_is() + before_s
    end = begin + seconds
    for sock in sockets:
        sent_at[sock.fileno()] = now_is()
        sock.send(frames[0])
    number = 0
    now = now_is()
    while now < end:
        for fd, _ in poll(0.1):
            try:
                data = recv[fd](4096)
            except OSError:
                data = b""
            if data != ECHO:
                data = parts[fd] = parts.get(fd, b"") + data if data else b""
                if not data or not ECHO.startswith(data):
                    poller.unregister(fd)
                    errors["wrong echoes" if data else "connections closed by the server"] += 1
                    continue
                if data != ECHO:
                    continue
                parts[fd] = b""
            now = now_is()
            if now >= begin:
                note(now - sent_at[fd])
                answered[fd] = True
            sent_at[fd] = now
            number += 1
            send[fd](frames[number % MASKS])
        now = now_is()
    silent = sum(not answered[sock.fileno()] for sock in sockets)
    if silent:
        errors["connections without an echo"] = silent
    return {
        "echoes": len(waits),
        "seconds": now - begin,
        "waits": dict(Counter(int(wait / BUCKET_S) for wait in waits)),
        "errors": dict(errors),
    }


def main(arguments: Sequence[str]) -> int:
    port, connections, before_s, seconds = map(int, arguments)
    sockets = [connect(port) for _ in range(connections)]
    for sock in sockets:
        echo_once(sock)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(ask(sockets, before_s, seconds)))
    for sock in sockets:
        sock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
