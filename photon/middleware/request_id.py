"""Each response names its request, as logs and problems do."""

from __future__ import annotations

import re

from photon.http.application import Application
from photon.http.request import Request
from photon.http.response import Response
from photon.middleware.fields import owned
from photon.middleware.options import called_elsewhere, checked_fields, checked_flag, shown_options

# UUIDs, ULIDs, hexadecimal, base64, traceparent, AWS's "Root=1-...": nothing that could break a
# line of a log, or mean something in a shell, in HTML or in SQL.
_SAFE = r"[A-Za-z0-9._\-+/=:@]{1,128}"


@called_elsewhere(
    header_name="header",
)
class RequestId:
    """Middleware that puts `request.id` on the response, and takes it over from the request.

    Args:
        header: its name.
        trust_incoming: whether the request may bring its id, from a proxy or a service in front.
            Strangers could send the id of somebody else's request, and blur the logs.
        pattern: what an id that came must be, from end to end; letters, digits and `._-+/=:@`, at
            most 128, when left out. What is no such id is replaced by a new one.
    Raises: TypeError, ValueError.
    """

    def __init__(
        self,
        *,
        header: str = "x-request-id",
        trust_incoming: bool = False,
        pattern: str | re.Pattern[str] | None = None,
    ) -> None:
        ((self._header, _),) = checked_fields("RequestId", {header: ""})
        self._trusts = checked_flag("RequestId", "trust_incoming", trust_incoming)
        if pattern is not None and not trust_incoming:
            raise ValueError("RequestId(pattern=...) is for ids that come: add trust_incoming=True")
        self._pattern = pattern
        try:
            self._matches = re.compile(_SAFE if pattern is None else pattern).fullmatch
        except re.error as error:
            raise ValueError(f"RequestId(pattern={pattern!r}): {error}") from None

    def __call__(self, request: Request, application: Application) -> Response:
        """The application's response, with the id of the request."""
        if self._trusts:
            given = request.headers.get(self._header, "").strip(" \t")
            # Bounded, whatever a pattern of the user's would do with 8 KiB.
            if given and len(given) <= 128 and self._matches(given) and given.isprintable():
                request.id = given
        response = owned(application(request))
        response.headers[self._header] = request.id
        return response

    def __repr__(self) -> str:
        options: dict[str, object] = {"header": self._header, "trust_incoming": self._trusts}
        if self._pattern is not None:
            options["pattern"] = self._pattern
        return shown_options(self, options)
