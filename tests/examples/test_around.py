"""What stands around the handlers is seen in each answer, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from examples.around import app
from photon.testing import TestClient


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "status"), [("/numbers", 200), ("/none", 404), ("/impatient", 504)]
)
def test_middleware_stands_around_every_answer(path: str, status: int, client: TestClient) -> None:
    answer = client.get(path, headers={"origin": "https://app.example.com"})
    assert answer.status == status
    assert answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
    assert answer.headers["server-timing"].startswith("app;dur=")


def test_no_other_origin_may_read_it(client: TestClient) -> None:
    answer = client.get("/numbers", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_what_is_long_is_compressed(client: TestClient) -> None:
    answer = client.get("/numbers", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json() == list(range(1000))


def test_the_group_has_middleware_of_its_own(client: TestClient) -> None:
    assert client.get("/drafts").headers["cache-control"] == "no-store"
    assert "cache-control" not in client.get("/numbers").headers


def test_a_report_is_made_side_by_side(client: TestClient) -> None:
    assert client.get("/report").json() == {
        "news": "the news of today",
        "weather": "the weather of today",
        "gave_up_on_horoscope": True,
    }


def test_who_is_impatient_is_told_so(client: TestClient) -> None:
    answer = client.get("/impatient")
    assert (answer.status, "within 0.02 s" in answer.text) == (504, True)


def test_resources_are_there_while_it_runs() -> None:
    with TestClient(app):
        assert app.state.opened == ["database"]
    assert app.state.opened == []
