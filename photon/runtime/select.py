"""`select`: wait for several things, and do exactly one of them.

    which, value = select(orders, results.sending(result), stop)
    if which is orders: ...                     a Receiver: value is what was received
    elif which is results: ...                  a Sender: value, the result, was sent
    else: ...                                   an Event: it is set; a Handle: it is over

What is ready is done at once; of several that are, one is chosen by chance, so that a busy channel
cannot starve a quiet one. If nothing is, the greenlet stands in line for all of them, and the
first that can be done leaves the other lines untouched: nothing of theirs is received or sent.

Prior art: Go's select statement (spec, "Select statements"), with `which` for its cases.
"""

from __future__ import annotations

from random import Random
from typing import Any, Protocol, TypeVar, overload

from photon.runtime.errors import WaitTimedOut
from photon.runtime.parking import Wait

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
T_co = TypeVar("T_co", covariant=True)

_chance = Random()


class Operation(Protocol[T_co]):
    """What `select` can do: a Receiver, `sender.sending(item)`, an Event, a Handle."""

    @property
    def _which(self) -> object:
        """What `select` says it did."""
        ...

    def _is_ready(self) -> bool:
        """Whether `_complete` need not wait."""
        ...

    def _complete(self) -> T_co:
        """Do it."""
        ...

    def _join(self, wait: Wait) -> None:
        """Stand in line for it: the place's owner is `_which`, and its item the value."""
        ...


class _Nothing:
    def __repr__(self) -> str:
        return "..."


_NOTHING: Any = _Nothing()


@overload
def select(
    first: Operation[A], second: Operation[B], /, *, timeout: float | None = ..., default: D = ...
) -> tuple[object, A | B | D]: ...
@overload
def select(
    first: Operation[A],
    second: Operation[B],
    third: Operation[C],
    /,
    *,
    timeout: float | None = ...,
    default: D = ...,
) -> tuple[object, A | B | C | D]: ...
@overload
def select(
    *operations: Operation[A], timeout: float | None = ..., default: D = ...
) -> tuple[object, A | D]: ...
def select(
    *operations: Operation[Any], timeout: float | None = None, default: Any = _NOTHING
) -> tuple[object, Any]:
    """Wait until one of `operations` can be done, and do that one.

    Args:
        operations: receivers, `sender.sending(item)`, events, handles of what was spawned.
        timeout: seconds; when they are over nothing was done.
        default: given back, as `(None, default)`, when nothing was done; without a timeout it
            never waits then, and may be called in the hub.
    Returns: which it was (the Receiver, the Sender, the Event, the Handle), and the value: what was
        received, what was sent, True, True. What became of a Handle its `result` says.
    Raises: WaitTimedOut, without a default; what the operation raises: EndOfChannel,
        ClosedChannel, BrokenChannel, whose `end` says which it was.
    """
    if not operations:
        raise TypeError(
            "select() has nothing to wait for: give receivers, sendings, events or handles"
        )
    ready = [operation for operation in operations if _ask(operation)]
    if ready:
        chosen = ready[0] if len(ready) == 1 else _chance.choice(ready)
        return chosen._which, chosen._complete()
    if timeout is None and default is not _NOTHING:
        return None, default
    wait = Wait(operations)
    for operation in operations:
        operation._join(wait)
    try:
        place = wait.park(timeout)
    except WaitTimedOut:
        if default is _NOTHING:
            raise
        return None, default
    return place.owner, place.item


def _ask(operation: Operation[Any]) -> bool:
    if not hasattr(operation, "_join"):
        raise TypeError(
            f"select() cannot wait for {operation!r}; it takes receivers, sender.sending(item),"
            " events, such as ws.closed, and handles, such as spawn(fn) gives"
        )
    return operation._is_ready()
