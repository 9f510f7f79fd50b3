"""A limit for bodies of an application, a group or a route, in place of the server's own."""

from __future__ import annotations

from photon.http.application import Application
from photon.http.errors import BodyTooLarge
from photon.http.request import Request
from photon.http.response import Response
from photon.middleware.options import called_elsewhere, checked_number


@called_elsewhere(
    max_bytes="limit_bytes",
    max_size="limit_bytes",
    max_content_length="limit_bytes",
)
class BodyLimit:
    """Middleware that takes bodies up to a size: more than the server does, or less.

    Of two around one handler the inner one counts, if the outer one lets the body pass.

    Args: limit_bytes: 0 for no body at all.
    Raises: TypeError, ValueError.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = checked_number("BodyLimit", "limit_bytes", limit_bytes)

    def __call__(self, request: Request, application: Application) -> Response:
        """The application's response.

        Raises: BodyTooLarge (413): at once where Content-Length tells, while it is read where
        the body is chunked.
        """
        length = request.head.fields.body_bytes
        if length != 0:
            if length is not None and length > self._limit:
                raise BodyTooLarge(self._limit)
            request.limit_body(self._limit)
        return application(request)

    def __repr__(self) -> str:
        return f"BodyLimit({self._limit})"
