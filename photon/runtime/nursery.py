"""Nurseries: a block that starts functions beside it, and does not end before they do.

    with nursery() as n:
        user, cart = n.spawn(load_user), n.spawn(load_cart)
    return user.result, cart.result

Nothing that was started in it goes on behind anybody's back, and no error of it is lost: if a child
or the block itself fails the others are cancelled where they wait, and when all are over the
failures come as one ExceptionGroup. A cancel from outside goes to all children first, and on when
they are over.

Prior art: trio's nurseries; "Notes on structured concurrency" by Nathaniel J. Smith.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from photon.runtime.blocks import for_with
from photon.runtime.cancel import CancelScope
from photon.runtime.errors import Cancelled, WrongThread
from photon.runtime.handle import Handle, start
from photon.runtime.hub import Hub, current_hub, getcurrent

P = ParamSpec("P")
T = TypeVar("T")


@for_with("n")
def nursery() -> Nursery:
    """A block whose children end before it does. Use it in a `with`."""
    return Nursery()


class Nursery:
    """An open block of children; made by `nursery`.

    Attributes: cancel_scope: that of the block, its children included.
    """

    __slots__ = ("_children", "_failures", "_hub", "_is_over", "_waiter", "cancel_scope")

    def __init__(self) -> None:
        self.cancel_scope = CancelScope()
        self._hub: Hub = current_hub()
        self._children: set[Handle[Any]] = set()
        self._failures: list[BaseException] = []
        self._waiter: Any = None
        self._is_over = False

    def spawn(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Handle[T]:
        """Run `fn(*args, **kwargs)` in a greenlet of its own, from the next time the caller waits.

        It sees the caller's context variables as they are now. Children may spawn siblings.

        Returns: its handle; in a nursery that was cancelled already, one that is cancelled too.
        Raises: RuntimeError, when the block is over; WrongThread.
        """
        scope = self.cancel_scope
        if not self._hub.is_here:
            raise WrongThread(f"{self!r} is of another thread, which alone can start its children")
        if self._is_over or scope.greenlet is None:
            when = "is over" if self._is_over else "was not entered: write `with nursery() as n:`"
            raise RuntimeError(f"{self!r} {when}, so it starts nothing")
        handle = start(self._hub, self, fn, args, kwargs, scope)
        self._children.add(handle)
        if scope.cancel_called:
            handle.cancel("its nursery was cancelled before it began")
        else:
            self._hub.carriers.submit(handle)
        return handle

    def cancel(self, reason: str = "") -> None:
        """Cancel the block and all its children, where they wait."""
        scope = self.cancel_scope
        if not scope.cancel_called:
            scope.cancel(reason)
            self._cancel_children(reason)

    def on_ended(self, handle: Handle[Any]) -> None:
        """A child is over. Called by its handle."""
        self._children.discard(handle)
        if handle.state == "failed":
            assert handle.error is not None
            self._failures.append(handle.error)
            self.cancel(f"{handle.name} failed")
        if not self._children and self._waiter is not None:
            self._hub.run_soon(self._wake)

    def __enter__(self) -> Nursery:
        self.cancel_scope.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        outside: Cancelled | GeneratorExit | None = None
        if error is not None:
            outside = self._take(error)
            self.cancel("the block of its nursery failed" if outside is None else _why(outside))
        while self._children:
            try:
                self._wait_for_children()
            except BaseException as told:
                outside = self._take(told) or outside
                self.cancel(str(told))
        self._is_over = True
        self.cancel_scope._leave()
        return self._conclude(error, outside)

    def _take(self, error: BaseException) -> Cancelled | GeneratorExit | None:
        """Note what ended the block, or the waiting.   Returns: a cancel that goes further out."""
        if isinstance(error, GeneratorExit):
            return error  # the block has a yield, and its reader has seen enough: nothing failed
        if isinstance(error, BaseExceptionGroup):  # of a nursery within this one
            rest = self.cancel_scope._without_ours(error)
            if rest is not None:
                self._failures.append(rest)
        elif not isinstance(error, Cancelled):
            self._failures.append(error)
        elif error.scope is not self.cancel_scope:
            return error
        else:
            self.cancel_scope.cancelled_caught = True
        return None

    def _conclude(
        self, error: BaseException | None, outside: Cancelled | GeneratorExit | None
    ) -> bool:
        """Raises: the failures; else the cancel from outside, if it does not pass by itself."""
        failures, self._failures = self._failures, []
        try:
            if failures:
                if isinstance(outside, Cancelled):
                    failures.append(outside)
                # from None: the block's own error is one of them.
                raise BaseExceptionGroup(_told(failures), failures) from None
            if outside is not None and outside is not error:
                raise outside
            return outside is None
        finally:
            # Their tracebacks lead to this frame.
            del failures, outside, error

    def _cancel_children(self, reason: str) -> None:
        for handle in list(self._children):
            handle.cancel(reason)

    def _wait_for_children(self) -> None:
        self._waiter = getcurrent()
        try:
            while self._children:
                self._hub.park()
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._children:
            self._waiter.switch()

    def statistics(self) -> dict[str, int]:
        """Counts: `children` that are pending or running, `failures` so far."""
        return {"children": len(self._children), "failures": len(self._failures)}

    def __repr__(self) -> str:
        state = "over" if self._is_over else f"{len(self._children)} children"
        return f"<Nursery {state}{', cancelled' if self.cancel_scope.cancel_called else ''}>"


def _why(outside: Cancelled | GeneratorExit) -> str:
    return str(outside) or "the generator with its nursery was closed"


def _told(failures: list[BaseException]) -> str:
    names = ", ".join(type(failure).__name__ for failure in failures[:3])
    return f"a nursery failed: {names}{', ...' if len(failures) > 3 else ''}"
