"""What an operator can set of the processes that serve, each option declared once with its unit."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from photon.runtime.settings import Settings

TRIAL = "PHOTON_TRIAL"
"""The variable of a process that shall only show that it could serve, see `upgrade`."""

Seconds = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=0)]


class WorkerLimits(Settings, frozen=True, kw_only=True):
    """When a worker is replaced by a new one; each with up to a tenth left to chance."""

    max_requests: Annotated[
        Count, Meta(description="a worker is replaced after so many requests; 0 for never")
    ] = 0
    max_lifetime_s: Annotated[
        float, Meta(ge=0, description="a worker is replaced after so long; 0 for never")
    ] = 0.0
    max_rss_bytes: Annotated[
        Count, Meta(description="a worker is replaced when it holds so much memory; 0 for never")
    ] = 0


class SupervisorSettings(Settings, frozen=True, kw_only=True):
    """What the supervisor does to its workers."""

    boot_timeout_s: Annotated[
        Seconds, Meta(description="a worker may take so long until it can serve")
    ] = 60.0
    hang_timeout_s: Annotated[
        Seconds, Meta(description="a worker whose hub has stood still for so long is replaced")
    ] = 30.0
    settle_s: Annotated[
        float,
        Meta(ge=0, description="when a worker leaves, who was active just now may ask once more"),
    ] = 1.0


class WatchSettings(Settings, frozen=True, kw_only=True):
    """What is said of processes that do not move."""

    blocked_s: Annotated[
        float,
        Meta(ge=0, description="the log says who keeps a hub from moving for so long; 0 for never"),
    ] = 0.1
