"""The life of an application: what is opened before its first request, and closed after its last.

From the outside in: the region of what is spawned, lifespans, what is mounted, providers of scope
"app", the queue, schedules. It ends in the reverse order, so what still runs finds what it needs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from photon.app.jobs import Jobs
from photon.app.lifespan import Life, Lifespan, running
from photon.app.mounting import Mounts
from photon.app.overrides import Overrides
from photon.app.registering import check_lifespan, shown
from photon.binding.app_scope import AppScope
from photon.http.server.serving import lifespan_of
from photon.routing.router import Router
from photon.runtime.region import Region, opened
from photon.runtime.watchdog import watching
from photon.tasks.settings import TaskSettings


class Living(Jobs):
    """What may be called only while it is running."""

    title: str
    router: Router
    watchdog: bool
    _life: Life
    _lifespans: list[Lifespan]
    _app_scope: AppScope
    _overrides: Overrides
    _mounts: Mounts

    def lifespan(self, function: Lifespan) -> Lifespan:
        """Open something before the first request, and close it after the last.

        Args: function: a generator function that yields once, with or without the application as
            its argument. Several are opened in order and closed in reverse.
        Raises: TypeError; RuntimeError, when the application is running.
        """
        check_lifespan(function)
        self._refuse_if_running(f"the lifespan {shown(function)}")
        self._lifespans.append(function)
        return function

    @property
    def task_settings(self) -> TaskSettings:
        """How what runs later is run, and how long it is waited for at the end."""
        return self._task_settings

    def running(self) -> AbstractContextManager[None]:
        """The time in which requests may come; servers and test clients enter it.

        Several may: what is opened is opened by the first, and closed when the last one leaves.
        """
        return self._life

    @property
    def is_running(self) -> bool:
        """Whether somebody is between entering `running` and leaving it."""
        return self._life.is_on

    @property
    def has_lifespan(self) -> bool:
        """Whether something is to be opened before the first request, here or in what is mounted.

        Providers of scope "app" do not count: they are made when they are first asked for.
        """
        mounted = (getattr(there, "has_lifespan", False) for _, there in self._mounts.all)
        return bool(self._lifespans) or any(mounted)

    def _prepare(self) -> None:
        """Make what the first request would have to wait for."""
        self.router.compile()

    @contextmanager
    def _open(self) -> Iterator[None]:
        self._prepare()
        region = Region(f"the application {self.title!r}")
        with (
            opened(region, self._task_settings.drain_s),
            running(self, self._lifespans),
            ExitStack() as stack,
        ):
            for mounted in {id(there): there for _, there in self._mounts.all}.values():
                stack.enter_context(lifespan_of(mounted))
            stack.callback(self._app_scope.close)
            self._app_scope.open(replaced=self._overrides.active)
            if self.watchdog:
                stack.enter_context(watching())
            stack.callback(_drop_timers, region)
            self._open_jobs(region, stack)
            yield

    def _refuse_if_running(self, what: str) -> None:
        if self.is_running:
            raise RuntimeError(
                f"{what} comes too late: {self!r} is running already; "
                "add it before the application is served"
            )


def _drop_timers(region: Region) -> None:
    timers = sys.modules.get("photon.tasks.timers")  # nobody has any who has not imported it
    if timers is not None:
        timers.drop_timers(region)
