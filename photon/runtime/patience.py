"""Waiting for an orderly end, which an impatient operator may cut short."""

from __future__ import annotations

from types import TracebackType

from photon.runtime.cancel import CancelScope
from photon.runtime.clock import now
from photon.runtime.hub import current_hub


class patience(CancelScope):  # it is used as a function is
    """A block that waits for others to end, at most so long, or until `hurry`.

    Args: seconds: its budget.
    """

    __slots__ = ()

    def __init__(self, seconds: float) -> None:
        super().__init__(deadline=now() + seconds)

    def __enter__(self) -> patience:
        super().__enter__()
        current_hub().waiting_for_end.add(self)
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
    """Cut short every `patience` of this thread's hub, as a second signal does."""
    for scope in list(current_hub().waiting_for_end):
        scope.cancel("hurried")
