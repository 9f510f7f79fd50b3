"""Names that other frameworks export."""

from __future__ import annotations

from importlib import import_module

import pytest

from photon.runtime.elsewhere import DOORS, NAMES, way_to

ALL = {name for door in DOORS for name in import_module(door).__all__}


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("HTTPException", ": here it is HTTPError: from photon import HTTPError"),
        ("APIRouter", ": here it is Group: from photon import Group"),
        ("CORSMiddleware", ": here it is CORS: from photon.middleware import CORS"),
        ("TestClient", ": from photon.testing import TestClient"),
        ("HTTPBearer", ": from photon.security import HTTPBearer"),
        ("FileResponse", ": here it is Response.file(path)"),
        ("TaskGroup", ": here it is nursery: from photon import nursery"),
        ("WebSocketDisconnect", ": here it is WebSocketClosed: from photon import WebSocketClosed"),
        ("ConnectionManager", ": here it is Rooms: from photon import Rooms"),
        (
            "WebSocketException",
            ": raise HTTPError before it is accepted, ws.close(code, reason) after",
        ),
        ("cron", ': it is a method of the application: @app.cron("*/5 * * * *")'),
        ("every", ': it is a method of the application: @app.every("5m")'),
        ("shared_task", ": it is a method of the application: @app.task"),
        ("timeout", ": of a block it is fail_after(seconds), of a route timeout=seconds"),
        ("as_completed", ": here it is map_concurrent(fn, items, limit=...)"),
        ("jsonify", ": return the value itself, or Response.json(value, status, headers)"),
        ("Photn", "; did you mean Photon?"),
    ],
)
def test_the_way_to_what_it_is_here(name: str, way: str) -> None:
    assert way_to("photon", name) == way


def test_what_is_not_known_is_answered_with_what_there_is() -> None:
    assert way_to("photon.middleware", "zzz").startswith("; there are BodyLimit, CORS, ")


def test_a_name_of_another_door_is_there_whichever_is_asked() -> None:
    assert way_to("photon.testing", "Photon") == ": from photon import Photon"
    # The test bench has one for what came, which is called otherwise.
    assert way_to("photon.testing", "ServerSentEvent") == ": from photon import ServerSentEvent"


def test_every_name_is_one_here_and_none_is_in_vain() -> None:
    heads = {here.partition("(")[0].partition(".")[0] for here in NAMES.values() if " " not in here}
    assert heads - {"request"} <= ALL
    assert not NAMES.keys() & ALL
