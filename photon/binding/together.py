"""Providers that do not depend on each other, run at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from photon.runtime.greenlets import spawn
from photon.runtime.handle import Handle


def together(*calls: Callable[[], Any]) -> list[Any]:
    """The results of all calls, each made in a greenlet of its own, in their order.

    When one fails, or the caller is cancelled, the others are cancelled where they wait, and are
    over before this raises.

    Raises: what the first of them to fail raised.
    """
    return _Together(calls).run()


class _Together:
    def __init__(self, calls: tuple[Callable[[], Any], ...]) -> None:
        self._calls = calls
        self._values: list[Any] = [None] * len(calls)
        self._error: BaseException | None = None
        self._handles: list[Handle[None]] = []

    def run(self) -> list[Any]:
        self._handles = [spawn(self._call, index) for index in range(len(self._calls))]
        try:
            self._join()
        except BaseException:
            self._cancel()
            self._join()
            raise
        if self._error is not None:
            raise self._error
        return self._values

    def _call(self, index: int) -> None:
        try:
            self._values[index] = self._calls[index]()
        except BaseException as error:
            # Kept here and not raised: it is the caller's business, and not the log's.
            if self._error is None:
                self._error = error
                self._cancel()

    def _cancel(self) -> None:
        for handle in self._handles:
            handle.cancel("another provider of the request failed")

    def _join(self) -> None:
        for handle in self._handles:
            handle.join()
