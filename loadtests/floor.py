"""The bare server of Photon's shape: what this design could reach if a framework cost nothing.

A libev loop, one read watcher per connection, a pooled greenlet that is switched into when bytes
arrive, one regular expression for the request head, a JSON body encoded per request, one send.
No Date, no objects, no context, no routing: what Photon adds to that is its own price, and its
goal is to keep at least 0.75 of the figure that stands here. So nothing in here is slow on purpose.

    python -m loadtests.floor --port 0

It answers every GET with the JSON message, `/wait<n>` after a wait of n milliseconds, and a POST
with the item it was sent. It is a yardstick, not a server: it believes its clients.
"""

import argparse
import re
import socket
from _socket import socket as RawSocket
from itertools import count
from typing import Any

import msgspec
from gevent.hub import get_hub
from greenlet import getcurrent, greenlet

# The whole head, its header lines included: the work a server cannot do without.
HEAD = re.compile(
    rb"(?:GET|HEAD|(POST)|PUT|DELETE|OPTIONS|PATCH) /(?:wait([0-9]+))?[!-~]* HTTP/1\.1\r\n"
    rb"((?:[!#-'*+.0-9A-Z^-z|~-]+:[^\r\n\0]*\r\n)*)\r\n"
)
LENGTH = re.compile(rb"(?i)(?:^|\n)content-length:[ \t]*([0-9]+)")
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

# PERF: CPython allocates what recv() may return and shrinks it; 4 KiB stay in its own allocator's
# reach, 64 KiB cost a malloc and a realloc each time.
RECV_BYTES = 4096
MAX_HEAD_BYTES = 32 * 1024
READ = 1  # libev's EV_READ
WRITE = 2  # libev's EV_WRITE


class ItemIn(msgspec.Struct):
    name: str
    price: float


class Item(ItemIn):
    id: int


encode = msgspec.json.Encoder().encode
decode_item = msgspec.json.Decoder(ItemIn).decode
ids = count(1)

hub = get_hub()
# PERF: greenlet's own switch; the hub's also looks for switch-out hooks, and carries no value.
hub_switch = greenlet.switch.__get__(hub)


# The connection and its carrier...


class Connection:
    """A socket and its read watcher: all that an idle connection holds."""

    __slots__ = ("listening", "parked", "recv", "rest", "send", "sock", "watcher")

    def __init__(self, sock: RawSocket) -> None:
        self.sock = sock
        self.recv = sock.recv
        self.send = sock.send
        self.rest = b""
        self.parked = False
        self.listening = True
        self.watcher = hub.loop.io(sock.fileno(), READ)
        self.watcher.start(self.on_readable)

    def on_readable(self) -> None:
        """In the hub: lend the connection a carrier, unless one is still at work on it."""
        if self.parked:
            # PERF: only now, not when the carrier parked: most clients send nothing before their
            # answer has come, and a stop and a start are two epoll_ctl.
            self.watcher.stop()
            self.listening = False
            return
        carrier = idle_carriers.pop() if idle_carriers else greenlet(carry, hub)
        if carrier.switch(self) is not DONE:
            self.parked = True

    def resume(self) -> None:
        """The carrier that was parked is through: what came meanwhile is its next turn."""
        self.parked = False
        if not self.listening:
            self.listening = True
            self.watcher.start(self.on_readable)

    def close(self) -> None:
        self.parked = False
        self.watcher.stop()
        self.watcher.close()
        self.sock.close()


# What a carrier hands to the hub when its job is over, and when it only waits.
DONE = object()
PARKED = object()
idle_carriers: list[greenlet] = []


def carry(connection: Connection) -> None:
    """The life of a carrier: one job after another, asleep in the idle list between them."""
    this = getcurrent()
    while True:
        try:
            serve(connection)
        except (OSError, msgspec.MsgspecError):
            connection.close()
        if connection.parked:
            connection.resume()
        idle_carriers.append(this)
        connection = hub_switch(DONE)


# One turn: bytes in, answers out...


def serve(connection: Connection) -> None:
    """Answer every complete request that has arrived; keep the rest for the next turn."""
    try:
        data = connection.recv(RECV_BYTES)
    except BlockingIOError:
        return
    if not data:
        connection.close()
        return
    if connection.rest:
        data = connection.rest + data
        connection.rest = b""
    head = HEAD.match(data)
    if head is not None and head.end() == len(data) and head[1] is None:  # the common case
        if head[2] is not None:
            sleep(int(head[2]) / 1000)
        body = encode({"message": "Hello, World!"})
        send(connection, RESPONSE % (len(body), body))
        return
    serve_others(connection, data)


def serve_others(connection: Connection, data: bytes) -> None:
    """The same for pipelined requests, requests with a body, and heads that came in part."""
    answers: list[bytes] = []
    start = 0
    while start < len(data):
        head = HEAD.match(data, start)
        if head is None:
            if b"\r\n\r\n" in data[start:] or len(data) - start > MAX_HEAD_BYTES:
                send(connection, b"".join([*answers, BAD_REQUEST]))
                connection.close()
                return
            break
        length = LENGTH.search(head[3])
        end = head.end() + (int(length[1]) if length else 0)
        if end > len(data):
            break
        answers.append(answer(head, data[head.end() : end]))
        start = end
    connection.rest = data[start:]
    if answers:
        send(connection, b"".join(answers))


def answer(head: re.Match[bytes], content: bytes) -> bytes:
    if head[2] is not None:
        sleep(int(head[2]) / 1000)
    if head[1] is None:
        body = encode({"message": "Hello, World!"})
    else:
        item = decode_item(content)
        body = encode(Item(item.name, item.price, next(ids)))
    return RESPONSE % (len(body), body)


def send(connection: Connection, data: bytes) -> None:
    """One send in the common case; a slow client parks this carrier only."""
    try:
        sent = connection.send(data)
    except BlockingIOError:
        sent = 0
    while sent < len(data):
        data = data[sent:]
        park_until(hub.loop.io(connection.sock.fileno(), WRITE))
        sent = connection.send(data)


# Waiting...


def sleep(seconds: float) -> None:
    park_until(hub.loop.timer(seconds))


def park_until(watcher: Any) -> None:
    watcher.start(getcurrent().switch)
    hub_switch(PARKED)
    watcher.close()


# The door...


def listen(host: str, port: int) -> RawSocket:
    listener = RawSocket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(4096)
    listener.setblocking(False)
    return listener


def accept(listener: RawSocket) -> None:
    """In the hub: take every connection that waits at the door."""
    while True:
        try:
            fd, _ = listener._accept()  # type: ignore[attr-defined]  # what socket.accept calls
        except BlockingIOError:
            return
        sock = RawSocket(socket.AF_INET, socket.SOCK_STREAM, 0, fd)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Connection(sock)


def main() -> None:
    parser = argparse.ArgumentParser(description="The bare server of Photon's shape.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    options = parser.parse_args()
    listener = listen(options.host, options.port)
    door = hub.loop.io(listener.fileno(), READ)
    door.start(accept, listener)
    print("http://{}:{}".format(*listener.getsockname()), flush=True)
    try:
        hub.switch()  # the main greenlet has nothing more to do
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
