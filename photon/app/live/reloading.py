"""An application whose pages follow its code: they reload when it was replaced, and say why not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from photon.app.live.injecting import is_page, wants_page, with_script
from photon.app.live.policies import let_through, origin_of
from photon.http.application import Application
from photon.http.headers import Headers
from photon.http.problems import problem
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import lifespan_of
from photon.http.sse import EventStream, ServerSentEvent
from photon.middleware.fields import owned
from photon.runtime.sync import Event
from photon.telemetry.debug_page.who import why_not

PREFIX = "/__photon__/"
_SCRIPT, _EVENTS = f"{PREFIX}live.js", f"{PREFIX}live"

_MOST_TEXT = 20_000


class LiveReload:
    """Wraps an application for development.

    Its pages get a script that keeps a connection to here, by which it sees when another process
    answers, and reloads the page.

    Attributes: generation: names this process; error: why the newest code does not serve, "" if
        it does.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._inner: Application = getattr(application, "composed", application)
        self.generation = token_urlsafe(8)
        self.error = ""
        self._news: list[tuple[str, str]] = []
        self._changed = Event()

    def running(self) -> AbstractContextManager[object]:
        """See `lifespan_of`."""
        return lifespan_of(self._application)

    def __getattr__(self, name: str) -> Any:
        if name in ("composed", "_application"):
            raise AttributeError(name)  # nobody shall go around this
        return getattr(self._application, name)

    # What pages are told...

    def show_error(self, text: str) -> None:
        """The newest code cannot be served, this goes on; "" for it is mended."""
        self.error = text[:_MOST_TEXT]
        self._tell("error-text", self.error)

    def change_styles(self) -> None:
        """Style sheets have changed, and nothing else."""
        self._tell("styles", "")

    def change_assets(self) -> None:
        """Files have changed that pages are made of, and no code."""
        self._tell("assets", "")

    def _tell(self, name: str, text: str) -> None:
        self._news.append((name, text))
        changed, self._changed = self._changed, Event()
        changed.set()

    def _events(self) -> Iterator[ServerSentEvent]:
        seen = len(self._news)
        yield ServerSentEvent({"generation": self.generation, "error": self.error}, event="hello")
        while True:
            changed = self._changed
            while seen < len(self._news):
                name, text = self._news[seen]
                seen += 1
                yield ServerSentEvent({"text": text}, event=name)
            changed.wait()

    # Requests...

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        path = request.raw_path
        if path.startswith(PREFIX):
            return self._own(request, path)
        if not wants_page(request):
            return self._inner(request)
        _take_as_it_is(request)
        response = self._inner(request)
        if response.content_type is None or not is_page(response):
            return response
        return self._followed(request, response)

    def _followed(self, request: Request, response: Response) -> Response:
        nonce = token_urlsafe(12)
        method = "" if request.method in ("GET", "HEAD") else ' data-sent=""'
        element = (
            f'<script src="{_SCRIPT}" data-generation="{self.generation}"{method} nonce="{nonce}"'
            " async></script>"
        )
        response = with_script(request, response, element.encode())
        policies = response.headers.get_all("content-security-policy")
        if policies:
            origin = origin_of(request.scheme, request.host)
            response = owned(response)
            del response.headers["content-security-policy"]
            for policy in policies:
                urls = (f"{origin}{_SCRIPT}", f"{origin}{_EVENTS}") if origin else ("", "")
                response.headers.append(
                    "content-security-policy", let_through(policy, *urls, nonce)
                )
        return response

    def _own(self, request: Request, path: str) -> Response:
        reason = why_not(request)
        if reason:
            return problem(403, f"{path} is for development: {reason}")
        if request.method not in ("GET", "HEAD"):
            return problem(405, "it is only read", headers={"allow": "GET, HEAD"})
        if path == _SCRIPT:
            fields = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
            return Response(_script(), 200, fields, "text/javascript; charset=utf-8")
        if path == _EVENTS:
            return EventStream(self._events())
        return problem(404, f"there is nothing at {path}")

    def __repr__(self) -> str:
        return f"<LiveReload of {self._application!r}>"


@cache
def _script() -> bytes:
    return (Path(__file__).parent / "live.js").read_bytes()


def _take_as_it_is(request: Request) -> None:
    """Have the page sent as it is: what was compressed further inside could not be read here."""
    head = request.head
    if "accept-encoding" not in head.fields.headers:
        return
    import msgspec

    pairs = [p for p in head.fields.headers.pairs() if p[0].lower() != "accept-encoding"]
    fields = msgspec.structs.replace(head.fields, headers=Headers(pairs))
    request.head = msgspec.structs.replace(head, fields=fields)
