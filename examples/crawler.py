"""A crawler: it follows the links of a site, politely, and tells of each page as it comes.

python -m examples.crawler http://127.0.0.1:8001/ --pages 50

CRAWLER_SITES=127.0.0.1:8001,example.com photon run examples.crawler:app
curl -N http://127.0.0.1:8000/crawls --json '{"start": "http://127.0.0.1:8001/", "pages": 50}'

Or in a program: `for page in crawl("http://127.0.0.1:8001/"): print(page)`. It reads no robots.txt:
add urllib.robotparser before you let it loose on what is not yours.
"""

import argparse
import os
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import closing
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from math import inf
from typing import Annotated
from urllib.parse import quote, urldefrag, urljoin, urlsplit

import msgspec
from msgspec import Meta, Struct

from photon import (
    NDJSON,
    CapacityLimiter,
    CircuitBreaker,
    HTTPError,
    Photon,
    fail_after,
    map_concurrent,
    move_on_after,
    offload,
    open_channel,
    retry,
)

AT_ONCE, AT_ONCE_PER_HOST = 20, 4
PAGE_S = 5.0
PAGE_BYTES, PAGE_LINKS = 256 << 10, 1000  # a page may have no end, and a million links
# Who asks for a crawl has this machine send requests, maybe to what only this machine can reach
# (SSRF). So the endpoint crawls these sites alone: "host" or "host:port", as URLs have it.
SITES = frozenset(filter(None, os.environ.get("CRAWLER_SITES", "").split(",")))


class Page(Struct, tag="page"):
    """What was found. Attributes: status: 0 when there was no answer, and `error` says why."""

    url: str
    status: int = 0
    title: str = ""
    links: list[str] = []
    error: str = ""


class End(Struct, tag="end"):
    """The last that a crawl tells; without it the stream was cut off."""

    visited: int
    left: int
    why: str


# The whole of it: pages are visited side by side, and what they link to is visited next...


def crawl(
    start: str, *, sites: Collection[str] = (), pages: int = 100, seconds: float = 60.0
) -> Iterator[Page | End]:
    """The pages of the start page's site, or of several `sites`, in the order they come.

    The greenlets that fetch them belong to this generator: when it is closed, because its reader
    has seen enough or was cancelled, each ends where it waits.
    """
    sites = sites or {urlsplit(start).netloc}
    seen = {start}
    # Without a limit: the loop below fills it and would wait for itself. What `seen` holds is one.
    todo, urls = open_channel[str](inf)
    todo.send(start)
    visited, until = 0, time.monotonic() + seconds
    why = "all was visited"
    with map_concurrent(visit, urls, limit=AT_ONCE, ordered=False) as found:
        while visited < len(seen):
            # Not around the whole loop: how long the reader takes for a page is his business, and
            # a scope must not be open when a generator hands over.
            with move_on_after(until - time.monotonic()) as patience:
                page = next(found)
            if patience.cancelled_caught:
                why = f"{seconds:g} s are over"
                break
            visited += 1
            for link in page.links:
                if link in seen or urlsplit(link).netloc not in sites:
                    continue
                if len(seen) == pages:
                    why = f"{pages} pages were visited"
                    break
                seen.add(link)
                todo.send(link)
            yield page
    yield End(visited, len(seen) - visited, why)


# One page...


class Unavailable(Exception):
    """The host says: not now. Attributes: retry_after: seconds; `retry` waits that long."""

    def __init__(self, status: int, retry_after: str | None) -> None:
        super().__init__(f"it answered {status}")
        self.retry_after = int(retry_after) if retry_after and retry_after.isdecimal() else None


BAD_LUCK = (OSError, HTTPException, Unavailable)  # a TimeoutError is an OSError


class Host:
    """What all who ask one host share, crawls of other people included."""

    def __init__(self, name: str) -> None:
        self.limiter = CapacityLimiter(AT_ONCE_PER_HOST)
        self.breaker = CircuitBreaker(name, failures=10, reset_s=10, counts=BAD_LUCK)


hosts: dict[str, Host] = {}


def visit(url: str) -> Page:
    """Never raises: one page that is broken must not end the crawl."""
    name = urlsplit(url).netloc
    host = hosts.setdefault(name, Host(name))
    try:
        return ask(host, url)
    except Exception as error:  # which Cancelled is not: to be told to end ends this, too
        return Page(url, error=f"{type(error).__name__}: {error}")


@retry(on=BAD_LUCK, attempts=3, backoff=0.2, budget_s=20)
def ask(host: Host, url: str) -> Page:
    """From the outside in: whoever waits to try again holds no place, a host that is down is not
    asked, and a slow page counts against it, for its time is over within the breaker."""
    with host.limiter, host.breaker, fail_after(PAGE_S):
        return fetch(url)


def fetch(url: str) -> Page:
    """Plain blocking code of the standard library: while it waits, others run."""
    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(connect(parts.hostname or "", parts.port)) as connection:
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
        query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
        connection.request("GET", f"{path}?{query}" if query else path)
        answer = connection.getresponse()
        if answer.status in (429, 502, 503, 504):  # a 500 is about this page alone
            raise Unavailable(answer.status, answer.headers["Retry-After"])
        return read(url, answer)


def read(url: str, answer: HTTPResponse) -> Page:
    page = Page(url, answer.status)
    if location := answer.headers["Location"]:
        page.links = links_of(url, [location])  # a redirect is followed as any link, or not at all
    elif answer.headers.get_content_type() == "text/html":
        html = answer.read(PAGE_BYTES).decode("utf-8", "replace")
        # It waits for nothing and takes a while, in which nobody else would run: a native thread.
        page.title, page.links = offload(title_and_links, url, html)
    return page


def title_and_links(url: str, html: str) -> tuple[str, list[str]]:
    reader = Reader()
    reader.feed(html)
    return " ".join(reader.title.split()), links_of(url, reader.hrefs)


class Reader(HTMLParser):
    """Finds the title, and what links refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and len(self.hrefs) < PAGE_LINKS and (href := dict(attrs).get("href")):
            self.hrefs.append(href)

    def handle_data(self, data: str) -> None:
        if self.lasttag == "title":
            self.title += data


def links_of(url: str, hrefs: list[str]) -> list[str]:
    """Absolute and without fragments, each once; what is no HTTP URL is left out."""
    links = {}
    for href in hrefs:
        try:
            link = urldefrag(urljoin(url, href)).url
            if urlsplit(link).scheme in ("http", "https"):
                links[link] = True
        except ValueError:  # such as http://[
            pass
    return list(links)


# Over HTTP...

app = Photon(title="Crawler")


class Wanted(Struct, forbid_unknown_fields=True):
    start: Annotated[str, Meta(pattern="^https?://", max_length=2000)]
    pages: Annotated[int, Meta(ge=1, le=10_000)] = 100
    seconds: Annotated[float, Meta(gt=0, le=600)] = 60.0

    def __post_init__(self) -> None:
        urlsplit(self.start)  # a ValueError here, as for http://[, is answered with 422


@app.post("/crawls")
def start_crawl(wanted: Wanted) -> NDJSON:
    """Each page is a line, sent when it was found. A client that leaves ends the crawl."""
    site = urlsplit(wanted.start).netloc
    if site not in SITES:
        raise HTTPError(403, f"{site} is not crawled here")
    found = crawl(wanted.start, sites=SITES, pages=wanted.pages, seconds=wanted.seconds)
    return NDJSON(found)


# On the command line...


def main() -> None:
    parser = argparse.ArgumentParser(description="Crawl a site.")
    parser.add_argument("start")
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    for found in crawl(**vars(parser.parse_args())):
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")


if __name__ == "__main__":
    from photon.runtime import monkey

    monkey.patch()  # `photon run` does that by itself
    main()
