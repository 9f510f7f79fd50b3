"""What is known of a handler at a route: its plan, and what its author said about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from photon.binding.plan import BindingPlan


class Operation(Struct, frozen=True, kw_only=True, eq=False):
    """One handler at one route: the endpoint is made of it, and documents are printed from it.

    Attributes:
        plan: where its arguments come from.
        status: of what it returns; None for 200, or 204 when that is None.
        response_type: what it returns; `inspect.Signature.empty` when nobody said.
        media_types: that it answers with, negotiated when there are several.
        responses: what it may answer besides, by status; see `markers.Responses`.
        tags, summary, description, operation_id, deprecated: for documents.
        name: of the route.
        body_limit: bytes that a body may have; None for the server's limit.
        timeout_s: how long it may wait until its response begins; None for the server's time.
        include_in_schema: whether documents mention it.
        openapi: members to put over those of the generated Operation Object.
        is_websocket: whether its handler talks over a WebSocket.
    """

    plan: BindingPlan
    status: int | None = None
    response_type: Any = None
    media_types: tuple[str, ...] = ("application/json",)
    responses: Mapping[int, Any] = {}
    tags: tuple[str, ...] = ()
    summary: str = ""
    description: str = ""
    operation_id: str = ""
    deprecated: bool = False
    name: str = ""
    timeout_s: float | None = None
    body_limit: int | None = None
    include_in_schema: bool = True
    openapi: Mapping[str, Any] = {}
    is_websocket: bool = False
