"""Two clients that run at the same time, each a process of its own, and print one line of JSON.

    python -m loadtests.clients upload http://127.0.0.1:8000/upload 1073741824
    python -m loadtests.clients ask http://127.0.0.1:8000/json

The first sends a file in a form, made as it goes, and prints when it began and ended. The second
asks every 5 ms until its standard input ends, and prints when and how long. It does so on eight
connections in turn, so that an answer of a few milliseconds holds up no other question; and an
answer counts from the moment its question was due: while a server stands still, everyone who
would have asked meanwhile waits as well. Moments are seconds of `time.perf_counter`, one clock for
all processes.
"""

import http.client
import json
import random
import sys
import threading
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from urllib.parse import urlsplit

PIECE_BYTES = 1 << 20
BOUNDARY = "----photon-7f3b0c5e9a1d4e62"
HEAD = (
    f"--{BOUNDARY}\r\n"
    'Content-Disposition: form-data; name="file"; filename="large.bin"\r\n'
    "Content-Type: application/octet-stream\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()

EVERY_S = 0.005
CONNECTIONS = 8
TIMEOUT_S = 600


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["upload"]:
        print(json.dumps(upload(arguments[1], int(arguments[2]))))
    elif arguments[:1] == ["ask"]:
        print(json.dumps(ask(arguments[1])), flush=True)
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


def upload(url: str, size: int) -> dict[str, float]:
    """Send a file of so many bytes; at no time more than a piece of it is in memory."""
    piece = random.Random(7).randbytes(PIECE_BYTES)
    connection, path = connect(url)
    began = time.perf_counter()
    connection.putrequest("POST", path)
    connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    connection.putheader("Content-Length", str(len(HEAD) + size + len(TAIL)))
    connection.endheaders(HEAD)
    for start in range(0, size, PIECE_BYTES):
        connection.send(memoryview(piece)[: size - start])
    connection.send(TAIL)
    response = connection.getresponse()
    answer = response.read()
    ended = time.perf_counter()
    if response.status != 200 or json.loads(answer) != {"size": size}:
        raise SystemExit(f"POST {path}: {response.status} {answer[:300]!r}")
    return {"began": began, "ended": ended}


class Seen:
    """Answers and errors, as pairs of (when one was due, the milliseconds that it took)."""

    def __init__(self) -> None:
        self.answers: list[tuple[float, float]] = []
        self.errors: list[tuple[float, float]] = []


def ask(url: str) -> dict[str, list[tuple[float, float]]]:
    """Ask until standard input ends."""
    seen = Seen()
    stop = threading.Event()
    began = time.perf_counter()
    threads = [
        threading.Thread(target=ask_on_one, args=(url, began + index * EVERY_S, seen, stop))
        for index in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    return vars(seen)


def ask_on_one(url: str, due: float, seen: Seen, stop: threading.Event) -> None:
    """Ask when it is due, and each time all other connections had their turn."""
    connection, path = connect(url)
    while not stop.wait(max(0.0, due - time.perf_counter())):
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            is_right = b"Hello" in response.read() and response.status == 200
        except (OSError, http.client.HTTPException):
            is_right = False
            connection.close()
        took_ms = (time.perf_counter() - due) * 1000
        (seen.answers if is_right else seen.errors).append((due, took_ms))
        due += EVERY_S * CONNECTIONS


def connect(url: str) -> tuple[HTTPConnection, str]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    return HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S), parts.path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
