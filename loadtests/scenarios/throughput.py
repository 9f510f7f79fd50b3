"""Requests per second: the same request from every connection, for a few seconds."""

import json
from dataclasses import dataclass, field
from typing import Any

from loadtests import wrk
from loadtests.apps import TEXT_10K
from loadtests.process import Running, running
from loadtests.scenarios.base import Sample, Settings, WrongAnswer
from loadtests.servers import Server

MESSAGE = {"message": "Hello, World!"}

JSON_HEADERS = {"Content-Type": "application/json"}

ORDER = {
    "sku": "lamp-42",
    "quantity": 3,
    "price": 9.5,
    "gift": False,
    "email": "ada@example.org",
}

# Each of these is wrong: in its type, its length, its pattern or its bounds.
WRONG_PROFILE = {
    "name": "",
    "email": "nobody",
    "age": -1,
    "height": "tall",
    "score": 101,
    "active": "perhaps",
    "country": "Atlantis",
    "visits": 1.5,
    "rating": 7.5,
    "code": 12,
}

# What Chrome sends with a page's own fetch().
BROWSER = {
    "Accept": "application/json, text/plain, */*",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-US,en;q=0.9,de;q=0.8",
    "Cache-Control": "no-cache",
    "Cookie": "session=7f3b0c5e9a1d4e62; theme=dark; _ga=GA1.1.1234567890.1700000000",
    "Pragma": "no-cache",
    "Referer": "http://localhost/catalogue/lamps?page=2",
    "Sec-Ch-Ua": '"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"',
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-origin",
    "User-Agent": (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/140.0.0.0 Safari/537.36"
    ),
}


@dataclass(frozen=True)
class Throughput:
    """One request, and the answer every server must give to it before and after it is measured.

    An expected dict is JSON that must hold at least those values, an expected str the text itself,
    an expected int so many errors, told at once.
    """

    name: str
    title: str
    path: str
    expected: dict[str, Any] | str | int
    status: int = 200
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    connections: int = 64
    waits: bool = False
    unit: str = "requests/s"
    more_is_better: bool = True
    max_rounds: int = 99
    yardsticks: tuple[tuple[str, str], ...] = ()

    def measure(self, server: Server, settings: Settings) -> Sample:
        with running(server, settings.cores.server, waits=self.waits) as target:
            self.check(target)
            self.run(target, settings, settings.warm_up_s)
            result = self.run(target, settings, settings.seconds)
            self.check(target)
        return Sample(
            result.rate, {"p50 ms": result.p50_ms, "p99 ms": result.p99_ms}, result.errors
        )

    def run(self, target: Running, settings: Settings, seconds: int) -> wrk.Result:
        return wrk.run(
            target.url(self.path),
            settings.cores,
            connections=settings.connections or self.connections,
            seconds=seconds,
            method=self.method,
            headers=self.headers,
            body=self.body,
            status=self.status,
        )

    def check(self, target: Running) -> None:
        status, body = target.ask(self.method, self.path, self.headers, self.body)
        if status != self.status or not self.is_expected(body):
            raise WrongAnswer(f"{self.method} {self.path}: {status} {body[:200]!r}")

    def is_expected(self, body: bytes) -> bool:
        if isinstance(self.expected, str):
            return body == self.expected.encode()
        try:
            answer = json.loads(body)
        except ValueError:
            return False
        if not isinstance(answer, dict):
            return False
        if isinstance(self.expected, int):
            errors = answer.get("errors", answer.get("detail"))
            return isinstance(errors, list) and len(errors) == self.expected
        return self.expected.items() <= answer.items()


THROUGHPUT = (
    Throughput("json", "A JSON message, 64 connections", "/json", MESSAGE),
    Throughput(
        "headers", "The same with a browser's 12 headers", "/json", MESSAGE, headers=BROWSER
    ),
    Throughput(
        "typed",
        "A typed path value, query values left out",
        "/items/42",
        {"id": 42, "q": None, "limit": 10},
    ),
    Throughput(
        "typed-query",
        "A typed path value and two typed query values",
        "/items/42?q=lamp&limit=5",
        {"id": 42, "q": "lamp", "limit": 5},
    ),
    Throughput(
        "post",
        "POST of a small JSON body",
        "/items",
        {"name": "lamp", "price": 9.5},
        method="POST",
        headers=JSON_HEADERS,
        body='{"name": "lamp", "price": 9.5}',
    ),
    Throughput(
        "validated",
        "POST of five fields with constraints, sent back",
        "/orders",
        ORDER,
        method="POST",
        headers=JSON_HEADERS,
        body=json.dumps(ORDER),
        yardsticks=(("uvicorn-raw", "json"),),
    ),
    Throughput(
        "errors",
        "POST of ten fields, each of them wrong: 422 with ten errors",
        "/profiles",
        len(WRONG_PROFILE),
        status=422,
        method="POST",
        headers=JSON_HEADERS,
        body=json.dumps(WRONG_PROFILE),
    ),
    Throughput("bytes10k", "10 KiB of text", "/bytes10k", TEXT_10K),
    Throughput(
        "wait10",
        "A handler that waits 10 ms, 512 connections",
        "/wait10",
        MESSAGE,
        connections=512,
        waits=True,
    ),
    Throughput(
        "wait50",
        "A handler that waits 50 ms, 1000 connections",
        "/wait50",
        MESSAGE,
        connections=1000,
        waits=True,
    ),
)
