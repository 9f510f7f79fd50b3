"""What a greenlet waits for, told by the functions that it stands in.

Nothing is written down when a greenlet waits, which would cost every wait. Its frames say it: a
table of functions that wait, ours, gevent's and those of well-known libraries, with a sentence for
each, made of their local variables. Of several the outermost below the user's own code counts:
not "bytes from 127.0.0.1:5432" but "the database (psycopg)".

Rooms above add what is theirs: `WAITS["server/connection.py", "wait"] = ...`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from types import FrameType
from typing import Any, NamedTuple

from photon.runtime.channel import Receiver, Sender, Sending
from photon.runtime.clock import now
from photon.runtime.debug.frames import file_of, source_line
from photon.runtime.handle import Handle
from photon.runtime.permits import CapacityLimiter, Semaphore
from photon.runtime.sync import Event, Lock

_MOST_NAMES = 5
_LONGEST = 100


class Waiting(NamedTuple):
    """What is waited for.

    Attributes: what: such as "a lock"; on: the greenlets that could end it, if they are known.
    """

    what: str
    on: tuple[Any, ...] = ()


Locals = Mapping[str, Any]
Tell = Callable[[Locals], "Waiting | str"]

NOTHING = Waiting("")


def waiting_for(frame: FrameType | None) -> Waiting:
    """What a greenlet waits for, by its innermost frame."""
    found = NOTHING
    library = ""
    inner = frame
    while frame is not None:
        code = frame.f_code
        _, end, is_users = file_of(code)
        if is_users:
            break
        tell = WAITS.get((end, code.co_name))
        if tell is not None:
            told = _told(tell, frame)
            if told.what:
                found = told
        elif "-packages" in code.co_filename:
            library = _library_of(code.co_filename) or library
        frame = frame.f_back
    if library and library not in found.what:
        peer = f"; {found.what}" if found.what else ""
        return Waiting(f"{library}{peer}", found.on)
    if found.what or inner is None:
        return found
    # Nobody knows it: C code of gevent's, maybe; the line that called it says more than we could.
    source = source_line(inner)
    return Waiting(f"`{source[:_LONGEST]}`" if source else "something")


def _told(tell: Tell, frame: FrameType) -> Waiting:
    try:
        told = tell(frame.f_locals)
    except Exception:  # another version of a library, or a thing amid its end
        return NOTHING
    return Waiting(told) if isinstance(told, str) else told


# Ours...


def _of_wait(local: Locals) -> Waiting:
    """`parking.Wait.park`: all that stands in a line."""
    wait, deadline = local["self"], local.get("deadline")
    told = [_of_thing(place.owner) for place in list(wait.places)]
    if not told:
        return Waiting("its turn: what it waited for is there")
    what = told[0].what
    if len(told) > 1:
        what = f"the first of {_listed(each.what for each in told)}"
    # Who waits for several things is held up by none of them alone.
    on = told[0].on if len(told) == 1 else ()
    left = "" if deadline is None else f", {max(0.0, deadline.when - now()):.1f} s left"
    return Waiting(f"{what}{left}", on)


def _of_thing(owner: Any) -> Waiting:
    if isinstance(owner, Lock):
        holder = owner._owner
        if holder is None:
            return Waiting("a lock")
        if owner._owner_is_gone():
            return Waiting("a lock that a job left behind which is over: nobody will release it")
        return Waiting("a lock", (holder,))
    if isinstance(owner, Event):
        return Waiting("an event to be set")
    if isinstance(owner, Semaphore):
        return Waiting(f"a permit of a semaphore ({len(owner._line)} wait)")
    if isinstance(owner, CapacityLimiter):
        borrowed = f"{owner.borrowed} of {owner.total} are borrowed, {len(owner._line)} wait"
        return Waiting(f"a permit of a limiter ({borrowed})", _borrowers(owner))
    if isinstance(owner, Receiver):
        return Waiting(f"an item of a channel ({owner._channel.open_senders} senders)")
    if isinstance(owner, (Sender, Sending)):
        channel = owner._which._channel if isinstance(owner, Sending) else owner._channel
        return Waiting(
            f"room in a channel ({channel}; {channel.open_receivers} receivers)",
        )
    if isinstance(owner, Handle):
        carrier = owner._carrier
        return Waiting(f"the end of {owner.name}", () if carrier is None else (carrier,))
    return Waiting(type(owner).__name__)


def _borrowers(limiter: CapacityLimiter) -> tuple[Any, ...]:
    # One permit alone is a lock, and may be part of a circle.
    if limiter.total != 1:
        return ()
    return tuple(each[0] for each in limiter._borrowers if isinstance(each, tuple))


def _of_sleep(local: Locals) -> str:
    due = getattr(local.get("timer"), "at", None)
    left = "" if due is None else f", {max(0.0, due - monotonic()):.1f} s left"
    return f"the end of its sleep of {local['seconds']:g} s{left}"


def _of_nursery(local: Locals) -> Waiting:
    children = list(local["self"]._children)
    names = _listed(child.name for child in children)
    on = tuple(child._carrier for child in children if child._carrier is not None)
    return Waiting(f"its children: {names}", on)


def _of_region(local: Locals) -> str:
    region = local["self"]
    return f"room in a region that is full ({len(region._alive)} of {region._limit} spawned)"


def _of_offload(local: Locals) -> str:
    fn = local["fn"]
    return f"a native thread that runs {getattr(fn, '__qualname__', type(fn).__name__)}"


def _of_reader(local: Locals) -> str:
    return f"bytes from {local['self'].peer or 'its peer'}"


def _of_writer(local: Locals) -> str:
    return f"{local['self'].peer or 'its peer'} to take bytes"


# gevent's, and those of the standard library upon it...


def _of_socket(text: str) -> Tell:
    def tell(local: Locals) -> str:
        return text.format(_peer_of(local["self"]))

    return tell


def _peer_of(socket: Any) -> str:
    try:
        name = socket.getpeername()
    except OSError:
        return "its peer"
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name) or "its peer"


def _of_connect(local: Locals) -> str:
    address = local["address"]
    text = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)
    return f"a connection to {text}"


def _of_lookup(local: Locals) -> str:
    return f"the address of {local.get('host') or local.get('hostname')} (DNS)"


def _of_process(local: Locals) -> str:
    process = local["self"]
    # Not its arguments, which may hold passwords.
    arguments = process.args
    first = arguments if isinstance(arguments, (str, bytes)) else arguments[0]
    name = str(first).split(" ")[0].rsplit("/", 1)[-1]
    return f"the process {process.pid} ({name})"


def _of_thread(local: Locals) -> str:
    return f"the end of the thread {local['self'].name}"


# Libraries...


def _of_query(local: Locals) -> str:
    query = local.get("query")
    return f"the database (psycopg): {_without_values(query)}"


def _without_values(query: object) -> str:
    """A query as one knows it again, without what may be a secret."""
    text = query.decode("utf-8", "replace") if isinstance(query, bytes) else str(query)
    text = re.sub(r"'(?:[^']|'')*'|\b\d+\b", "?", " ".join(text[:2000].split()))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


_LIBRARIES = {
    "psycopg": "the database (psycopg)",
    "psycopg_pool": "a connection of the pool (psycopg_pool)",
    "psycopg2": "the database (psycopg2)",
    "pymysql": "the database (pymysql)",
    "MySQLdb": "the database (MySQLdb)",
    "pymongo": "the database (pymongo)",
    "redis": "Redis",
    "urllib3": "an HTTP response (urllib3)",
    "requests": "an HTTP response (requests)",
    "httpx": "an HTTP response (httpx)",
    "httpcore": "an HTTP response (httpcore)",
    "botocore": "AWS (botocore)",
    "grpc": "a gRPC response",
    "pika": "RabbitMQ (pika)",
    "kafka": "Kafka",
    "sqlalchemy": "the database (sqlalchemy)",
}

# By path, as `file_of` is: a code's file is the same string each time.
_library: dict[str, str] = {}


def _library_of(path: str) -> str:
    known = _library.get(path)
    if known is None:
        rest = path.replace("\\", "/").rpartition("-packages/")[2]
        top = rest.partition("/")[0].removesuffix(".py")
        if len(_library) > 10_000:
            _library.clear()
        known = _library[path] = _LIBRARIES.get(top, "")
    return known


def _listed(names: Iterable[str]) -> str:
    all_names = list(names)
    told = ", ".join(all_names[:_MOST_NAMES])
    more = len(all_names) - _MOST_NAMES
    return f"{told} and {more} more" if more > 0 else told


WAITS: dict[tuple[str, str], Tell] = {
    ("runtime/parking.py", "park"): _of_wait,
    ("runtime/greenlets.py", "sleep"): _of_sleep,
    ("runtime/greenlets.py", "sleep_forever"): lambda local: "nothing: it sleeps for ever",
    ("runtime/greenlets.py", "checkpoint"): lambda local: "its turn, at a checkpoint",
    ("runtime/nursery.py", "_wait_for_children"): _of_nursery,
    ("runtime/region.py", "_wait_for_room"): _of_region,
    ("runtime/offload.py", "offload"): _of_offload,
    ("net/stream.py", "wait_readable"): _of_reader,
    ("net/stream.py", "wait_writable"): _of_writer,
    ("runtime/crew.py", "take"): lambda local: "the next result of map_concurrent",
    ("runtime/crew.py", "_wait_until_over"): lambda local: "the calls of map_concurrent to end",
    ("runtime/crew.py", "_feed"): lambda local: "room for the next call of map_concurrent",
    ("runtime/relay.py", "_wait_for_item"): lambda local: "the next item of its generator",
    ("runtime/relay.py", "_wait_to_be_asked"): lambda local: "somebody to ask for the next item",
    ("gevent/_socket3.py", "recv"): _of_socket("bytes from {}"),
    ("gevent/_socket3.py", "recv_into"): _of_socket("bytes from {}"),
    ("gevent/_socket3.py", "recvfrom"): _of_socket("bytes from {}"),
    ("gevent/_socket3.py", "recvfrom_into"): _of_socket("bytes from {}"),
    ("gevent/_socket3.py", "recvmsg"): _of_socket("bytes from {}"),
    ("gevent/_socketcommon.py", "recv"): _of_socket("bytes from {}"),
    ("gevent/_socketcommon.py", "recv_into"): _of_socket("bytes from {}"),
    ("gevent/_socket3.py", "send"): _of_socket("{} to take bytes"),
    ("gevent/_socketcommon.py", "send"): _of_socket("{} to take bytes"),
    ("gevent/_socketcommon.py", "sendall"): _of_socket("{} to take bytes"),
    ("gevent/_socket3.py", "accept"): lambda local: "a connection to accept",
    ("gevent/_socketcommon.py", "accept"): lambda local: "a connection to accept",
    ("gevent/_socket3.py", "connect"): _of_connect,
    ("gevent/_socketcommon.py", "connect"): _of_connect,
    ("gevent/_socketcommon.py", "connect_ex"): _of_connect,
    ("gevent/ssl.py", "do_handshake"): _of_socket("the TLS handshake with {}"),
    ("gevent/ssl.py", "read"): _of_socket("bytes from {} (TLS)"),
    ("gevent/ssl.py", "send"): _of_socket("{} to take bytes (TLS)"),
    ("gevent/_socketcommon.py", "getaddrinfo"): _of_lookup,
    ("gevent/_socketcommon.py", "gethostbyname"): _of_lookup,
    ("gevent/subprocess.py", "wait"): _of_process,
    ("gevent/subprocess.py", "communicate"): _of_process,
    ("gevent/select.py", "select"): lambda local: "some file descriptors (select)",
    ("gevent/select.py", "poll"): lambda local: "some file descriptors (poll)",
    ("gevent/hub.py", "sleep"): lambda local: f"the end of its sleep of {local['seconds']:g} s",
    ("gevent/threadpool.py", "apply"): lambda local: "a native thread",
}
WAITS |= {
    ("threading.py", "join"): _of_thread,
    ("threading.py", "wait"): lambda local: f"a threading.{type(local['self']).__name__}",
    ("queue.py", "get"): lambda local: "an item of a queue.Queue",
    ("queue.py", "put"): lambda local: "room in a queue.Queue",
    ("queue.py", "join"): lambda local: "the items of a queue.Queue to be done",
    ("http/client.py", "getresponse"): lambda local: f"an HTTP response from {local['self'].host}",
    ("psycopg/cursor.py", "execute"): _of_query,
    ("psycopg/cursor.py", "executemany"): _of_query,
}
