"""What the bench of several workers asks for.

`/` a little JSON, `/once` an answer that ends its connection, `/cpu` a fixed amount of work
(WORKERS_ROUNDS, which the bench makes half a millisecond). `/block` and `/grip` stand their hub
still: in a C call that releases the GIL, for WORKERS_BLOCK_S, and in one that holds it, for a time
that doubles with each letter.
"""

import os
import re

from gevent import monkey

from photon import Photon, Response

BLOCK_S = float(os.environ.get("WORKERS_BLOCK_S", "5"))
ROUNDS = int(os.environ.get("WORKERS_ROUNDS", "10000"))

# The original, as a C extension would call it.
block = monkey.get_original("time", "sleep")

# A pattern that looks at each of the 2**n ways to read n letters, and finds that none will do.
_HOPELESS = re.compile(r"(a+)+$")

app = Photon()


def work(rounds: int) -> None:
    for _ in range(rounds):
        pass


def hopeless(letters: int) -> None:
    _HOPELESS.match("a" * letters + "b")


@app.get("/")
def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/once")
def once() -> Response:
    return Response("hello", headers={"Connection": "close"})


@app.get("/cpu")
def compute() -> dict[str, int]:
    work(ROUNDS)
    return {"rounds": ROUNDS}


@app.get("/block")
def blocked() -> str:
    block(BLOCK_S)
    return "done"


@app.get("/grip/{letters}")
def gripped(letters: int) -> str:
    hopeless(letters)
    return "done"
