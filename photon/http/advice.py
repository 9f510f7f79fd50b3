"""What was probably meant, where a handler failed with a message of Python's own.

PERF: Requests and responses have no `__getattr__` that could say it: with one, CPython 3.11 looks
up every attribute of theirs the slow way, 60 ns each. So it is said when the failure is logged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from opcode import opmap

from photon.runtime.hints import wording

_STATE = "request.state is a place for what is yours"

_REQUEST: Mapping[str, str] = {
    "app": "a request knows no application: import it, or take it in a provider",
    "args": "request.query",
    "base_url": "request.url, or app.url_for(request, name)",
    "client": "request.peer",
    "data": "request.body()",
    "files": "request.form().files",
    "full_path": "request.target",
    "get_data": "request.body()",
    "get_json": "request.json()",
    "is_disconnected": "the handler is cancelled where it waits, when its client leaves",
    "path_params": "request.path_values, or parameters of the handler",
    "query_params": "request.query",
    "referrer": "request.headers.get('referer')",
    "remote_addr": "request.peer",
    "root_path": "request.root",
    "session": "there are no sessions in this release; request.cookies are there",
    "stream": "request.chunks()",
    "url_for": "app.url_for(request, name)",
    "user": _STATE,
    "user_agent": "request.headers.get('user-agent')",
    "view_args": "request.path_values, or parameters of the handler",
}

_RESPONSE: Mapping[str, str] = {
    "background": "request.on_done(fn)",
    "content": "body",
    "data": "body",
    "filename": "download_as",
    "httponly": "http_only",
    "media_type": "content_type",
    "mimetype": "content_type",
    "response": "body",
    "samesite": "same_site",
    "set_data": "body",
    "status_code": "status",
    "url": "to",
}

_ELSEWHERE = {"Request": _REQUEST, "Response": _RESPONSE, "StreamResponse": _RESPONSE}

_NO_ATTRIBUTE = re.compile(r"'(\w+)' object has no attribute '(\w+)'")
_NO_KEYWORD = re.compile(r"(\w+)\.\w+\(\) got an unexpected keyword argument '(\w+)'")
_NO_STATUS = "HTTPError.__init__() missing 1 required positional argument: 'status'"

_STORE_ATTR = opmap["STORE_ATTR"]


def advise(error: BaseException) -> None:
    """Note beside a failure what is written here in the place of what failed, if it is known."""
    advice = _advice(error)
    if advice and advice not in getattr(error, "__notes__", ()):
        error.add_note(advice)


def _advice(error: BaseException) -> str:
    # Python's own alone: classes of others may fail again when they are asked.
    message = error.args[0] if type(error) in (AttributeError, TypeError) and error.args else ""
    if type(message) is not str:
        return ""
    if message == _NO_STATUS:
        return "its status comes first: HTTPError(404, 'there is no such item')"
    if message == "'method' object is not subscriptable":
        return "a method is called first, as in request.form()['name']"
    found = _NO_ATTRIBUTE.match(message) or _NO_KEYWORD.match(message)
    if found is None:
        return ""
    kind, name = found.groups()
    here = _ELSEWHERE.get(kind, {}).get(name)
    if here is not None:
        return wording(here)
    return _STATE if kind == "Request" and _was_set(error) else ""


def _was_set(error: BaseException) -> bool:
    """Whether an attribute was to be set, where the error arose; the message is that of a read."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_code[trace.tb_lasti] == _STORE_ATTR
