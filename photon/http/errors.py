"""What can go wrong between two HTTP peers, and whose fault it is.

Exception
├── HTTPError              an answer, raised: the status says whose fault it is
│   ├── BadBody            400, the body is not what it says it is
│   ├── BodyTimeout        408, the body stopped coming
│   ├── BodyTooLarge       413, the body is over the limit
│   ├── InvalidRequest     422, a value is not what is expected
│   │   └── InvalidBody    the body is well-formed and not what is expected
│   └── PartTooLarge       413, one part of a form is over its limit
├── ProtocolError          the peer broke HTTP; carries the status to refuse it with
└── ClientDisconnected     nobody is left to answer
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from photon.http.status import reason_phrase


class HTTPError(Exception):
    """Raise it anywhere in a handler to answer with a problem (RFC 9457).

    Args:
        status: 400 to 599.
        detail: what is wrong in this very case, for whoever reads the answer.
        headers: names and values to send along.
        title: the kind of the problem; the status's own phrase when left out.
        extra: further members of the problem, any JSON value.
    """

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        if not 400 <= status <= 599:
            raise ValueError(
                f"HTTPError is for statuses from 400 to 599, not {status}; return a Response"
            )
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.title = title
        self.headers = dict(headers or {})
        self.extra = extra

    def __str__(self) -> str:
        text = f"{self.status} {self.title or reason_phrase(self.status)}"
        return f"{text}: {self.detail}" if self.detail else text


class BadBody(HTTPError):
    """The request's body is not what it says it is: broken JSON, or text of another encoding."""

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(400, detail, **extra)


class BodyTimeout(HTTPError):
    """The request's body stopped coming. Attributes: seconds: how long nothing came."""

    def __init__(self, seconds: float) -> None:
        super().__init__(408, f"no byte of the body came for {seconds:g} s")
        self.seconds = seconds


class BodyTooLarge(HTTPError):
    """The request's body is over the limit. Attributes: limit: in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"the body is larger than the limit of {limit} bytes", limit=limit)
        self.limit = limit


class InvalidRequest(HTTPError):
    """The request is well-formed, but its values are not what the handler asked for.

    Args: errors: dicts of `loc` (a list of names and indexes; where it stands first: "path",
        "query", "header", "cookie", "body"), `msg` and `type`.
    """

    def __init__(
        self, errors: list[dict[str, Any]], detail: str = "the request is not what is expected here"
    ) -> None:
        super().__init__(422, detail, errors=errors)


class InvalidBody(InvalidRequest):
    """The request's body is well-formed, but not of the type the handler asked for.

    Args: errors: as of InvalidRequest.
    """

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors, "the body is not what is expected here")


class PartTooLarge(HTTPError):
    """One part of a form is over its limit.

    Args: what: names the part for whoever reads the answer.
    Attributes: limit: in bytes; part: its number in the form, from 1.
    """

    def __init__(self, what: str, limit: int, part: int) -> None:
        detail = f"{what} is larger than the limit of {limit} bytes"
        super().__init__(413, detail, limit=limit, part=part)
        self.limit = limit
        self.part = part


class ProtocolError(Exception):
    """The peer broke HTTP.

    Attributes:
        rule: the name of the rule in `protocol.rules`, for the log.
        status: what to answer before the connection is closed.
        detail: one sentence for the peer.
    """

    def __init__(self, rule: str, status: int, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule
        self.status = status
        self.detail = detail


class ClientDisconnected(Exception):
    """The client went away before it had sent all, or had been sent all."""
