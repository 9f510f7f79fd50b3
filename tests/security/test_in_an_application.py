"""The schemes as providers of a real application."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated

import pytest

from photon import Photon
from photon.binding.markers import Depends
from photon.security.api_key import APIKey
from photon.security.basic import BasicCredentials, HTTPBasic
from photon.security.bearer import HTTPBearer
from photon.testing.wire import Wire

basic = HTTPBasic(realm="the shop")
maybe = HTTPBearer(optional=True)


def shop() -> Photon:
    app = Photon()

    @app.get("/me")
    def me(who: Annotated[BasicCredentials, Depends(basic)], n: int) -> str:
        return who.username

    @app.get("/maybe")
    def perhaps(token: Annotated[str | None, Depends(maybe)]) -> str:
        return token or "nobody"

    @app.get("/key")
    def key(key: Annotated[str, Depends(APIKey("x-key"))]) -> str:
        return key

    return app


CREDENTIALS = f"Authorization: Basic {b64encode(b'ann:x').decode()}"


@pytest.mark.parametrize(
    ("target", "field", "status", "says"),
    [
        ("/me?n=1", CREDENTIALS, 200, "ann"),
        ("/me?n=1", "X: y", 401, 'www-authenticate: Basic realm="the shop", charset="UTF-8"'),
        # Who is nobody does not learn what else is wrong.
        ("/me?n=x", "X: y", 401, "user name"),
        ("/me?n=x", CREDENTIALS, 422, "query"),
        ("/maybe", "X: y", 200, "nobody"),
        ("/maybe", "Authorization: Bearer abc", 200, "abc"),
        ("/maybe", "Authorization: Bearer a b", 401, "malformed"),
        ("/key", "X-Key: abc", 200, "abc"),
        ("/key", "X: y", 401, "x-key"),
    ],
)
def test_who_is_let_in(target: str, field: str, status: int, says: str) -> None:
    with Wire(shop()) as wire:
        request = f"GET {target} HTTP/1.1\r\nHost: x\r\n{field}\r\nConnection: close\r\n\r\n"
        wire.send(request.encode())
        answer = wire.receive().decode()
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert says in answer
