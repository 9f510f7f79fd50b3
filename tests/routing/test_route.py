"""A route as a value."""

from dataclasses import FrozenInstanceError

import pytest

from photon.routing.converters import Converter, Converters
from photon.routing.errors import TemplateError
from photon.routing.route import Route
from photon.routing.template import Template


def test_a_route_keeps_what_it_was_given() -> None:
    endpoint = object()
    route = Route("/a/{id}", ["get", "POST"], endpoint, name="item", place="app.py:12")
    assert route.template == Template.parse("/a/{id}")
    assert route.methods == {"GET", "POST"}
    assert route.endpoint is endpoint
    assert (route.name, route.place) == ("item", "app.py:12")
    assert repr(route) == "<Route GET,POST /a/{id} (app.py:12)>"


def test_a_single_method_may_stand_alone() -> None:
    assert Route("/", "get", None).methods == {"GET"}
    assert str(Route("/", "get", None)) == "GET /"


def test_a_template_may_have_been_read_before() -> None:
    template = Template.parse("/{x}", Converters(Converter("y", str)))
    assert Route(template, ["GET"], None).template is template


@pytest.mark.parametrize("methods", [[], "", [""]])
def test_a_route_without_a_method_is_refused(methods: list[str] | str) -> None:
    with pytest.raises(ValueError, match="needs a method"):
        Route("/", methods, None)


def test_a_bad_template_is_refused_at_once() -> None:
    with pytest.raises(TemplateError):
        Route("/{", ["GET"], None)


def test_a_route_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Route("/", ["GET"], None).name = "x"  # type: ignore[misc]


def test_equal_looking_routes_are_two_routes() -> None:
    assert Route("/", ["GET"], None) != Route("/", ["GET"], None)


def test_a_route_builds_its_path() -> None:
    assert Route("/a/{self}/{id:int}", ["GET"], None).build_path(self="é", id=7) == "/a/%C3%A9/7"
