"""Names that other frameworks export, and what takes their place here; read when one is missed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from photon.runtime.hints import meant, wording

DOORS = ("photon", "photon.middleware", "photon.security", "photon.testing", "photon.openapi")

_BACKGROUND = "spawn(fn) starts a function, request.on_done(fn) has it called after the response"
_IN_REQUEST = "it is the parameter `request: Request`"
_JSON = "return the value itself, or Response.json(value, status, headers)"
_NO_SOCKETS = "this release has no WebSockets; EventStream sends what happens"

NAMES: Mapping[str, str] = {
    "APIKeyCookie": "APIKey",
    "APIKeyHeader": "APIKey",
    "APIKeyQuery": "APIKey",
    "APIRouter": "Group",
    "AsyncClient": "TestClient",
    "BackgroundTask": _BACKGROUND,
    "BackgroundTasks": _BACKGROUND,
    "BaseHTTPMiddleware": "a middleware is a function(request, application)",
    "Blueprint": "Group",
    "CORSMiddleware": "CORS",
    "Config": "ServerSettings",
    "EventSourceResponse": "EventStream",
    "FastAPI": "Photon",
    "FileResponse": "Response.file(path)",
    "Flask": "Photon",
    "GZipMiddleware": "Compression",
    "HTMLResponse": "Response.html(text)",
    "HTTPAuthorizationCredentials": "HTTPBearer() gives the token itself, a str",
    "HTTPBasicCredentials": "BasicCredentials",
    "HTTPException": "HTTPError",
    "HTTPSRedirectMiddleware": "HTTPSRedirect",
    "JSONResponse": _JSON,
    "Jinja2Templates": "Templates",
    "ORJSONResponse": _JSON,
    "OAuth2PasswordBearer": "OAuth2Password",
    "OAuth2PasswordRequestForm": "PasswordForm",
    "PlainTextResponse": "return the text itself, or Response.text(text, status, headers)",
    "ProxyFix": "Forwarded",
    "ProxyHeadersMiddleware": "Forwarded",
    "RedirectResponse": "Response.redirect(to)",
    "RequestValidationError": "it is the status 422: @app.exception_handler(422)",
    "Router": "Group",
    "ServerSentEvent": "Event",
    "Starlette": "Photon",
    "StreamingResponse": "return a generator, or Response.stream(chunks, status, headers)",
    "TrustedHostMiddleware": "TrustedHosts",
    "WebSocket": _NO_SOCKETS,
    "WebSocketDisconnect": _NO_SOCKETS,
    "abort": "raise HTTPError(404)",
    "current_app": "import the application itself, or take it in a provider",
    "flash": "there are no sessions in this release; request.cookies are there",
    "g": "request.state",
    "jsonify": _JSON,
    "make_response": "Response",
    "redirect": "Response.redirect(to)",
    "render_template": "TemplateResponse",
    "request": _IN_REQUEST,
    "run_in_threadpool": "offload",
    "send_file": "Response.file(path)",
    "send_from_directory": "StaticFiles",
    "session": "there are no sessions in this release; request.cookies are there",
    "status": "a status is its number: 201",
    "stream_with_context": "return the generator itself",
    "url_for": "app.path_for(name, ...), or app.url_for(request, name, ...)",
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
