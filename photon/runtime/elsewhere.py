"""Names that other frameworks export, and what takes their place here; read when one is missed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from photon.runtime.hints import meant, wording

DOORS = ("photon", "photon.middleware", "photon.security", "photon.testing", "photon.openapi")

_IN_REQUEST = "it is the parameter `request: Request`"
_MANY = "map_concurrent(fn, items, limit=...)"
_METHOD = "it is a method of the application: "
_JSON = "return the value itself, or Response.json(value, status, headers)"

NAMES: Mapping[str, str] = {
    "APIKeyCookie": "APIKey",
    "APIKeyHeader": "APIKey",
    "APIKeyQuery": "APIKey",
    "APIRouter": "Group",
    "AsyncClient": "TestClient",
    "AsyncIOScheduler": "Scheduler",
    "BackgroundScheduler": "Scheduler",
    "BackgroundTask": "BackgroundTasks",
    "Barrier": "an Event, or a channel: open_channel(n)",
    "BaseHTTPMiddleware": "a middleware is a function(request, application)",
    "Blueprint": "Group",
    "BoundedSemaphore": "Semaphore",
    "CORSMiddleware": "CORS",
    "CancelledError": "Cancelled",
    "Celery": f"{_METHOD}@app.task, then fn.send(...)",
    "Channel": "open_channel",
    "Condition": "an Event, or a channel: open_channel(n)",
    "Config": "ServerSettings",
    "ConnectionManager": "Rooms",
    "EventSourceResponse": "EventStream",
    "FastAPI": "Photon",
    "FileResponse": "Response.file(path)",
    "Flask": "Photon",
    "Future": "Handle",
    "GZipMiddleware": "Compression",
    "GreenletExit": "Cancelled",
    "HTMLResponse": "Response.html(text)",
    "HTTPAuthorizationCredentials": "HTTPBearer() gives the token itself, a str",
    "HTTPBasicCredentials": "BasicCredentials",
    "HTTPException": "HTTPError",
    "HTTPSRedirectMiddleware": "HTTPSRedirect",
    "JSONResponse": _JSON,
    "Jinja2Templates": "Templates",
    "OAuth2PasswordBearer": "OAuth2Password",
    "OAuth2PasswordRequestForm": "PasswordForm",
    "ORJSONResponse": _JSON,
    "PlainTextResponse": "return the text itself, or Response.text(text, status, headers)",
    "ProxyFix": "Forwarded",
    "ProxyHeadersMiddleware": "Forwarded",
    "RedirectResponse": "Response.redirect(to)",
    "RequestValidationError": "it is the status 422: @app.exception_handler(422)",
    "Router": "Group",
    "Starlette": "Photon",
    "StreamingResponse": "return a generator, or Response.stream(chunks, status, headers)",
    "TaskGroup": "nursery",
    "Thread": "nursery",
    "ThreadPoolExecutor": _MANY,
    "Timeout": "of a block it is fail_after(seconds), of a server Timeouts",
    "TooSlowError": "DeadlineExceeded",
    "TrustedHostMiddleware": "TrustedHosts",
    "WebSocketDisconnect": "WebSocketClosed",
    "WebSocketEndpoint": f"{_METHOD}@app.websocket(path) above a function(ws)",
    "WebSocketException": "raise HTTPError before it is accepted, ws.close(code, reason) after",
    "WebSocketRoute": f"{_METHOD}@app.websocket(path) above a function(ws)",
    "WebSocketState": "ws.is_open is whether it is, ws.stage how far it is",
    "abort": "raise HTTPError(404)",
    "actor": f"{_METHOD}@app.task",
    "as_completed": _MANY,
    "create_task": "spawn",
    "cron": f'{_METHOD}@app.cron("*/5 * * * *")',
    "crontab": f'{_METHOD}@app.cron("*/5 * * * *")',
    "current_app": "import the application itself, or take it in a provider",
    "every": f'{_METHOD}@app.every("5m")',
    "flash": "there are no sessions in this release; request.cookies are there",
    "g": "request.state",
    "gather": "nursery",
    "joinall": "nursery",
    "jsonify": _JSON,
    "make_response": "Response",
    "open_memory_channel": "open_channel",
    "open_nursery": "nursery",
    "redirect": "Response.redirect(to)",
    "render_template": "TemplateResponse",
    "repeat_every": f'{_METHOD}@app.every("5m")',
    "request": _IN_REQUEST,
    "run_in_threadpool": "offload",
    "send_file": "Response.file(path)",
    "send_from_directory": "StaticFiles",
    "session": "there are no sessions in this release; request.cookies are there",
    "shared_task": f"{_METHOD}@app.task",
    "status": "a status is its number: 201",
    "stream_with_context": "return the generator itself",
    "task": f"{_METHOD}@app.task",
    "timeout": "of a block it is fail_after(seconds), of a route timeout=seconds",
    "to_thread": "offload",
    "url_for": "app.path_for(name, ...), or app.url_for(request, name, ...)",
    "wait_for": "fail_after",
}
"""By name; what it says is a name here, or a phrase."""


def way_to(package: str, name: str) -> str:
    """The end of a message about a name that a package does not have."""
    here = NAMES.get(name, name)
    for door in (package, *DOORS):
        if here in _names_of(door):
            as_well = "" if here == name else f"here it is {here}: "
            return f": {as_well}from {door} import {here}"
    if name in NAMES:
        return f": {wording(here)}"
    return meant(name, _names_of(package))


def _names_of(package: str) -> list[str]:
    names: list[str] = import_module(package).__all__
    return names
