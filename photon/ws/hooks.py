"""Hooks of rooms: functions of the user's that are told who came, changed, and went."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from photon.runtime.carriers import Carrier
from photon.runtime.clock import now
from photon.runtime.deadlines import Deadline
from photon.runtime.guarding import name_of
from photon.runtime.hub import current_hub
from photon.runtime.whereabouts import where
from photon.ws.changes import Changes
from photon.ws.presence import Change, Entry, Kind

if TYPE_CHECKING:
    from photon.ws.presence import Presence

logger = logging.getLogger("photon.ws")

Hook = Callable[[str, "Presence[Any]"], object]

# A hook that waits so long keeps all the others waiting, and is named in the log.
_LONG_S = 5.0


class Hooks:
    """Calls hooks, one after the other. A carrier's job while there are changes to tell.

    Args: read: makes a Presence of an entry.
    """

    def __init__(self, read: Callable[[Entry], Presence[Any]]) -> None:
        self._read = read
        self._hooks: dict[Kind, list[Hook]] = {"joined": [], "updated": [], "left": []}
        self._changes = Changes()
        self._is_at_work = False
        self._calls: Hook | None = None
        self._began = 0.0
        self._carrier: Carrier | None = None
        self._next_look: Deadline | None = None
        self.has_any = False

    def add(self, kind: Kind, hook: Hook, decorator: str) -> None:
        """Have a function called.   Raises: TypeError: it cannot be one."""
        if isinstance(hook, str) or not callable(hook):
            raise TypeError(
                f"@rooms.{decorator} stands above a function(room, who), not {hook!r}; the hooks of"
                " these rooms are told of all of them: look at `room` in it"
            )
        if inspect.iscoroutinefunction(hook) or inspect.isgeneratorfunction(hook):
            raise TypeError(
                f"@rooms.{decorator} calls {name_of(hook)}, which is async or yields, so that the"
                " call runs none of it: write it as a plain def that returns"
            )
        try:
            inspect.signature(hook).bind("room", "who")
        except TypeError as error:
            raise TypeError(
                f"@rooms.{decorator} calls {name_of(hook)}(room, who) with the name of the room and"
                f" a Presence, and it does not take these: {error}"
            ) from None
        except ValueError:
            pass  # of some functions written in C nobody knows
        self._hooks[kind].append(hook)
        self.has_any = True

    def tell(self, room: str, changes: list[Change]) -> None:
        """Call the hooks, soon."""
        if not (changes and self.has_any):
            return
        for change in changes:
            self._changes.add(room, change)
        if self._changes and not self._is_at_work:
            self._start()

    def _start(self) -> None:
        self._is_at_work = True
        current_hub().carriers.submit(self)

    def run(self) -> None:
        """Tell all that is to be told."""
        try:
            while (told := self._changes.next()) is not None:
                self._call(*told)
        finally:
            self._is_at_work = False
            self._calls = self._carrier = None
            if self._next_look is not None:
                self._next_look.cancel()
                self._next_look = None
            if self._changes:  # a hook was told to exit: that ends this job, and no other hook
                self._start()

    def _call(self, room: str, change: Change) -> None:
        for hook in tuple(self._hooks[change.kind]):
            self._calls, self._began = hook, now()
            try:
                hook(room, self._read(change.who))
            except Exception:
                logger.exception("the hook %s of the room %r failed", name_of(hook), room)

    # A hook that waits...

    def on_parked(self, carrier: Carrier) -> None:
        """A hook may wait, for a while."""
        self._carrier = carrier
        self._look_later(_LONG_S)

    def _look_later(self, seconds: float) -> None:
        self._next_look = current_hub().deadlines.add(now() + seconds, self._look)

    def _look(self) -> None:
        # In the hub.
        waited = now() - self._began
        if waited < _LONG_S:
            self._look_later(_LONG_S - waited)
            return
        if self._calls is not None and self._carrier is not None:
            logger.warning(
                "the hook %s of rooms has not come back for %.0f s (it waits at %s), and %d changes"
                " are told to nobody meanwhile: let it spawn() what takes long",
                name_of(self._calls),
                waited,
                where(self._carrier) or "an unknown place",
                len(self._changes),
            )
            self._look_later(max(_LONG_S, waited))  # twice as late each time

    def __repr__(self) -> str:
        return f"<hooks of rooms, {len(self._changes)} changes to tell>"
