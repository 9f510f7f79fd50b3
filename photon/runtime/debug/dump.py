"""What every greenlet of a process does, and what it waits for.

The hub goes on meanwhile: first all are listed, which is quick, then they are described a few
milliseconds at a time. So what is told of one greenlet is true, of several it is true one after
the other.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any

from gevent import Greenlet, monkey
from gevent.hub import Hub as NativeHub

from photon.runtime.cancel import deadline_of
from photon.runtime.carriers import Carrier
from photon.runtime.clock import now, wall
from photon.runtime.debug.frames import file_of, place_of, stack_of
from photon.runtime.debug.waits import waiting_for
from photon.runtime.debug.who import who_is
from photon.runtime.greenlets import Turn
from photon.runtime.hub import Hub, current_hub, getcurrent, greenlet

_get_ident = monkey.get_original("_thread", "get_ident")

_ENDLESS = float("inf")
_MOST_THREADS = 200
_AT_A_TIME = 5000


def dump(*, stacks: bool = False, most: int | None = None) -> dict[str, Any]:
    """Every greenlet of this thread's hub, and every native thread. It may wait for its turn.

    Args:
        stacks: whether all frames of each are told, too.
        most: describe no more than so many.
    Returns: a dict for JSON:
        "pid", "at" (Unix seconds), "took_ms", "left_out" (how many were not described),
        "greenlets": dicts with "id" (a number in this dump), "kind", "name", "state" ("waiting" or
            "running"), and where it is known "route", "request_id", "age_s", "waits_for",
            "waits_on" (ids), "where", "deadline_left_s", "parent" (id), "spawned_at", "stack";
        "threads": dicts with "name", "where", "stack";
        "circles": lists of ids, each of which waits for the next, and the last for the first.
    """
    hub = current_hub()
    began = now()
    turn = Turn()
    greenlets = _all(hub, turn)
    left_out = 0 if most is None else max(0, len(greenlets) - most)
    if left_out:
        del greenlets[most:]
    numbers = {id(each): number for number, each in enumerate(greenlets, 1)}
    told = []
    for number, each in enumerate(greenlets, 1):
        entry = _entry(number, each, numbers, stacks=stacks)
        if entry is not None:
            told.append(entry)
        turn.give_way()
    return {
        "pid": os.getpid(),
        "at": wall(),
        "greenlets": told,
        "threads": _threads(stacks=stacks),
        "circles": [each for each in circles(told) if _holds(each, greenlets)],
        "left_out": left_out,
        "took_ms": round((now() - began) * 1000, 1),
    }


def _all(hub: Hub, turn: Turn) -> list[Any]:
    """All that run or wait here, but idle carriers and the hub itself. Those of ours come first."""
    idle = set(map(id, hub.carriers.idle))
    found: list[Any] = [each for each in hub.carriers.all if id(each) not in idle]
    main = hub.native.parent
    known = set(map(id, hub.carriers.all))
    found += [
        each
        for each in _foreign(turn)
        if id(each) not in known and each is not main and _is_alive(each, hub)
    ]
    if main is not None:
        found.append(main)
    return found


def _foreign(turn: Turn) -> Iterable[Any]:
    """Greenlets that libraries made: nobody keeps a list of them but the garbage collector.

    What was frozen (`gc.freeze`) it does not list; such a greenlet was there before the server.
    """
    found = []
    for generation in (0, 1, 2):
        objects = gc.get_objects(generation)
        for start in range(0, len(objects), _AT_A_TIME):
            # Not isinstance, which asks a proxy for the class of what it stands for.
            found += [
                each
                for each in objects[start : start + _AT_A_TIME]
                if issubclass(type(each), greenlet)
            ]
            turn.give_way()
        del objects
    return found


def _is_alive(each: Any, hub: Hub) -> bool:
    if isinstance(each, NativeHub) or each.dead or not each:
        return isinstance(each, Greenlet) and not each.dead and not isinstance(each, NativeHub)
    # Those of other threads cannot be looked at from here.
    parent = each.parent
    while parent is not None and parent is not hub.native:
        parent = parent.parent
    return parent is not None


def _entry(
    number: int, each: Any, numbers: dict[int, int], *, stacks: bool
) -> dict[str, Any] | None:
    """What is told of one greenlet; None when it is over by now."""
    is_current = each is getcurrent()
    frame: FrameType | None = sys._getframe(2) if is_current else each.gr_frame
    job = getattr(each, "job", None)
    if each.dead or (job is None and isinstance(each, Carrier)):
        return None
    if each is current_hub().native.parent:
        who: dict[str, Any] = {"kind": "main", "name": "the main greenlet"}
    else:
        who = who_is(each, frame)
    entry = {"id": number, "state": "running" if is_current else "waiting", **who}
    if frame is None and not is_current:
        entry["state"] = "pending"
        return entry
    if not is_current:
        waiting = waiting_for(frame)
        entry["waits_for"] = waiting.what
        on = [numbers[id(one)] for one in waiting.on if id(one) in numbers]
        if on:
            entry["waits_on"] = on
    entry["where"] = place_of(frame)
    due = deadline_of(each)
    if due != _ENDLESS:
        entry["deadline_left_s"] = round(due - now(), 3)
    parent = getattr(job, "parent", None)
    if parent is not None and id(parent.greenlet) in numbers:
        entry["parent"] = numbers[id(parent.greenlet)]
    if stacks:
        entry["stack"] = stack_of(frame)
    return entry


# Native threads...


def _threads(*, stacks: bool) -> list[dict[str, Any]]:
    me = _get_ident()
    told = []
    for ident, frame in list(sys._current_frames().items())[:_MOST_THREADS]:
        if ident == me:
            continue
        entry: dict[str, Any] = {"name": _name_of(frame), "where": place_of(frame)}
        if stacks:
            entry["stack"] = stack_of(frame)
        told.append(entry)
    return told


# By the outermost function of ours or gevent's that a thread is in.
_THREADS = {
    ("debug/pulse.py", "_watch"): "pulse: watches the hub",
    ("gevent/threadpool.py", "__run_task"): "pool: works",
    ("runtime/offload.py", "_attempt"): "pool: runs what was offloaded",
}


def _name_of(frame: FrameType) -> str:
    name = "a native thread"
    each: FrameType | None = frame
    while each is not None:
        _, end, _ = file_of(each.f_code)
        known = _THREADS.get((end, each.f_code.co_name))
        if known is not None:
            return known
        if end == "gevent/threadpool.py":
            name = "pool: idle"
        each = each.f_back
    return name


# Who waits for each other...


def _holds(circle: list[int], greenlets: list[Any]) -> bool:
    """Whether all in a circle wait for each other now: they were described one after the other."""
    for number, following in zip(circle, [*circle[1:], circle[0]], strict=True):
        frame = greenlets[number - 1].gr_frame
        if not any(one is greenlets[following - 1] for one in waiting_for(frame).on):
            return False
    return True


def circles(entries: list[dict[str, Any]]) -> list[list[int]]:
    """Greenlets that wait for each other in a circle, which none of them will ever leave.

    Those that wait for all of several (the children of a nursery), or for one. Of greenlets that
    only wait for some in a circle nothing is told.
    """
    on = {entry["id"]: entry.get("waits_on", []) for entry in entries}
    state: dict[int, int] = {}  # 1: on the path that is walked; 2: done
    found: list[list[int]] = []
    for first in on:
        if first in state:
            continue
        # Without recursion: a chain may be as long as there are greenlets.
        path: list[int] = []
        walk = [(first, iter(on[first]))]
        state[first] = 1
        path.append(first)
        while walk:
            node, rest = walk[-1]
            following = next((each for each in rest if each in on), None)
            if following is None:
                walk.pop()
                path.pop()
                state[node] = 2
            elif state.get(following) == 1:
                found.append(path[path.index(following) :])
            elif following not in state:
                state[following] = 1
                path.append(following)
                walk.append((following, iter(on[following])))
    return found
