"""Responses that name a template: a handler returns one, the application renders it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from photon.http.headers import ResponseHeaders
from photon.http.request import Request
from photon.http.response import HeaderSource, Response, StreamResponse
from photon.templating.names import media_type

if TYPE_CHECKING:
    from photon.templating.engine import Templates


class TemplateResponse(Response):
    """A page, by the name of its template and the values in it.

    The template sees the request that is answered as `request`.

    Args:
        name: of the template.
        context: the values, by name.
        status: 200 to 599.
        headers: names and values.
        content_type: by the name of the template when left out.
    """

    __slots__ = ("context", "name")

    def __init__(
        self,
        name: str,
        context: Mapping[str, Any] | None = None,
        /,
        *,
        status: int = 200,
        headers: HeaderSource | None = None,
        content_type: str | None = None,
    ) -> None:
        self.name = name
        self.context = _checked(name, context)
        super().__init__(b"", status, headers, content_type or media_type(name))

    def render(self, templates: Templates, request: Request | None) -> Response:
        """The finished response, with the status, headers and cookies of this one.

        Raises: as `Templates.render`.
        """
        text = templates.render(self.name, **{"request": request, **self.context})
        response = Response.__new__(Response)
        _carry_over(self, response)
        response.body = text.encode()
        return response

    def for_request(self, request: Request) -> NoReturn:
        kind = type(self).__name__
        raise RuntimeError(
            f"{kind}({self.name!r}) was not rendered: the application has no templates. "
            "Tell it where they are, Photon(templates='templates'), or render it yourself, "
            "Response.html(templates.render(...))"
        )

    def _what(self) -> str:
        return f"template {self.name}, not rendered"


class TemplateStream(TemplateResponse):
    """A page that is sent while it is made: what stands before a `{% flush %}` goes at once.

    Status and headers are out by then, so an error after it can only cut the page off.

    Args: as `TemplateResponse`.
    """

    __slots__ = ()

    def render(self, templates: Templates, request: Request | None) -> Response:
        """The response that streams the page.   Raises: TemplateNotFound; TemplateBroken."""
        response = StreamResponse.__new__(StreamResponse)
        _carry_over(self, response)
        response.body = b""
        response.chunks = templates.stream(self.name, **{"request": request, **self.context})
        return response


def _carry_over(source: Response, target: Response) -> None:
    """Give a response what was set on another one; its headers may be changed on their own."""
    for slot in Response.__slots__:
        if hasattr(source, slot):
            setattr(target, slot, getattr(source, slot))
    if source._headers is not None:
        target._headers = ResponseHeaders(source._headers)


def _checked(name: Any, context: Any) -> dict[str, Any]:
    if not isinstance(name, str):
        hint = "; the request comes by itself" if isinstance(name, Request) else ""
        raise TypeError(f"the name of a template is text, not {type(name).__name__}{hint}")
    if context is None:
        return {}
    if isinstance(context, Request):
        raise TypeError(
            f"TemplateResponse({name!r}, request) needs no request, it comes by itself; "
            "give the values of the page, {'title': ...}"
        )
    if not isinstance(context, Mapping):
        raise TypeError(
            f"the values of {name!r} are a mapping of names to values, not "
            f"{type(context).__name__}; write {{'item': item}}"
        )
    for key in context:
        if not isinstance(key, str):
            raise TypeError(f"a value of {name!r} has the name {key!r}, which is no text")
    return dict(context)
