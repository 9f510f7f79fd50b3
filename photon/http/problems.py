"""Problems: every error as `application/problem+json`, the one shape clients have to know.

Source: RFC 9457, Problem Details for HTTP APIs.
"""

from __future__ import annotations

from typing import Any

from photon.http.errors import HTTPError
from photon.http.response import HeaderSource, Response, encode_json
from photon.http.status import reason_phrase

PROBLEM = "application/problem+json"


def problem(
    status: int,
    detail: str | None = None,
    *,
    title: str | None = None,
    headers: HeaderSource | None = None,
    **extra: Any,
) -> Response:
    """A response that says what went wrong.

    Args:
        detail: about this very case; left out of the body when None.
        title: the kind of problem; the phrase of the status when None.
        extra: further members of the body, any JSON value.
    """
    members: dict[str, Any] = {"status": status, "title": title or reason_phrase(status)}
    if detail is not None:
        members["detail"] = detail
    members.update(extra)
    return Response(encode_json(members), status, headers, PROBLEM)


def problem_of(error: HTTPError) -> Response:
    """The response that an `HTTPError` stands for."""
    return problem(
        error.status, error.detail, title=error.title, headers=error.headers or None, **error.extra
    )
