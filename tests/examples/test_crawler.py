"""A small site that has all the faults of large ones is crawled."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from examples import crawler
from examples.crawler import End, Page, app, crawl
from photon import (
    Application,
    HTTPError,
    Photon,
    Request,
    Response,
    fail_after,
    serve,
    sleep,
)
from photon.testing import TestClient
from tests.clients import wait_until


class Site:
    """Attributes: url; requests: by path; most: requests at the same time; open: those now."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: Counter[str] = Counter()
        self.open = self.most = 0

    @property
    def netloc(self) -> str:
        return self.url.removeprefix("http://")

    def pages(self, *found: Page | End) -> dict[str, Page]:
        """By path."""
        return {page.url.removeprefix(self.url): page for page in found if isinstance(page, Page)}


def link_to(*paths: str) -> Response:
    links = "".join(f'<a href="{path}">there</a>' for path in paths)
    return Response.html(f"<title>Links\n to {len(paths)}</title>{links}")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    site = Site()
    there = Photon(docs_url=None, openapi_url=None)

    @there.middleware
    def count(request: Request, application: Application) -> Response:
        site.requests[request.path] += 1
        site.open += 1
        site.most = max(site.most, site.open)
        try:
            return application(request)
        finally:
            site.open -= 1

    @there.get("/")
    def index() -> Response:
        return link_to(
            "/a#top", "a", "/b?x=ä y", "mailto:a@example.com", "http://[", "http://other/"
        )

    @there.get("/a")
    def a() -> Response:
        return link_to("/", "/gone", "/moved")

    @there.get("/b")
    def b(x: str) -> str:
        return f"{x} is no HTML: <a href=/never>"

    @there.get("/moved")
    def moved() -> Response:
        return Response.redirect("/a")

    @there.get("/ends")
    def ends() -> Response:
        return link_to("/slow", "/drips", "/endless", "/fails", "/cut", "/mad", "/not-now", "/a")

    @there.get("/slow")
    def slow() -> None:
        sleep(100)

    @there.get("/drips")
    def drips() -> Response:
        def pieces() -> Iterator[str]:
            while True:
                yield "<"
                sleep(0.001)

        return Response.stream(pieces(), content_type="text/html")

    @there.get("/endless")
    def endless() -> Response:
        def pieces() -> Iterator[str]:
            yield "<title>Endless</title><a href=/a>"
            while True:
                yield "<p>" * 1000

        return Response.stream(pieces(), content_type="text/html")

    @there.get("/mad")
    def mad() -> Response:
        return Response.html("<![<![")  # some versions of html.parser fail at it

    @there.get("/fails")
    def fails() -> None:
        raise HTTPError(500)

    @there.get("/cut")
    def cut() -> Response:
        def pieces() -> Iterator[str]:
            yield "<title>"
            raise BrokenPipeError

        return Response.stream(pieces(), content_type="text/html")

    @there.get("/not-now")
    def not_now() -> Response:
        if site.requests["/not-now"] == 1:
            return Response(b"", 503, {"retry-after": "0"})
        return link_to()

    @there.get("/down")
    def down() -> Response:
        return link_to(*(f"/down/{n}" for n in range(20)))

    @there.get("/down/{n:int}")
    def down_too(n: int) -> None:
        raise HTTPError(503)

    @there.get("/numbers/{n:int}")
    def numbers(n: int) -> Response:
        sleep(0.001)
        return link_to(*(f"/numbers/{n * 10 + digit}" for digit in range(10)))

    with serve(there) as server:
        site.url = server.url
        monkeypatch.setattr(crawler, "SITES", {site.netloc})
        yield site
        wait_until(lambda: not site.open)
    crawler.hosts.clear()


def test_links_are_followed_once(site: Site) -> None:
    *found, end = crawl(site.url + "/")
    pages = site.pages(*found)
    assert pages.keys() == {"/", "/a", "/b?x=ä y", "/gone", "/moved"}
    assert pages["/"].title == "Links to 6"
    assert pages["/gone"].status == 404
    assert (pages["/moved"].status, pages["/moved"].links) == (307, [f"{site.url}/a"])
    assert end == End(5, 0, "all was visited")
    assert set(site.requests.values()) == {1}


def test_broken_pages_are_told_of_and_end_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crawler, "PAGE_S", 0.3)
    monkeypatch.setattr(crawler, "PAGE_BYTES", 10_000)
    *found, end = crawl(site.url + "/ends")
    pages = site.pages(*found)
    assert end == End(13, 0, "all was visited")
    for path in ("/slow", "/drips"):
        assert pages[path].error == "DeadlineExceeded: the block did not finish within 0.3 s"
    # As much of it was read as may be.
    assert (pages["/endless"].title, pages["/endless"].links) == ("Endless", [f"{site.url}/a"])
    assert pages["/fails"].status == 500
    assert pages["/cut"].error.startswith("IncompleteRead")
    assert pages["/mad"].links == []
    assert pages["/not-now"].status == 200  # the second time
    assert site.requests["/slow"] == site.requests["/drips"] == 3


def test_a_host_that_is_down_is_let_alone(site: Site) -> None:
    *found, _ = crawl(site.url + "/down")
    pages = site.pages(*found)
    assert len(pages) == 21
    refused = [page for page in pages.values() if page.error.startswith("BreakerOpen")]
    assert refused
    assert site.requests.total() < 21 + crawler.AT_ONCE_PER_HOST


def test_a_site_without_end_is_crawled_to_the_limit(site: Site) -> None:
    *found, end = crawl(site.url + "/numbers/1", pages=50)
    assert len(found) == 50
    assert end == End(50, 0, "50 pages were visited")
    assert site.most == crawler.AT_ONCE_PER_HOST


def test_a_crawl_ends_when_its_time_is_over(site: Site) -> None:
    *_, end = crawl(site.url + "/slow", seconds=0.1)
    assert end == End(0, 1, "0.1 s are over")
    wait_until(lambda: not site.open)


def test_who_has_seen_enough_leaves(site: Site) -> None:
    for page in crawl(site.url + "/ends"):
        assert isinstance(page, Page)
        if page.url.endswith("/a"):
            break
    wait_until(lambda: not site.open)  # /slow among them


@pytest.mark.parametrize("start", ["http://127.0.0.1:1/", "http://127.0.0.1:99999/", "http:///"])
def test_a_site_that_is_not_there_is_told_of(start: str) -> None:
    page, end = crawl(start)
    assert isinstance(page, Page)
    assert page.error
    assert end == End(1, 0, "all was visited")


# Over HTTP...


def test_pages_are_streamed_as_they_come(site: Site) -> None:
    with TestClient(app) as client:
        with client.stream("POST", "/crawls", json={"start": site.url + "/ends"}) as stream:
            assert stream.content_type == "application/x-ndjson"
            lines = stream.iter_lines()
            assert json.loads(next(lines))["title"] == "Links to 8"  # /slow is not over
            wait_until(lambda: site.open)
        wait_until(lambda: not site.open)  # we left, and the crawl with us


def test_the_last_line_says_why_it_is_the_last(site: Site) -> None:
    with TestClient(app) as client:
        crawled = client.post("/crawls", json={"start": site.url + "/", "pages": 2})
    assert json.loads(crawled.text.splitlines()[-1]) == {
        "type": "end",
        "visited": 2,
        "left": 0,
        "why": "2 pages were visited",
    }


@pytest.mark.parametrize(
    ("start", "status"),
    [("http://localhost/", 403), ("file:///etc/passwd", 422), ("http://[", 422)],
)
def test_what_nobody_allowed_is_not_crawled(start: str, status: int, site: Site) -> None:
    with TestClient(app) as client:
        assert client.post("/crawls", json={"start": start}).status == status


# On the command line...


def test_it_is_a_command_as_well(site: Site) -> None:
    with fail_after(15):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "examples.crawler", site.url, "--pages", "1"],
            capture_output=True,
            text=True,
            check=False,
        )
    page, end = done.stdout.splitlines()
    assert json.loads(page)["title"] == "Links to 6"
    assert json.loads(end)["visited"] == 1
    assert (done.returncode, done.stderr) == (0, "")
