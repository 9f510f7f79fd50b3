"""What may be set about tasks of a whole application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import Meta

from photon.runtime.settings import Settings
from photon.tasks.elsewhere import OF_SETTINGS


class TaskSettings(Settings, frozen=True, kw_only=True):
    """How an application's tasks are run and ended.

    Attributes:
        timezone: of cron expressions that name none. UTC: it is the same on every machine, and
            no hour of it comes twice or not at all.
    """

    elsewhere: ClassVar[Mapping[str, str]] = OF_SETTINGS

    timezone: str = "UTC"
    drain_s: Annotated[
        float,
        Meta(ge=0, description="what running jobs get to end when the application stops"),
    ] = 10.0
    cancel_s: Annotated[
        float,
        Meta(ge=0, description="what jobs that were told to end then get for their cleanup"),
    ] = 3.0
    # APScheduler's misfire_grace_time is 1 s and Kubernetes' startingDeadlineSeconds without
    # limit; a daily job must not be lost to a process that was busy for some seconds.
    late_s: Annotated[
        float,
        Meta(ge=0, description="a cron run that begins so late is late; later it was missed"),
    ] = 60.0
    # As often as a jump of the wall clock is looked for: it costs a callback of some microseconds.
    look_s: Annotated[
        float,
        Meta(gt=0, le=60, description="how often the wall clock is compared with the steady one"),
    ] = 10.0
    history: Annotated[int, Meta(ge=0, description="how many runs of each task are remembered")] = (
        20
    )
    waiting: Annotated[
        int,
        Meta(ge=1, description='runs that may wait for another one, where overlap="queue"'),
    ] = 100
    at_once: Annotated[
        int,
        Meta(ge=1, description='runs that may go on at once, where overlap="concurrent"'),
    ] = 100
