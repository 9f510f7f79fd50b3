"""From values to paths."""

from typing import Any
from uuid import UUID

import pytest

from photon.routing.build import build_path
from photon.routing.errors import BuildError
from photon.routing.template import Template

SOME_UUID = UUID("c9bf9e57-1685-4c89-bafb-ff5af830be8a")


@pytest.mark.parametrize(
    ("template", "values", "path"),
    [
        ("/", {}, "/"),
        ("/a/", {}, "/a/"),
        ("/café", {}, "/caf%C3%A9"),
        ("/{x}", {"x": "a b/c?d#e%"}, "/a%20b%2Fc%3Fd%23e%25"),
        ("/{x}", {"x": 7}, "/7"),
        ("/{x}", {"x": "..."}, "/..."),
        ("/{x:int}/y", {"x": -7}, "/-7/y"),
        ("/{x:int}", {"x": "7"}, "/7"),
        ("/{x:float}", {"x": 1e16}, "/10000000000000000"),
        ("/{x:uuid}", {"x": SOME_UUID}, f"/{SOME_UUID}"),
        ("/f/{x:path}", {"x": "a/b c//é/"}, "/f/a/b%20c//%C3%A9/"),
        ("/f/{x:path}", {"x": ""}, "/f/"),
        ("/r-{y:int}.{f}", {"y": 2024, "f": "tar.gz"}, "/r-2024.tar.gz"),
        ("/{a}.{b}", {"a": ".", "b": "."}, "/..."),
        ("/{self}/{name}", {"self": 1, "name": 2}, "/1/2"),
    ],
)
def test_values_are_put_in(template: str, values: dict[str, Any], path: str) -> None:
    assert build_path(Template.parse(template), values) == path


@pytest.mark.parametrize(
    ("template", "values", "name", "says"),
    [
        ("/{x}", {}, "x", "needs a value for 'x'"),
        ("/{x}", {"x": None}, "x", "needs a value for 'x'"),
        ("/{x}", {"x": 1, "y": 2}, "y", "no value 'y'; it has x"),
        ("/x", {"y": 2}, "y", "it has none"),
        ("/{x}", {"x": ""}, "x", "'' does not fit 'x' (str)"),
        ("/{x}", {"x": "\0"}, "x", "does not fit"),
        ("/{x}", {"x": "\ud800"}, "x", "does not fit"),
        ("/{x}", {"x": ".."}, "x", "dot segment"),
        ("/{x:path}", {"x": "a/../b"}, "x", "dot segment"),
        ("/{x}.", {"x": "."}, "x", "dot segment"),
        ("/{x:int}", {"x": "seven"}, "x", "'seven' does not fit 'x' (int)"),
        ("/{x:int}", {"x": 1.5}, "x", "does not fit"),
        ("/{x:int}", {"x": True}, "x", "does not fit"),
        ("/{x:int}", {"x": 10**50}, "x", "does not fit"),
        ("/{x:float}", {"x": "abc"}, "x", "does not fit"),
        ("/{x:float}", {"x": float("nan")}, "x", "does not fit"),
        ("/{x:float}", {"x": 1e300}, "x", "does not fit"),
        ("/{x:float}", {"x": 10**400}, "x", "does not fit"),
        ("/{x:uuid}", {"x": "1"}, "x", "does not fit"),
        ("/{a}-{b}", {"a": "x", "b": "y-z"}, "a", "give back a and b"),
    ],
)
def test_what_would_not_come_back_is_refused(
    template: str, values: dict[str, Any], name: str, says: str
) -> None:
    with pytest.raises(BuildError) as caught:
        build_path(Template.parse(template), values)
    assert caught.value.name == name
    assert says in str(caught.value)
    assert template in str(caught.value)
