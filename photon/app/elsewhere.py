"""What applications have in other frameworks, and what takes its place here."""

from __future__ import annotations

from collections.abc import Mapping

_AROUND = "@app.middleware above a function(request, application), which does it around the call"
_FAILURES = "@app.exception_handler(404) above a function(request, error)"
_LIFESPAN = "@app.lifespan above a generator function that yields once"
_PERIODS = '@app.every("5m") or @app.cron("*/5 * * * *") above a function'
_SERVE = "`photon run module:app` in a shell, or photon.serve(app)"
_TEMPLATES = "it is one of app.templates: filter, test, globals"

ATTRIBUTES: Mapping[str, str] = {
    "actor": "task",
    "add_api_route": "app.route(path, methods=[...])(function)",
    "add_api_websocket_route": "app.websocket(path)(function)",
    "add_event_handler": _LIFESPAN,
    "add_exception_handler": _FAILURES,
    "add_job": _PERIODS,
    "add_middleware": "app.middleware(CORS(...)): an object, or a function",
    "add_periodic_task": _PERIODS,
    "add_route": "app.route(path, methods=[...])(function)",
    "add_task": "a handler's BackgroundTasks run after its response; @app.task is sent",
    "add_url_rule": "app.route(path, methods=[...])(function)",
    "add_websocket_route": "app.websocket(path)(function)",
    "after_request": _AROUND,
    "api_route": "route",
    "background_task": "a handler's BackgroundTasks run after its response; spawn(fn) at once",
    "before_first_request": _LIFESPAN,
    "before_request": _AROUND,
    "config": "app.state is a place for what is yours",
    "context_processor": _TEMPLATES,
    "crontab": "cron",
    "debug": "photon dev, or PHOTON_DEV=1 in the environment",
    "dependency_overrides": "app.override(provider, fake), in a with block",
    "error_handler": _FAILURES,
    "errorhandler": _FAILURES,
    "include_router": "app.include(group)",
    "interval": "every",
    "jinja_env": "templates",
    "logger": "logging.getLogger(__name__)",
    "on_after_startup": _LIFESPAN,
    "on_event": _LIFESPAN,
    "on_shutdown": _LIFESPAN,
    "on_startup": _LIFESPAN,
    "openapi_schema": "app.openapi()",
    "periodic_task": _PERIODS,
    "register_blueprint": "app.include(group)",
    "register_error_handler": _FAILURES,
    "repeat_every": "every",
    "routes": "app.router.routes",
    "run": _SERVE,
    "scheduled_job": _PERIODS,
    "shared_task": "task",
    "teardown_appcontext": "a provider that yields: what follows runs after the response",
    "teardown_request": "a provider that yields: what follows runs after the response",
    "template_filter": _TEMPLATES,
    "template_global": _TEMPLATES,
    "template_test": _TEMPLATES,
    "test_client": "photon.testing.TestClient(app)",
    "url_map": "app.router.routes",
    "url_path_for": "path_for",
    "websocket_route": "websocket",
    "ws": "websocket",
    "wsgi_app": _SERVE,
}
"""Of an application, or of what is a group here."""

OPTIONS: Mapping[str, str] = {
    "debug": "photon dev, or PHOTON_DEV=1 in the environment",
    "default_response_class": "formats",
    "endpoint": "name",
    "exception_handlers": "@app.exception_handler(...)",
    "guards": "dependencies",
    "import_name": "an application needs no name: Photon()",
    "lifespans": "lifespan",
    "method": "@app.route(path, methods=[...])",
    "methods": "@app.route(path, methods=[...])",
    "on_shutdown": "lifespan",
    "on_startup": "lifespan",
    "redirect_slashes": 'trailing_slash="redirect"',
    "redoc_url": "docs_url",
    "response_class": "the handler returns such a Response, or the text itself",
    "response_model": "response_type",
    "root_path": "mount the application at that path, in another one: request.root",
    "routes": "@app.get(...) above each handler, or app.include(group)",
    "servers": "openapi=OpenAPI(servers=[...])",
    "static_folder": "app.mount('/static', StaticFiles('static'))",
    "static_url_path": "app.mount('/static', StaticFiles('static'))",
    "status_code": "status",
    "swagger_ui_parameters": "docs_url=None, and a page of your own",
    "template_folder": "templates",
}
"""Keywords of applications, groups and routes."""

_MESSAGES = "its messages are read by ws.messages(Type), or ws.receive_json(Type)"
_SET = "websockets=WebSocketSettings(...)"
_UNDOCUMENTED = "OpenAPI documents know no WebSockets"

WEBSOCKET_OPTIONS: Mapping[str, str] = {
    "body_limit": "websockets=WebSocketSettings(message_bytes=...)",
    "compression": "websockets=WebSocketSettings(deflate=Deflate())",
    "deflate": "websockets=WebSocketSettings(deflate=Deflate())",
    "deprecated": _UNDOCUMENTED,
    "description": _UNDOCUMENTED,
    "form_limits": "a WebSocket has no body",
    "formats": _MESSAGES,
    "heartbeat": "websockets=WebSocketSettings(ping_interval_s=...)",
    "include_in_schema": _UNDOCUMENTED,
    "max_size": "websockets=WebSocketSettings(message_bytes=...)",
    "message_bytes": "websockets=WebSocketSettings(message_bytes=...)",
    "methods": "a WebSocket always begins with a GET",
    "openapi": _UNDOCUMENTED,
    "operation_id": _UNDOCUMENTED,
    "ping_interval": "websockets=WebSocketSettings(ping_interval_s=...)",
    "ping_interval_s": "websockets=WebSocketSettings(ping_interval_s=...)",
    "ping_timeout": "websockets=WebSocketSettings(ping_timeout_s=...)",
    "ping_timeout_s": "websockets=WebSocketSettings(ping_timeout_s=...)",
    "response_model": _MESSAGES,
    "response_type": _MESSAGES,
    "responses": _UNDOCUMENTED,
    "settings": _SET,
    "status": "a WebSocket is opened with 101; ws.reject(status, detail) refuses it",
    "status_code": "a WebSocket is opened with 101; ws.reject(status, detail) refuses it",
    "strict": _MESSAGES,
    "subprotocol": "ws.accept(subprotocol)",
    "subprotocols": "ws.accept(subprotocol), one of ws.subprotocols",
    "summary": _UNDOCUMENTED,
    "tags": _UNDOCUMENTED,
}
"""Keywords that a WebSocket does not have, and what takes their place; whole phrases."""
