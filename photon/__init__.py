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
    from photon.http.sse import EventStream as EventStream
    from photon.http.sse import ServerSentEvent as ServerSentEvent
    from photon.http.sse import last_event_id as last_event_id
    from photon.http.static import StaticFiles as StaticFiles
    from photon.http.uploads import UploadFile as UploadFile
    from photon.routing.converters import Converter as Converter
    from photon.runtime.breaker import CircuitBreaker as CircuitBreaker
    from photon.runtime.cancel import CancelScope as CancelScope
    from photon.runtime.cancel import fail_after as fail_after
    from photon.runtime.cancel import move_on_after as move_on_after
    from photon.runtime.cancel import shield as shield
    from photon.runtime.cancel import time_left as time_left
    from photon.runtime.channel import Receiver as Receiver
    from photon.runtime.channel import Sender as Sender
    from photon.runtime.channel import open_channel as open_channel
    from photon.runtime.concurrent import map_concurrent as map_concurrent
    from photon.runtime.errors import BreakerOpen as BreakerOpen
    from photon.runtime.errors import BrokenChannel as BrokenChannel
    from photon.runtime.errors import Cancelled as Cancelled
    from photon.runtime.errors import ClosedChannel as ClosedChannel
    from photon.runtime.errors import DeadlineExceeded as DeadlineExceeded
    from photon.runtime.errors import EndOfChannel as EndOfChannel
    from photon.runtime.errors import HandleCancelled as HandleCancelled
    from photon.runtime.errors import LockError as LockError
    from photon.runtime.errors import RegionFull as RegionFull
    from photon.runtime.errors import TlsError as TlsError
    from photon.runtime.errors import WaitTimedOut as WaitTimedOut
    from photon.runtime.errors import WouldBlock as WouldBlock
    from photon.runtime.greenlets import Turn as Turn
    from photon.runtime.greenlets import checkpoint as checkpoint
    from photon.runtime.greenlets import sleep as sleep
    from photon.runtime.greenlets import sleep_forever as sleep_forever
    from photon.runtime.greenlets import spawn as spawn
    from photon.runtime.handle import Handle as Handle
    from photon.runtime.net.tls_context import TlsSettings as TlsSettings
    from photon.runtime.nursery import Nursery as Nursery
    from photon.runtime.nursery import nursery as nursery
    from photon.runtime.offload import offload as offload
    from photon.runtime.permits import CapacityLimiter as CapacityLimiter
    from photon.runtime.permits import Semaphore as Semaphore
    from photon.runtime.race import first_ok as first_ok
    from photon.runtime.race import race as race
    from photon.runtime.retry import retry as retry
    from photon.runtime.select import select as select
    from photon.runtime.sync import Event as Event
    from photon.runtime.sync import Lock as Lock
    from photon.runtime.sync import RLock as RLock
    from photon.tasks.adapters.dramatiq import DramatiqQueue as DramatiqQueue
    from photon.tasks.adapters.procrastinate import ProcrastinateQueue as ProcrastinateQueue
    from photon.tasks.background import BackgroundTasks as BackgroundTasks
    from photon.tasks.election import FileElector as FileElector
    from photon.tasks.election_postgres import PostgresElector as PostgresElector
    from photon.tasks.errors import ScheduleError as ScheduleError
    from photon.tasks.inprocess import InProcessQueue as InProcessQueue
    from photon.tasks.queue import Queue as Queue
    from photon.tasks.queue_errors import ArgumentError as ArgumentError
    from photon.tasks.queue_errors import QueueFull as QueueFull
    from photon.tasks.queue_errors import QueueUnavailable as QueueUnavailable
    from photon.tasks.registry import Tasks as Tasks
    from photon.tasks.scheduler import Scheduler as Scheduler
    from photon.tasks.settings import TaskSettings as TaskSettings
    from photon.tasks.task import Job as Job
    from photon.tasks.task import current_job as current_job
    from photon.tasks.timers import Timer as Timer
    from photon.tasks.timers import spawn_after as spawn_after
    from photon.templating.engine import Templates as Templates
    from photon.templating.mail import Mail as Mail
    from photon.templating.response import TemplateResponse as TemplateResponse
    from photon.templating.response import TemplateStream as TemplateStream
    from photon.ws.brokers.base import Broker as Broker
    from photon.ws.brokers.local import LocalBroker as LocalBroker
    from photon.ws.brokers.postgres import PostgresBroker as PostgresBroker
    from photon.ws.brokers.redis import RedisBroker as RedisBroker
    from photon.ws.errors import InvalidMessage as InvalidMessage
    from photon.ws.errors import WebSocketClosed as WebSocketClosed
    from photon.ws.member import Member as Member
    from photon.ws.presence import Presence as Presence
    from photon.ws.room import Room as Room
    from photon.ws.rooms import Rooms as Rooms
    from photon.ws.settings import Deflate as Deflate
    from photon.ws.settings import WebSocketSettings as WebSocketSettings
    from photon.ws.websocket import WebSocket as WebSocket

__version__ = "0.1.0"

# Each name and the room it lives in.
_ROOMS = {
    "Application": "photon.http.application",
    "ArgumentError": "photon.tasks.queue_errors",
    "BackgroundTasks": "photon.tasks.background",
    "Body": "photon.binding.markers",
    "BreakerOpen": "photon.runtime.errors",
    "BrokenChannel": "photon.runtime.errors",
    "Broker": "photon.ws.brokers.base",
    "CancelScope": "photon.runtime.cancel",
    "Cancelled": "photon.runtime.errors",
    "CapacityLimiter": "photon.runtime.permits",
    "CircuitBreaker": "photon.runtime.breaker",
    "ClientDisconnected": "photon.http.errors",
    "ClosedChannel": "photon.runtime.errors",
    "Converter": "photon.routing.converters",
    "Cookie": "photon.binding.markers",
    "DeadlineExceeded": "photon.runtime.errors",
    "Deflate": "photon.ws.settings",
    "Depends": "photon.binding.markers",
    "DramatiqQueue": "photon.tasks.adapters.dramatiq",
    "EndOfChannel": "photon.runtime.errors",
    "Event": "photon.runtime.sync",
    "EventStream": "photon.http.sse",
    "File": "photon.binding.markers",
    "FileElector": "photon.tasks.election",
    "Form": "photon.binding.markers",
    "FormLimits": "photon.http.form_rules",
    "Format": "photon.http.formats",
    "Group": "photon.app.group",
    "HTTPError": "photon.http.errors",
    "Handle": "photon.runtime.handle",
    "HandleCancelled": "photon.runtime.errors",
    "Header": "photon.binding.markers",
    "Hosts": "photon.app.choosing",
    "InProcessQueue": "photon.tasks.inprocess",
    "InvalidMessage": "photon.ws.errors",
    "Job": "photon.tasks.task",
    "Limits": "photon.http.server.settings",
    "LocalBroker": "photon.ws.brokers.local",
    "Lock": "photon.runtime.sync",
    "LockError": "photon.runtime.errors",
    "Mail": "photon.templating.mail",
    "Member": "photon.ws.member",
    "Middleware": "photon.http.application",
    "NDJSON": "photon.http.ndjson",
    "Nursery": "photon.runtime.nursery",
    "Part": "photon.http.multipart",
    "Path": "photon.binding.markers",
    "Photon": "photon.app.photon",
    "PostgresBroker": "photon.ws.brokers.postgres",
    "PostgresElector": "photon.tasks.election_postgres",
    "Presence": "photon.ws.presence",
    "ProcrastinateQueue": "photon.tasks.adapters.procrastinate",
    "Query": "photon.binding.markers",
    "Queue": "photon.tasks.queue",
    "QueueFull": "photon.tasks.queue_errors",
    "QueueUnavailable": "photon.tasks.queue_errors",
    "RLock": "photon.runtime.sync",
    "Receiver": "photon.runtime.channel",
    "RedisBroker": "photon.ws.brokers.redis",
    "RegionFull": "photon.runtime.errors",
    "Reply": "photon.binding.markers",
    "Request": "photon.http.request",
    "Response": "photon.http.response",
    "Room": "photon.ws.room",
    "Rooms": "photon.ws.rooms",
    "ScheduleError": "photon.tasks.errors",
    "Scheduler": "photon.tasks.scheduler",
    "Security": "photon.binding.markers",
    "SecurityScopes": "photon.binding.markers",
    "Semaphore": "photon.runtime.permits",
    "Sender": "photon.runtime.channel",
    "ServerSentEvent": "photon.http.sse",
    "ServerSettings": "photon.http.server.settings",
    "StaticFiles": "photon.http.static",
    "TaskSettings": "photon.tasks.settings",
    "Tasks": "photon.tasks.registry",
    "TemplateResponse": "photon.templating.response",
    "TemplateStream": "photon.templating.response",
    "Templates": "photon.templating.engine",
    "Timeouts": "photon.http.server.settings",
    "Timer": "photon.tasks.timers",
    "TlsError": "photon.runtime.errors",
    "TlsSettings": "photon.runtime.net.tls_context",
    "Turn": "photon.runtime.greenlets",
    "UploadFile": "photon.http.uploads",
    "Versions": "photon.app.choosing",
    "WaitTimedOut": "photon.runtime.errors",
    "WebSocket": "photon.ws.websocket",
    "WebSocketClosed": "photon.ws.errors",
    "WebSocketSettings": "photon.ws.settings",
    "WouldBlock": "photon.runtime.errors",
    "checkpoint": "photon.runtime.greenlets",
    "current_job": "photon.tasks.task",
    "fail_after": "photon.runtime.cancel",
    "first_ok": "photon.runtime.race",
    "formats_named": "photon.http.formats",
    "last_event_id": "photon.http.sse",
    "map_concurrent": "photon.runtime.concurrent",
    "move_on_after": "photon.runtime.cancel",
    "nursery": "photon.runtime.nursery",
    "offload": "photon.runtime.offload",
    "open_channel": "photon.runtime.channel",
    "race": "photon.runtime.race",
    "read_ndjson": "photon.http.ndjson",
    "retry": "photon.runtime.retry",
    "select": "photon.runtime.select",
    "serve": "photon.http.server.serving",
    "shield": "photon.runtime.cancel",
    "sleep": "photon.runtime.greenlets",
    "sleep_forever": "photon.runtime.greenlets",
    "spawn": "photon.runtime.greenlets",
    "spawn_after": "photon.tasks.timers",
    "time_left": "photon.runtime.cancel",
}

__all__ = sorted(_ROOMS)  # noqa: PLE0605  # a test holds it against the imports above
__getattr__, __dir__ = front_door(__name__, _ROOMS)
