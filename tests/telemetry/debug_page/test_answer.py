"""What a developer gets for what failed: who gets it, and what is in it."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from photon.app.photon import Photon
from photon.telemetry.debug_page import answer as module
from photon.testing.client import TestClient
from photon.testing.response import ClientResponse
from tests.telemetry.debug_page.shop import ATTACK, make_app

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Photon:
    monkeypatch.setenv("PHOTON_DEV", "1")
    return make_app()


@pytest.fixture
def client(app: Photon) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def page(client: TestClient, path: str, **headers: str) -> str:
    response = client.get(path, headers={**HTML, **headers})
    assert response.headers["content-type"] == "text/html; charset=utf-8", response.text
    return response.text


def text_of(page: str) -> str:
    """What one reads of a page."""
    page = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "", page))


# What it shows...


def test_a_page_shows_the_chain_of_exceptions_with_source_and_values(client: TestClient) -> None:
    told = text_of(page(client, "/cart/7?currency=USD"))
    for part in (
        "no price in 'USD' for ",
        "Which was caused by",
        "KeyError 'USD'",
        'return {"EUR": 1.0}[currency]',
        "shop.py:",
        "currency'USD'",
        "GET /cart/7?currency=USD",
        "Item(name='soap', api_key=[redacted])",
    ):
        assert part in told, part


def test_the_frames_of_photon_are_folded_and_the_users_are_open(client: TestClient) -> None:
    text = page(client, "/cart/7")
    assert '<details class="frame" open>' in text
    assert re.search(r'<details class="fold"><summary>\d+ frames? of Photon', text)


def test_a_nursery_is_a_tree(client: TestClient) -> None:
    told = text_of(page(client, "/nursery"))
    assert "a nursery failed: LookupError, ValueError" in told
    assert "no user 'ann'" in told
    assert "ValueError at the end" in told
    assert "and 1 more" in told
    assert re.search(r"This function was spawnedin in_a_nursery, \S+shop\.py:\d+", told)
    spawned = client.get("/nursery").json()["debug"]["spawned_at"]
    assert re.fullmatch(r"\S+shop\.py:\d+ in in_a_nursery", spawned[0])


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [("/slow", 504, "It was stopped while it waited at"), ("/too-long", 500, "The deadline came")],
)
def test_what_took_too_long_says_where_it_waited(
    client: TestClient, path: str, status: int, says: str
) -> None:
    response = client.get(path, headers=HTML)
    assert response.status == status
    assert says in text_of(response.text)
    assert "sleep_forever()" in text_of(response.text)


def test_a_page_of_a_thousand_frames_is_no_larger_than_it_may_be(client: TestClient) -> None:
    text = page(client, "/deep")
    assert "frames are left out" in text
    assert len(text) < 200_000


def test_what_is_no_exception_has_a_page_too(client: TestClient) -> None:
    assert "SystemExit" in page(client, "/exits")


def test_the_request_is_shown_with_its_body(client: TestClient) -> None:
    response = client.post(
        "/says", headers=HTML, json={"name": "soap", "card_number": 4242, "list": [{"pin": "1"}]}
    )
    told = text_of(response.text)
    assert '"name": "soap"' in told
    assert '"card_number": "[redacted]"' in told
    assert '"pin": "[redacted]"' in told


def test_a_form_in_the_body_is_shown_without_its_secrets(client: TestClient) -> None:
    told = text_of(client.post("/says", headers=HTML, data={"a": "b", "passwd": "xyzzy-1"}).text)
    assert "ab" in told
    assert "xyzzy-1" not in told


# What it does not show...


def test_no_secret_is_on_the_page(client: TestClient) -> None:
    text = page(
        client,
        "/cart/7?access_token=tok-1234567&currency=tok-1234567",
        cookie="sessionid=c00kie-value; theme=dark-blue-1",
        authorization="Bearer abc-def-ghi-jkl",
        referer="http://me:pw-in-url@here/?api_key=key-9876",
    )
    for secret in (
        *("hunter2!x", "p4ssw0rd", "t0psecret", "sk_live_4242", "tok-1234567", "c00kie-value"),
        *("abc-def-ghi-jkl", "pw-in-url", "key-9876", "dark-blue-1"),
    ):
        assert secret not in text, secret


def test_no_secret_is_in_the_json(client: TestClient) -> None:
    debug = client.get("/cart/7").json()["debug"]
    assert "[redacted]" in debug["message"]
    assert "hunter2!x" not in str(debug)


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_nothing_can_break_out_of_its_place(client: TestClient, accept: str) -> None:
    response = client.post(
        "/says?<script>=<img>", headers={"accept": accept, "x-a": ATTACK}, content=ATTACK.encode()
    )
    for part in ("<script>alert", "<img", "</pre></script>"):
        assert accept != "text/html" or part not in response.text
    if accept == "text/html":
        assert "alert(1)" in text_of(response.text)
        # One script, which is ours.
        assert response.text.count("<script") == 1


@pytest.mark.parametrize(
    "text", ["%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%E2%80%AEevil", "%00%1B[2J"]
)
def test_what_cannot_be_seen_is_escaped(client: TestClient, text: str) -> None:
    shown = page(client, f"/says/{text}")
    assert not {"\u202e", "\x00", "\x1b"} & set(shown)
    assert "<script>alert" not in shown


def test_the_page_runs_nothing_but_its_own_script(client: TestClient) -> None:
    response = client.get("/cart/7", headers=HTML)
    policy = response.headers["content-security-policy"]
    (nonce,) = re.findall(r"script-src 'nonce-([\w-]+)';", policy)
    assert f'<script nonce="{nonce}">' in response.text
    assert f'<style nonce="{nonce}">' in response.text
    assert " style=" not in response.text
    assert response.headers["cache-control"] == "no-store"
    other = client.get("/cart/7", headers=HTML).headers["content-security-policy"]
    assert other != policy


# For programs...


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/problem+json"])
def test_others_get_a_problem_with_the_traceback(client: TestClient, accept: str | None) -> None:
    response = client.get("/cart/7", headers={} if accept is None else {"accept": accept})
    assert response.status == 500
    assert response.headers["content-type"] == "application/problem+json"
    debug = response.json()["debug"]
    assert debug["type"] == "LookupError"
    assert "shop.py" in debug["where"]
    assert debug["traceback"][0] == "Traceback (most recent call last):"
    assert not any("photon/app" in line for line in debug["traceback"])
    assert "items" not in debug


def test_an_answer_on_purpose_stays_as_it_is(client: TestClient) -> None:
    response = client.get("/on-purpose", headers=HTML)
    assert response.json() == {
        "status": 503,
        "title": "Service Unavailable",
        "detail": "closed for lunch",
    }


# Who may see it...


def plain(response: ClientResponse) -> bool:
    return response.headers["content-type"] == "application/problem+json" and (
        "debug" not in response.json()
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.com"},  # DNS rebinding
        {"host": "127.0.0.1.evil.com"},
        {"host": "localhost.evil.com:8000"},
        {"x-forwarded-for": "8.8.8.8"},
        {"x-forwarded-for": "8.8.8.8, 127.0.0.1"},
        {"forwarded": 'for="[2606:4700::1]:4711";proto=https'},
        {"forwarded": "for=unknown"},
        {"origin": "https://evil.com"},
        {"origin": "null"},
    ],
    ids=str,
)
def test_strangers_see_nothing_of_it(client: TestClient, headers: dict[str, str]) -> None:
    assert plain(client.get("/cart/7", headers={**HTML, **headers}))
    assert plain(client.get("/nowhere", headers={**HTML, **headers}))


@pytest.mark.parametrize("peer", ["[2606:4700::1]:1", "8.8.8.8:53", "[::ffff:8.8.8.8]:1"])
def test_a_client_from_far_away_sees_nothing_of_it(app: Photon, peer: str) -> None:
    with TestClient(app, raise_server_exceptions=False, peer=peer) as client:
        assert plain(client.get("/cart/7", headers=HTML))
        assert plain(client.get("/cart/7"))


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost:8000"},
        {"host": "shop.localhost"},
        {"host": "192.168.1.7:8000"},
        {"host": "[::1]:8000"},
        {"host": "web"},
        {"host": "laptop.local"},
        {"x-forwarded-for": "172.17.0.1"},
        {"origin": "http://localhost:5173"},
    ],
    ids=str,
)
def test_neighbours_see_it(client: TestClient, headers: dict[str, str]) -> None:
    assert "Which was caused by" in page(client, "/cart/7", **headers)


def test_a_name_that_was_allowed_is_a_neighbour(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTON_DEV_HOSTS", "dev.shop.com,other.com")
    assert "Which was caused by" in page(client, "/cart/7", host="dev.shop.com")
    assert plain(client.get("/cart/7", headers={**HTML, "host": "shop.com"}))


def test_without_development_there_is_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTON_DEV", raising=False)
    with TestClient(make_app(), raise_server_exceptions=False) as client:
        assert plain(client.get("/cart/7", headers=HTML))
        assert plain(client.get("/nowhere", headers=HTML))


def test_without_development_none_of_it_is_imported() -> None:
    code = (
        "import photon, sys\n"
        "from photon.testing.client import TestClient\n"
        "app = photon.Photon()\n"
        "@app.get('/')\n"
        "def index(): 1 / 0\n"
        "with TestClient(app, raise_server_exceptions=False) as client:\n"
        "    assert client.get('/').status == 500\n"
        "print([name for name in sys.modules if 'debug_page' in name])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "[]\n"


# When it fails itself...


def test_a_fault_of_the_page_leaves_the_plain_answer(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_page", lambda *_: 1 / 0)
    assert plain(client.get("/cart/7", headers=HTML))
    assert "the debug page failed" in caplog.text


# Without a route...


def test_a_path_without_a_route_shows_the_near_ones_first(client: TestClient) -> None:
    response = client.get("/carts/7", headers=HTML)
    assert response.status == 404
    text = text_of(response.text)
    assert "no route matches '/carts/7'" in text
    assert text.index("/cart/{number:int}") < text.index("/says")
    told = re.search(r"Routes \((\d+)\)", text)
    assert told is not None
    assert int(told[1]) == response.text.count('<td class="where">')
    assert response.text.count("<tr class=near>") == 1


def test_a_slash_too_many_shows_them_too(client: TestClient) -> None:
    assert "did you mean '/nursery'?" in text_of(page(client, "/nursery/"))


def test_a_method_too_few_shows_them_too(client: TestClient) -> None:
    response = client.delete("/nursery", headers=HTML)
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert "Method not allowed" in response.text


def test_programs_get_a_404_as_ever(client: TestClient) -> None:
    assert client.get("/carts/7").json()["detail"] == "no route matches '/carts/7'"
