"""What an operator can set of a server: each option declared once, here, with its unit.

The command line derives the flags and environment variables of `Timeouts`, `Limits` and `backlog`
from these fields and their descriptions (`idle_s` is `--timeout-idle`, `PHOTON_TIMEOUT_IDLE`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from photon.http.protocol.limits import HeadLimits
from photon.runtime.settings import Settings

Seconds = Annotated[float, Meta(gt=0)]
Bytes = Annotated[int, Meta(gt=0)]


class Timeouts(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long each thing may take; all in seconds."""

    # uvicorn, hypercorn, gunicorn
    elsewhere: ClassVar[Mapping[str, str]] = {
        "graceful_timeout": "drain_s",
        "keep_alive": "idle_s",
        "keep_alive_timeout": "idle_s",
        "keepalive": "idle_s",
        "shutdown_timeout": "drain_s",
        "timeout": "handler_s",
        "timeout_graceful_shutdown": "drain_s",
        "timeout_keep_alive": "idle_s",
    }

    idle_s: Annotated[
        Seconds, Meta(description="a connection may be silent between two requests")
    ] = 75.0
    head_s: Annotated[
        Seconds, Meta(description="a request head may take from its first byte to its last")
    ] = 10.0
    body_s: Annotated[
        Seconds, Meta(description="a handler waits for the next byte of a request's body")
    ] = 30.0
    handler_s: Annotated[
        Seconds, Meta(description="a handler may wait until its response begins")
    ] = 30.0
    write_s: Annotated[
        Seconds, Meta(description="a client may take nothing of a response that is sent to it")
    ] = 30.0
    handshake_s: Annotated[
        Seconds, Meta(description="a TLS handshake may take, from the connection on")
    ] = 10.0
    drain_s: Annotated[
        Seconds, Meta(description="requests in progress may go on when the server stops")
    ] = 30.0
    cleanup_s: Annotated[
        Seconds, Meta(description="a handler may clean up once it was told to end")
    ] = 5.0


class Limits(HeadLimits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of each thing is taken. Sizes are in bytes."""

    # uvicorn, hypercorn, gunicorn
    elsewhere: ClassVar[Mapping[str, str]] = {
        "h11_max_incomplete_event_size": "head_bytes",
        "limit_concurrency": "connections",
        "limit_request_fields": "headers",
        "limit_request_line": "target_bytes",
        "max_body_size": "body_bytes",
        "worker_connections": "connections",
    }

    head_bytes: Annotated[
        Bytes, Meta(description="request line and headers together, in bytes")
    ] = 32 * 1024
    headers: Annotated[int, Meta(gt=0, description="headers of a request")] = 100
    target_bytes: Annotated[Bytes, Meta(description="request target, in bytes")] = 8 * 1024
    body_bytes: Annotated[Bytes, Meta(description="request body, in bytes")] = 16 * 1024 * 1024
    connections: Annotated[
        int, Meta(ge=0, description="connections at a time; more wait in the kernel; 0 for any")
    ] = 0


class ServerSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it.

    Attributes:
        half_close: what a client that closes its sending side while a handler works is taken for:
            "gone" (the handler is cancelled; the two look the same from here, and Go and nginx
            decide so) or "waiting" (it gets its answer).
        protocol: the implementation of HTTP/1; "h11" is the referee alone, ten times slower.
    """

    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    backlog: Annotated[
        int, Meta(gt=0, description="connections that the kernel holds until they are accepted")
    ] = 2048
    half_close: Literal["gone", "waiting"] = "gone"
    protocol: Literal["fast", "h11"] = "fast"
