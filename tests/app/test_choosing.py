"""Applications by the host that is asked, and by a version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from photon.app.choosing import Hosts, Versions
from photon.app.photon import Photon
from photon.http.request import Request
from photon.http.response import Response
from photon.testing.client import TestClient
from tests.app.requests import make_request


def saying(text: str) -> Photon:
    app = Photon()
    app.get("/")(lambda: text)
    return app


def mounted(application: Any) -> Photon:
    app = Photon(openapi_url=None)
    app.mount("", application)
    return app


# By host...


@pytest.fixture
def hosts() -> Photon:
    return mounted(
        Hosts(
            {
                "API.example.com": saying("api"),
                "*.example.com": saying("below"),
                "*.deep.example.com": saying("deep"),
                "[::1]": saying("six"),
                "bücher.example": saying("books"),
                "trailing.example.": saying("dot"),
            }
        )
    )


@pytest.mark.parametrize(
    ("host", "text"),
    [
        ("api.example.com", "api"),
        ("API.Example.COM", "api"),
        ("api.example.com:8000", "api"),
        ("api.example.com.", "api"),
        ("api.example.com.:80", "api"),
        ("a.example.com", "below"),
        ("a.b.example.com", "below"),
        ("a.deep.example.com", "deep"),
        ("deep.example.com", "below"),
        ("[::1]", "six"),
        ("[::1]:8000", "six"),
        ("xn--bcher-kva.example", "books"),
        ("trailing.example", "dot"),
    ],
)
def test_the_host_chooses(hosts: Photon, host: str, text: str) -> None:
    assert TestClient(hosts).get("/", headers={"host": host}).text == text


@pytest.mark.parametrize("host", ["example.com", "xexample.com", "example.org", "[::2]", "*"])
def test_another_host_is_421(hosts: Photon, host: str) -> None:
    response = TestClient(hosts).get("/", headers={"host": host})
    assert response.status == 421
    assert response.problem["detail"] == f"nothing is served here for the host {host!r}"


def test_a_host_may_be_as_long_as_it_likes(hosts: Photon) -> None:
    response = TestClient(hosts).get("/", headers={"host": "a" * 5000})
    assert response.status == 421
    assert len(response.content) < 500


def test_no_label_at_all_is_not_below(hosts: Photon) -> None:
    request = make_request("GET", "/", host=".example.com")
    assert hosts(request).status == 421


def test_others_have_a_default() -> None:
    app = mounted(Hosts({"a.example": saying("a")}, default=saying("other")))
    assert TestClient(app, base_url="http://a.example").get("/").text == "a"
    assert TestClient(app, base_url="http://b.example:8000").get("/").text == "other"
    assert app(make_request("GET", "/")).body == b"other"  # HTTP/1.0 may name none


@pytest.mark.parametrize(
    "host", ["", ".", "*", "*.", "a.*.b", "**.b", "a.b:80", "http://a.b", "a/b", "::1", "a b"]
)
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"is no host name; write 'example.com' or '\*.example"):
        Hosts({host: Photon()})


def test_mistakes_with_hosts_are_told() -> None:
    with pytest.raises(ValueError, match=r"'A.example' is named twice"):
        Hosts({"a.example": Photon(), "A.example": Photon()})
    with pytest.raises(TypeError, match="Photon is a class, not an application"):
        Hosts({"a.example": Photon})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="5 is no application"):
        Hosts({"a.example": Photon()}, default=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"takes applications by name, Hosts\({'...': app}\), not "):
        Hosts([Photon()])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes applications by name, and 5 is no text"):
        Hosts({5: Photon()})  # type: ignore[dict-item]


# By version...


@pytest.fixture
def versions() -> Photon:
    return mounted(Versions({"1": saying("one"), "2": saying("two")}))


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"api-version": "1"}, "one"),
        ({"Api-Version": " 2 "}, "two"),
        ({"accept": "application/json;version=2"}, "two"),
        ({"accept": 'text/html, application/json;q=0.5;version="1"'}, "one"),
        ({"accept": "application/json;version=2", "api-version": "1"}, "one"),
    ],
)
def test_the_version_chooses(versions: Photon, headers: dict[str, str], text: str) -> None:
    response = TestClient(versions).get("/", headers=headers)
    assert response.text == text
    assert response.headers["vary"] == "api-version, accept"


def test_a_version_that_is_none_is_400(versions: Photon) -> None:
    client = TestClient(versions)
    response = client.get("/", headers={"api-version": "3" * 5000})
    assert response.status == 400
    assert "there is no version '333" in response.problem["detail"]
    assert response.problem["detail"].endswith("'; there are 1, 2")
    assert len(response.content) < 500
    assert client.get("/").problem["detail"] == "say which version: api-version: one of 1, 2"


def test_the_version_may_have_a_default_and_one_place() -> None:
    by_header = mounted(Versions({"1": saying("one")}, header="X-V", parameter="", default="1"))
    response = TestClient(by_header).get("/", headers={"accept": "text/plain;version=7"})
    assert (response.text, response.headers["vary"]) == ("one", "x-v")
    by_accept = mounted(Versions({"1": saying("one"), "2": saying("two")}, header="", default="1"))
    client = TestClient(by_accept)
    assert client.get("/", headers={"api-version": "2"}).text == "one"
    response = client.get("/", headers={"accept": "text/plain;version=2"})
    assert (response.text, response.headers["vary"]) == ("two", "accept")


def test_a_response_that_everybody_is_given_stays_as_it_is() -> None:
    always = Response("always")

    def application(request: Request) -> Response:
        return always

    app = mounted(Versions({"1": application}, default="1"))
    for _ in range(2):
        assert TestClient(app).get("/").headers["vary"] == "api-version, accept"
    assert "vary" not in always.headers


def test_mistakes_with_versions_are_told() -> None:
    with pytest.raises(ValueError, match="the default '3' is none of 1, 2"):
        Versions({"1": Photon(), "2": Photon()}, default="3")
    with pytest.raises(ValueError, match="say where the version is said"):
        Versions({"1": Photon()}, header="", parameter="")
    with pytest.raises(TypeError, match="and 1 is no text"):
        Versions({1: Photon()})  # type: ignore[dict-item]


# What they open...


@pytest.mark.parametrize("choosing", [Hosts, Versions])
def test_what_all_of_them_open_is_opened_once(choosing: Any) -> None:
    story: list[str] = []

    def lifespan() -> Iterator[None]:
        story.append("open")
        yield
        story.append("close")

    inner = Photon(lifespan=lifespan)
    app = mounted(choosing({"a": inner, "b": inner}))
    for application in (app, choosing({"a": inner})):
        assert application.has_lifespan
        with pytest.raises(RuntimeError, match="has a lifespan to open first"):
            TestClient(application).get("/")
    with TestClient(app) as client:
        assert inner.is_running
        client.get("/")
    assert story == ["open", "close"]
    assert not inner.is_running
