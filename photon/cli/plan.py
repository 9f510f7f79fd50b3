"""What `photon run` was told: one value, which the process that serves and its supervisor share."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from photon.http.server.settings import ServerSettings
from photon.runtime.net.address import Address
from photon.runtime.workers.settings import SupervisorSettings, WorkerLimits


class Plan(Struct, frozen=True, kw_only=True):
    """Attributes:
    app: as it was named; name: with its attribute, for people.
    tls: `TlsSettings`; None for plain HTTP.
    workers: how many; None for this process alone, without a supervisor.
    blocked_s: how long a hub may stand still before the log says who holds it; 0 for ever.
    control: path of the control socket; "" for the usual one, "none" for none.
    health: where health is answered beside; None for nowhere.
    pid_file: "" for none.
    is_dev: whether it is for development.
    notes: sentences about the settings, for the log.
    """

    app: str
    name: str
    app_dir: str
    factory: bool
    address: Address
    settings: ServerSettings
    tls: Any = None
    log_level: str
    log_format: str
    access_log: bool
    workers: int | None = None
    limits: WorkerLimits = WorkerLimits()
    supervisor: SupervisorSettings = SupervisorSettings()
    pin: bool = False
    preload: bool = False
    blocked_s: float = 0.1
    control: str = ""
    health: Address | None = None
    pid_file: str = ""
    is_dev: bool = False
    notes: tuple[str, ...] = ()
