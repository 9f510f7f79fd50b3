from __future__ import annotations

import pytest

from photon.openapi.paths import Paths
from photon.routing.template import Template


def placed(*wanted: tuple[str, str]) -> list[tuple[str, tuple[str, ...]]]:
    paths = Paths()
    made = []
    for template, method in wanted:
        path, names = paths.place(Template.parse(template), method)
        assert method not in paths.items[path]
        paths.items[path][method] = {}
        made.append((path, names))
    return made


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/", "/"),
        ("/a/", "/a/"),
        ("/a/{id:int}", "/a/{id}"),
        ("/files/{rest:path}", "/files/{rest}"),
        ("/{name}.{ext}", "/{name}.{ext}"),
        ("/café au lait", "/caf%C3%A9%20au%20lait"),
        ("/a:b@c", "/a:b@c"),
    ],
)
def test_a_template_as_openapi_has_it(template: str, path: str) -> None:
    ((found, _),) = placed((template, "get"))
    assert found == path


def test_routes_that_differ_in_names_share_a_path() -> None:
    assert placed(("/a/{id}/{x}", "get"), ("/a/{key}/{y}", "put")) == [
        ("/a/{id}/{x}", ("id", "x")),
        ("/a/{id}/{x}", ("id", "x")),
    ]


def test_routes_that_differ_in_converters_are_two_paths() -> None:
    wanted = ("/{id:int}", "get"), ("/{id}", "get"), ("/{slug}", "get"), ("/{any}", "put")
    assert [path for path, _ in placed(*wanted)] == ["/{id}", "/{id_str}", "/{slug}", "/{id}"]


def test_methods_stand_in_the_order_of_openapi() -> None:
    paths = Paths()
    for method in ("post", "get"):
        path, _ = paths.place(Template.parse("/"), method)
        paths.items[path][method] = {}
    assert list(paths.as_object()["/"]) == ["get", "post"]
