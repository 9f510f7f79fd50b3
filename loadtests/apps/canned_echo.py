"""No server at all: whatever comes on a connection is answered with one frame that never changes.

It shows how fast the clients of the echo race can ask: a figure near this one is the clients'.

    python -m loadtests.apps.canned_echo --port 0
"""

import argparse
import base64
import hashlib
import re
import select
import socket

from loadtests.ws_clients import ECHO, GUID


def serve(listener: socket.socket) -> None:
    poller = select.epoll()
    poller.register(listener, select.EPOLLIN)
    door = listener.fileno()
    connections: dict[int, socket.socket] = {}
    new: set[int] = set()
    while True:
        for fd, _ in poller.poll():
            if fd == door:
                sock, _ = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[sock.fileno()] = sock
                new.add(sock.fileno())
                poller.register(sock, select.EPOLLIN)
                continue
            sock = connections[fd]
            try:
                data = sock.recv(4096)
            except ConnectionError:
                data = b""
            if not data:
                connections.pop(fd).close()  # and epoll forgets it
                new.discard(fd)
            elif fd in new:
                new.remove(fd)
                sock.send(agreement(data))
            else:
                sock.send(ECHO)


def agreement(head: bytes) -> bytes:
    found = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)
    key = found[1] if found else b""
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    serve(socket.create_server(("127.0.0.1", options.port), backlog=4096))
