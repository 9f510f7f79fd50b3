"""The routes of an application as JSON."""

from __future__ import annotations

import datetime
import subprocess
import sys
from typing import Annotated, Any

import msgspec

from photon.app.photon import Photon
from photon.binding.markers import Depends, Query
from photon.cli.route_json import as_bytes, document
from tests.cli.shop import connection, make_hosts, make_shop
from tests.processes import ROOT, environment


def read(application: Any) -> Any:
    return msgspec.json.decode(as_bytes(document(application, "shop:app")))


def test_the_document_lists_all_parts() -> None:
    found = read(make_hosts())
    assert (found["format"], found["application"]) == (1, "shop:app")
    assert [part["kind"] for part in found["parts"]][:4] == [
        "hosts",
        "photon",
        "photon",
        "versions",
    ]
    assert found["parts"][2]["conditions"] == [{"of": "host", "value": "shop.test"}]
    mounts = {mount["prefix"]: mount for mount in found["parts"][1]["mounts"]}
    assert (mounts["/files"]["kind"], mounts["/files"]["is_part"]) == ("other", False)


def test_a_route_has_all_that_is_known() -> None:
    routes = {route["name"]: route for route in read(make_shop())["parts"][0]["routes"]}
    show = routes["items.show"]
    assert (show["methods"], show["path"], show["handler"]) == (["GET"], "/items/{id:int}", "show")
    assert show["timeout_s"] == 2
    by_name = {parameter["name"]: parameter for parameter in show["parameters"]}
    assert by_name["id"]["constraints"] == {"ge": 1}
    assert by_name["id"]["required"]
    assert "default" not in by_name["id"]
    assert [guard["name"] for guard in show["guards"]] == ["signed_in"]
    (provider,) = [a["provider"] for a in show["arguments"] if a["from"] == "provider"]
    assert (provider["name"], provider["kind"], provider["concurrent"]) == (
        "connection",
        "generator",
        True,
    )
    create = routes["items.create"]
    assert create["body"]["type"] == "Item"
    assert create["body"]["media_types"] == ["application/json"]
    assert create["responses"] == [{"status": 409, "type": "", "description": "taken"}]
    assert create["middleware"][0]["name"] == "audit"
    assert routes["items.search"]["parameters"][1]["default"] == []
    assert routes["chat"]["is_websocket"]


def test_defaults_that_json_has_not_are_shown() -> None:
    app = Photon()
    mark = object()

    @app.get("/")
    def handler(
        day: datetime.date = datetime.date(2024, 2, 29),
        kinds: Annotated[set[str], Query()] = {"b", "a"},  # noqa: B006
        what: Annotated[str, Query()] = mark,  # type: ignore[assignment]
        conn: Annotated[int, Depends(connection)] = 0,
    ) -> None: ...

    (route,) = read(app)["parts"][0]["routes"]
    defaults = {p["name"]: p["default"] for p in route["parameters"]}
    assert defaults == {"day": "2024-02-29", "kinds": ["a", "b"], "what": "<object object>"}


def test_it_is_the_same_in_each_process() -> None:
    code = (
        "from photon.cli.route_json import *; from tests.cli.shop import *;"
        "import sys; sys.stdout.buffer.write(as_bytes(document(make_hosts(), 'x:y')))"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=environment({"PYTHONHASHSEED": seed}),
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1
