"""Status codes: their phrases, and which carry no content."""

from __future__ import annotations

from http import HTTPStatus

SWITCHING_PROTOCOLS = 101
CLIENT_CLOSED_REQUEST = 499
"""The client went away before it was answered: nginx's number, for logs, never on the wire."""

_PHRASES = {status.value: status.phrase for status in HTTPStatus} | {
    # RFC 9110 renamed three; Python 3.13 followed.
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
    CLIENT_CLOSED_REQUEST: "Client Closed Request",
}


def reason_phrase(status: int) -> str:
    """The phrase of a status, such as "Not Found"; "Unknown" for one nobody registered."""
    return _PHRASES.get(status, "Unknown")


def check_status(status: int) -> None:
    """Refuse what cannot be the status of a final response.   Raises: ValueError."""
    if not 200 <= status <= 599:
        raise ValueError(f"{status} is no status of a response; they go from 200 to 599")


def has_content(status: int) -> bool:
    """Whether a response with this status may have content at all.

    RFC 9110 §6.4.1: "All 1xx (Informational), 204 (No Content), and 304 (Not Modified) responses
    do not include content."
    """
    return status >= 200 and status not in (204, 304)
