"""Photon: plain blocking `def` handlers, served by greenlets at the speed of an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photon.runtime.lazy import front_door

if TYPE_CHECKING:
    from photon.app.choosing import Hosts as Hosts
    from photon.app.choosing import Versions as Versions
    from photon.app.group import Group as Group
    from photon.app.photon import Photon as Photon
    from photon.binding.markers import Body as Body
    from photon.binding.markers import Cookie as Cookie
    from photon.binding.markers import Depends as Depends
    from photon.binding.markers import File as File
    from photon.binding.markers import Form as Form
    from photon.binding.markers import Header as Header
    from photon.binding.markers import Path as Path
    from photon.binding.markers import Query as Query
    from photon.binding.markers import Reply as Reply
    from photon.binding.markers import Security as Security
    from photon.binding.markers import SecurityScopes as SecurityScopes
    from photon.http.application import Application as Application
    from photon.http.application import Middleware as Middleware
    from photon.http.errors import ClientDisconnected as ClientDisconnected
    from photon.http.errors import HTTPError as HTTPError
    from photon.http.form_rules import FormLimits as FormLimits
    from photon.http.formats import Format as Format
    from photon.http.formats import formats_named as formats_named
    from photon.http.multipart import Part as Part
    from photon.http.ndjson import NDJSON as NDJSON
    from photon.http.ndjson import read_ndjson as read_ndjson
    from photon.http.request import Request as Request
    from photon.http.response import Response as Response
    from photon.http.server.serving import serve as serve
    from photon.http.server.settings import Limits as Limits
    from photon.http.server.settings import ServerSettings as ServerSettings
    from photon.http.server.settings import Timeouts as Timeouts
    from photon.http.sse import Event as Event
    from photon.http.sse import EventStream as EventStream
    from photon.http.sse import last_event_id as last_event_id
    from photon.http.static import StaticFiles as StaticFiles
    from photon.http.uploads import UploadFile as UploadFile
    from photon.routing.converters import Converter as Converter
    from photon.runtime.cancel import CancelScope as CancelScope
    from photon.runtime.cancel import fail_after as fail_after
    from photon.runtime.cancel import move_on_after as move_on_after
    from photon.runtime.errors import Cancelled as Cancelled
    from photon.runtime.errors import DeadlineExceeded as DeadlineExceeded
    from photon.runtime.greenlets import checkpoint as checkpoint
    from photon.runtime.greenlets import sleep as sleep
    from photon.runtime.greenlets import spawn as spawn
    from photon.runtime.offload import offload as offload
    from photon.templating.engine import Templates as Templates
    from photon.templating.mail import Mail as Mail
    from photon.templating.response import TemplateResponse as TemplateResponse
    from photon.templating.response import TemplateStream as TemplateStream

__version__ = "0.1.0"

# Each name and the room it lives in.
_ROOMS = {
    "Application": "photon.http.application",
    "Body": "photon.binding.markers",
    "CancelScope": "photon.runtime.cancel",
    "Cancelled": "photon.runtime.errors",
    "ClientDisconnected": "photon.http.errors",
    "Converter": "photon.routing.converters",
    "Cookie": "photon.binding.markers",
    "DeadlineExceeded": "photon.runtime.errors",
    "Depends": "photon.binding.markers",
    "Event": "photon.http.sse",
    "EventStream": "photon.http.sse",
    "File": "photon.binding.markers",
    "Form": "photon.binding.markers",
    "FormLimits": "photon.http.form_rules",
    "Format": "photon.http.formats",
    "Group": "photon.app.group",
    "HTTPError": "photon.http.errors",
    "Header": "photon.binding.markers",
    "Hosts": "photon.app.choosing",
    "Limits": "photon.http.server.settings",
    "Mail": "photon.templating.mail",
    "Middleware": "photon.http.application",
    "NDJSON": "photon.http.ndjson",
    "Part": "photon.http.multipart",
    "Path": "photon.binding.markers",
    "Photon": "photon.app.photon",
    "Query": "photon.binding.markers",
    "Reply": "photon.binding.markers",
    "Request": "photon.http.request",
    "Response": "photon.http.response",
    "Security": "photon.binding.markers",
    "SecurityScopes": "photon.binding.markers",
    "ServerSettings": "photon.http.server.settings",
    "StaticFiles": "photon.http.static",
    "TemplateResponse": "photon.templating.response",
    "TemplateStream": "photon.templating.response",
    "Templates": "photon.templating.engine",
    "Timeouts": "photon.http.server.settings",
    "UploadFile": "photon.http.uploads",
    "Versions": "photon.app.choosing",
    "checkpoint": "photon.runtime.greenlets",
    "fail_after": "photon.runtime.cancel",
    "formats_named": "photon.http.formats",
    "last_event_id": "photon.http.sse",
    "move_on_after": "photon.runtime.cancel",
    "offload": "photon.runtime.offload",
    "read_ndjson": "photon.http.ndjson",
    "serve": "photon.http.server.serving",
    "sleep": "photon.runtime.greenlets",
    "spawn": "photon.runtime.greenlets",
}

__all__ = sorted(_ROOMS)  # noqa: PLE0605  # a test holds it against the imports above
__getattr__, __dir__ = front_door(__name__, _ROOMS)
