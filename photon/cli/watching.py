"""Watches files in a process of its own, which tells of changes through a pipe.

By `watchfiles` (the system tells it, a change is known in some 20 ms) or, without it, by looking
at all of them again and again.

Editors save in many ways: they write another file and rename it, truncate and write, save twice.
So a change is told when for some milliseconds nothing else has come; and each one that comes while
a worker boots is told as well, so that in the end the newest code serves.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from photon.cli.watched import Watched
from photon.runtime.workers.helper import fork_helper, sleep_natively
from photon.runtime.workers.messages import Lines, Message, encode
from photon.runtime.workers.supervisor import Supervisor

# Nothing for so long, and a change is told; but none is held back for longer than that.
_STEP_MS, _MOST_MS = 10, 400
_LOOK_MS = 200
_POLL_S = 0.25
_POLL_SETTLE_S = 0.05
_MOST_PATHS = 200
_READ_BYTES = 64 * 1024

OnChange = Callable[[list[str]], object]


class Watcher:
    """A child of a supervisor that watches files.

    Args:
        close: what the child must not hold open: has `close()`.
        on_change: called with absolute paths, in the supervisor's loop; on_end: when the child
        has ended and nothing is watched any more.
        polls: whether it looks at the files, and is not told.
        since: when what has changed is told as well, in seconds since 1970; None for now.
    Attributes: pid; 0 while there is none.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        watched: Watched,
        close: Sequence[Any],
        on_change: OnChange,
        on_end: Callable[[], object],
        *,
        polls: bool = False,
        since: float | None = None,
    ) -> None:
        self._supervisor = supervisor
        self._watched = watched
        self._close = close
        self._on_change = on_change
        self._on_end = on_end
        self._polls = polls
        self._lines = Lines(16 * 1024 * 1024)
        self._since = time.time() if since is None else since
        self._reader = -1
        self.pid = 0

    def start(self) -> None:
        """Begin."""
        supervisor = self._supervisor
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        close = [
            *supervisor.wires.values(),
            *supervisor.close_in_child,
            *self._close,
            _Closing(self._reader),
        ]
        self.pid = fork_helper(lambda: self._work(writer), close=close)
        os.close(writer)
        supervisor.close_in_child.append(self)
        supervisor.watch(self._reader, self._read)
        supervisor.when_child_ends(self.pid, self._ended)

    def close(self) -> None:
        """Hear of it no more; a child calls this, too."""
        if self._reader >= 0:
            os.close(self._reader)
            self._reader = -1

    def _ended(self, status: int) -> None:
        self.pid = 0
        if self._reader >= 0:
            self._supervisor.unwatch(self._reader)
            self.close()
        self._on_end()

    def _read(self, events: int) -> None:
        try:
            data = os.read(self._reader, _READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._supervisor.unwatch(self._reader)
            return
        changed = {path for message in self._lines.feed(data) for path in message["changed"]}
        if changed:
            self._on_change(sorted(changed))

    # In the child...

    def _work(self, writer: int) -> None:
        parent = os.getppid()

        def tell(paths: set[str]) -> None:
            message: Message = {"changed": sorted(paths)[:_MOST_PATHS]}
            data = encode(message)
            while data:
                data = data[os.write(writer, data) :]

        changes = _by_polling(self._watched)
        if not self._polls:
            try:
                changes = _by_watchfiles(self._watched)
            except ImportError:
                pass
        is_first = True
        for changed in changes:
            if is_first:
                # The worker may have read them before they were watched.
                changed |= {path for path in self._watched.files() if self._is_newer(path)}
                is_first = False
            if changed:
                tell(changed)
            if os.getppid() != parent:
                return

    def _is_newer(self, path: str) -> bool:
        return _modified(path) / 1e9 > self._since


class _Closing:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        os.close(self._descriptor)


def _by_watchfiles(watched: Watched) -> Iterator[set[str]]:
    """Paths that have changed, as often as some have; an empty set now and then."""
    import logging

    import watchfiles

    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it tells of each change

    def changes() -> Iterator[set[str]]:
        for found in watchfiles.watch(
            *watched.folders,
            watch_filter=None,
            debounce=_MOST_MS,
            step=_STEP_MS,
            rust_timeout=_LOOK_MS,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        ):
            yield {path for _, path in found if watched.has(path)}

    return changes()


def _by_polling(watched: Watched) -> Iterator[set[str]]:
    seen = {path: _state(path) for path in watched.files()}
    while True:
        yield set()
        sleep_natively(_POLL_S)
        now = {path: _state(path) for path in watched.files()}
        changed = {path for path, state in now.items() if seen.get(path) != state}
        changed |= seen.keys() - now.keys()
        if changed:
            sleep_natively(_POLL_SETTLE_S)
            yield changed
        seen = now


def _state(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino


def _modified(path: str) -> int:
    return _state(path)[0]
