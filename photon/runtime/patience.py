"""Waiting for an orderly end, which an impatient operator may cut short."""

from __future__ import annotations

from types import TracebackType

from photon.runtime.cancel import CancelScope
from photon.runtime.clock import now
from photon.runtime.hub import current_hub

# What is about to end when time stands still ends within so many turns.
_CHECKPOINTS = 20


# Its name is in lower case, for it is called as `with patience(5.0):`, like fail_after.
class patience(CancelScope):
    """A block that waits for others to end, at most so long, or until `hurry`.

    Args:
        seconds: its budget.
        for_cleanup: whether those that it waits for were told to end already. They get their time
            for that also when others were hurried before.
    """

    __slots__ = ("_for_cleanup",)

    def __init__(self, seconds: float, *, for_cleanup: bool = False) -> None:
        super().__init__(deadline=now() + seconds)
        self._for_cleanup = for_cleanup

    def __enter__(self) -> patience:
        hub = current_hub()
        if hub.timers is not hub.loop:  # a test's clock, which nobody moves while they wait here
            from photon.runtime.greenlets import checkpoint  # which imports what imports this

            for _ in range(_CHECKPOINTS):
                checkpoint()
            self.deadline = now()
        if hub.is_hurried and not self._for_cleanup:
            self.cancel("hurried")
        super().__enter__()
        hub.waiting_for_end.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        current_hub().waiting_for_end.discard(self)
        return super().__exit__(kind, error, traceback)


def hurry() -> None:
    """Cut short every `patience` of this thread's hub, as a second signal does.

    Those that follow, too, but for cleanup: an application ends in several steps, and who is in a
    hurry does not mean the first one alone. Until the next application is opened.
    """
    hub = current_hub()
    hub.is_hurried = True
    for scope in list(hub.waiting_for_end):
        scope.cancel("hurried")
