"""A context manager whose inside lives in a native thread, with a hub of its own.

For processes that are not patched, such as a user's test run: their main thread blocks, so a
server cannot live in it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from photon.runtime.cancel import CancelScope
from photon.runtime.greenlets import sleep_forever
from photon.runtime.hub import Hub, current_hub

T = TypeVar("T")


@contextmanager
def run_in_native_thread(manager: AbstractContextManager[T]) -> Iterator[T]:
    """Enter `manager` in a new native thread, whose hub runs until the block ends; then leave it
    there.

    Returns: what entering gave. Only thread-safe parts of it may be used.
    Raises: what entering or leaving raised.
    """
    room = _Room(manager)
    thread = threading.Thread(target=room.live, name="photon", daemon=True)
    thread.start()
    room.entered.wait()
    if room.error is not None:
        thread.join()
        raise room.error
    try:
        yield room.inside  # type: ignore[misc]  # set before `entered`
    finally:
        room.end()
        thread.join()
        if room.error is not None:
            raise room.error


class _Room:
    """What the two threads share."""

    def __init__(self, manager: AbstractContextManager[T]) -> None:
        self.manager = manager
        self.entered = threading.Event()
        self.inside: object = None
        self.error: BaseException | None = None
        self.hub: Hub | None = None
        self.life = CancelScope()
        self._ending = threading.Lock()

    def end(self) -> None:
        """Have the room left, unless it ended by itself."""
        with self._ending:
            if self.hub is not None:
                self.hub.run_threadsafe(self.life.cancel)

    def live(self) -> None:
        self.hub = hub = current_hub()
        hub.accept_mail()
        try:
            with self.manager as self.inside, self.life:
                self.entered.set()
                sleep_forever()
        except BaseException as error:
            self.error = error
        finally:
            with self._ending:
                self.hub = None
                hub.refuse_mail()
            self.entered.set()
            hub.native.destroy(destroy_loop=True)
