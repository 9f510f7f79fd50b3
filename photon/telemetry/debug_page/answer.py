"""What a developer's browser, or another client, gets for what failed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from secrets import token_urlsafe

from photon.http.errors import HTTPError
from photon.http.media import best_match
from photon.http.problems import PROBLEM, problem_of
from photon.http.request import Request
from photon.http.response import HTML, Response
from photon.routing.errors import MatchError
from photon.routing.route import Route
from photon.runtime.errors import Cancelled
from photon.telemetry.debug_page import failure as failures
from photon.telemetry.debug_page.markup import policy
from photon.telemetry.debug_page.not_found import not_found_page
from photon.telemetry.debug_page.page import Page
from photon.telemetry.debug_page.secrets import Redactor
from photon.telemetry.debug_page.who import why_not
from photon.telemetry.tracebacks import users_traceback

logger = logging.getLogger("photon.debug")

_MOST_LINES = 200
_LONGEST_TEXT = 30_000

_told: set[str] = set()


def debug_response(
    request: Request,
    cause: BaseException,
    answer: HTTPError,
    *,
    routes: Callable[[], Sequence[Route]],
    mounts: Callable[[], Collection[str]],
) -> Response:
    """The response to a request that `cause` ended: a page, or a problem with a member "debug".

    What an application answers on purpose, such as HTTPError(404), is answered as ever; so is
    who must not see more. It never fails: then, too, it is the answer itself.

    Args: answer: what the exception amounts to; routes, mounts: what there is, for a 404.
    """
    try:
        response = _debug_response(request, cause, answer, routes, mounts)
    except Exception:
        logger.exception("the debug page failed, which is a fault of Photon's")
        response = None
    return problem_of(answer) if response is None else response


def _debug_response(
    request: Request,
    cause: BaseException,
    answer: HTTPError,
    routes: Callable[[], Sequence[Route]],
    mounts: Callable[[], Collection[str]],
) -> Response | None:
    is_lost = isinstance(cause, MatchError) or _is_near_miss(cause)
    if not is_lost and (isinstance(cause, HTTPError) or answer.status < 500):
        return None
    reason = why_not(request)
    if reason:
        _tell_once(reason)
        return None
    wanted = best_match(request.headers.get("accept"), (PROBLEM, "application/json", "text/html"))
    if wanted == "text/html":
        nonce = token_urlsafe(16)
        if is_lost:
            said = answer.detail or ""
            text = not_found_page(request, answer.status, said, routes(), mounts(), nonce)
        else:
            text = _page(request, cause, answer.status, nonce)
        return _html(text, answer, nonce)
    if is_lost:
        return None
    return _as_problem(cause, answer)


def _is_near_miss(cause: BaseException) -> bool:
    """Whether dispatch found a route for the path with another slash at its end only."""
    return (
        isinstance(cause, HTTPError)
        and cause.status == 404
        and (cause.detail or "").startswith("no route matches ")
    )


def _page(request: Request, cause: BaseException, status: int, nonce: str) -> str:
    text = f"{request.method} {request.path}\n\n{_bounded(failures.as_text(cause))}"
    return Page(request, failures.failure_of(cause), status, text, Redactor()).html(nonce)


def _html(text: str, answer: HTTPError, nonce: str) -> Response:
    response = Response(
        text.encode("utf-8", "backslashreplace"), answer.status, answer.headers, HTML
    )
    headers = response.headers
    headers["content-security-policy"] = policy(nonce)
    headers["cache-control"] = "no-store"
    headers["x-content-type-options"] = "nosniff"
    headers["referrer-policy"] = "no-referrer"
    return response


def _as_problem(cause: BaseException, answer: HTTPError) -> Response:
    redactor = Redactor()
    try:
        told = users_traceback(cause)
    except Exception:
        told = failures.as_text(cause)
    failure = failures.failure_of(cause)
    for frame in failure.all_frames():
        for name, value in frame.variables.items():
            redactor.hides(name, value)
    found = failure.leaf
    culprit = found.culprit
    debug = {
        "type": found.kind,
        "message": redactor.clean(found.message),
        "where": f"{culprit.place} in {culprit.function}" if culprit is not None else None,
        "traceback": redactor.clean(_bounded(told)).splitlines()[-_MOST_LINES:],
    }
    if isinstance(cause, Cancelled):
        debug["waited"] = cause.where
    if found.spawned_at:
        debug["spawned_at"] = [f"{place} in {name}" for place, name in found.spawned_at]
    copy = HTTPError(
        answer.status,
        answer.detail,
        title=answer.title,
        headers=answer.headers,
        **{**answer.extra, "debug": _encodable(debug)},
    )
    return problem_of(copy)


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {name: _encodable(item) for name, item in value.items()}
    return value


def _bounded(text: str) -> str:
    if len(text) <= _LONGEST_TEXT:
        return text
    half = _LONGEST_TEXT // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"


def _tell_once(reason: str) -> None:
    if reason not in _told and len(_told) < 20:
        _told.add(reason)
        logger.warning(
            "the debug page was not shown: %s (names of this machine go into PHOTON_DEV_HOSTS)",
            reason,
        )
