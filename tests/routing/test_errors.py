"""Errors say whose fault it is, what to answer, and the way out."""

import pytest

from photon.routing.errors import (
    BadPath,
    BuildError,
    MatchError,
    MethodNotAllowed,
    RouteConflict,
    RouteNotFound,
    RoutingError,
    TemplateError,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadPath("no UTF-8"), 400),
        (RouteNotFound("/x"), 404),
        (MethodNotAllowed("PUT", "/x", ("GET",)), 405),
    ],
)
def test_errors_of_a_client_say_what_to_answer(error: MatchError, status: int) -> None:
    assert error.status == status


@pytest.mark.parametrize("kind", [TemplateError, RouteConflict, BuildError, MatchError])
def test_every_error_is_a_routing_error(kind: type[Exception]) -> None:
    assert issubclass(kind, RoutingError)


def test_a_template_error_points_at_the_fault() -> None:
    error = TemplateError("no such thing", "/a/{b}", 4, 5, remedy="leave it out")
    assert str(error).splitlines() == [
        "no such thing",
        "    /a/{b}",
        "        ^",
        "leave it out",
    ]


def test_a_template_error_without_a_remedy_ends_with_the_caret() -> None:
    assert str(TemplateError("empty", "", 0, 0)).splitlines()[-1] == "    ^"


def test_messages_for_a_log_name_path_and_method() -> None:
    assert str(RouteNotFound("/x")) == "no route matches '/x'"
    assert (
        str(MethodNotAllowed("PUT", "/x", ("GET", "HEAD")))
        == "'/x' does not take PUT, but GET, HEAD"
    )


def test_a_build_error_names_the_value() -> None:
    error = BuildError("id", "no id")
    assert (error.name, str(error)) == ("id", "no id")
