"""Many calls of one function, some at a time: `map_concurrent`.

    for page in map_concurrent(fetch, urls, limit=20):
        store(page)

Items are taken from their iterable when there is room for one more call, so it may be endless.
What is given up early is told to end, and waited for: by `close`, at the end of `with`, when the
consumer is cancelled while it waits, and when a `for` loop drops it (`break`). What the garbage
collector finds, or another greenlet drops, is told to end and not waited for. How: see `crew`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TypeVar

from photon.runtime.crew import Crew

S = TypeVar("S")
T = TypeVar("T")


def map_concurrent(
    fn: Callable[[S], T], items: Iterable[S], *, limit: int, ordered: bool = True
) -> Results[T]:
    """What `fn` returns for each item, at most `limit` calls at a time.

    Calls begin when the first result is asked for. At most `limit` items are under way or wait to
    be taken, so a consumer that is slow holds up the calls, and in order a call that is slow holds
    up those behind it.

    The first failure, of a call or of `items`, cancels all other calls at once. It is raised when
    they are over and the results that were there before are taken, and as itself, not in a group:
    a loop that calls `fn` would raise it so, and who wants all failures has `fn` return them. What
    else fails while it is cancelled is told of in its notes.

    Args:
        limit: how many calls at a time.
        ordered: whether results come in the order of their items; else they come as they are made.
    Returns: an iterator of results. Where it is kept in a variable and not used up, close it, or
        use it in a `with`.
    """
    if not callable(fn):
        raise TypeError(f"map_concurrent takes a function first, then the items; not {fn!r}")
    if not isinstance(limit, int) or limit < 1:
        raise ValueError(f"limit is how many calls run at a time, at least 1; not {limit!r}")
    return Results(Crew(fn, iter(items), limit, ordered))


class Results(Iterator[T]):
    """The results of `map_concurrent`, which makes it."""

    # Of its own, and not the crew itself: the crew is known to the feeder and to the calls, so that
    # nobody's dropping it would ever be noticed.
    __slots__ = ("__weakref__", "_crew")

    def __init__(self, crew: Crew[T]) -> None:
        self._crew = crew

    def __next__(self) -> T:
        return self._crew.take()

    def close(self) -> None:
        """Cancel what runs, and wait until it is over. A second call does nothing.

        What has failed, and was not raised yet, is logged.
        """
        self._crew.close()

    def __enter__(self) -> Results[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._crew.close()

    def __del__(self) -> None:
        self._crew.abandon()

    def statistics(self) -> dict[str, int]:
        """Counts: `limit`; `running` calls; results that are `ready` and those `taken`."""
        crew = self._crew
        return {
            "limit": crew.limit,
            "running": crew.running,
            "ready": crew.ready,
            "taken": crew.taken,
        }

    def __repr__(self) -> str:
        return f"<Results of {self._crew}>"
