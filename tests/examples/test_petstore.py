"""The pet store does what it says, and its document says what it does: schemathesis compares them.

Its configuration, with the reasons for what is in it, is schemathesis.toml beside this file.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.petstore import Pet, app, orders, pets, photos
from photon.testing import TestClient, live_server

KEY = {"x-api-key": "meow"}
PNG = b"\x89PNG\r\n\x1a\n"
TOM = {"name": "Tom", "category": "cat", "price": 1500}

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture(autouse=True)
def _empty_store() -> Iterator[None]:
    yield
    for shelf in (pets, photos, orders):
        shelf.clear()


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(app, headers=KEY) as client:
        yield client


def add(client: TestClient, **changes: object) -> Pet:
    return client.post("/pets", json={**TOM, **changes}).json(Pet)


def test_a_pet_comes_and_goes(client: TestClient) -> None:
    made = client.post("/pets", json=TOM)
    assert (made.status, made.json(Pet).status) == (201, "available")
    path = made.headers["location"]
    assert client.patch(path, json={"price": 1200}).json(Pet).price == 1200
    assert client.get(path).json(Pet).name == "Tom"
    assert client.delete(path).status == 204
    assert client.get(path).status == 404


def test_pets_are_found(client: TestClient) -> None:
    add(client)
    add(client, name="Wanda", category="fish", price=300)
    add(client, name="Rex", category="dog", price=9000)

    def names(**params: object) -> list[str]:
        page = client.get("/pets", params=params).json()
        return [pet["name"] for pet in page["pets"]]

    assert names() == ["Tom", "Wanda", "Rex"]
    assert names(category=["cat", "dog"], sort="-price") == ["Rex", "Tom"]
    assert names(search="W", sort="name") == ["Wanda"]
    assert names(limit=1, offset=1) == ["Wanda"]
    assert client.get("/pets", params={"category": "cow"}).status == 422


def test_a_pet_is_sold_once(client: TestClient) -> None:
    pet = add(client)
    order = client.post("/orders", json={"pet_id": pet.id})
    assert order.status == 201
    assert client.post("/orders", json={"pet_id": pet.id}).status == 409
    assert client.delete(f"/pets/{pet.id}").status == 409
    [cats, *_] = client.get("/categories").json()
    assert cats == {"category": "cat", "available": 0, "sold": 1}
    assert client.delete(order.headers["location"]).status == 204
    assert client.delete(f"/pets/{pet.id}").status == 204


def test_a_photo_is_a_picture(client: TestClient) -> None:
    path = f"/pets/{add(client).id}/photo"
    assert client.get(path).content_type == "image/svg+xml"
    assert client.put(path, files={"photo": ("tom.png", PNG)}).status == 204
    photo = client.get(path)
    assert (photo.content_type, photo.content) == ("image/png", PNG)
    assert client.put(path, files={"photo": ("tom.png", b"<svg>", "image/png")}).status == 415
    assert client.put(path, files={"photo": ("tom.png", PNG + bytes(1 << 20))}).status == 413


@pytest.mark.parametrize("headers", [{"x-api-key": None}, {"x-api-key": "woof"}])
def test_strangers_only_look(headers: dict[str, str | None], client: TestClient) -> None:
    assert client.get("/pets", headers=headers).status == 200
    refused = client.post("/pets", json={"what": "ever"}, headers=headers)
    assert (refused.status, "APIKey" in refused.headers["www-authenticate"]) == (401, True)


@pytest.mark.timeout(300)  # some 800 requests: 10 s where nobody else is busy
def test_its_document_tells_the_truth(tmp_path: Path) -> None:
    with live_server(app) as client:
        run = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli"),
                *("--config-file", str(CONFIGURATION), "--no-color"),
                *("run", f"{client.base_url}/openapi.json"),
                *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"),
                *("--max-examples", "30", "--seed", "1", "--continue-on-failure"),
                *("--header", f"X-API-Key: {KEY['x-api-key']}"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "No issues found" in run.stdout
