"""While no code works everybody is told why."""

from __future__ import annotations

from photon.cli.broken import BrokenApplication
from photon.testing.client import TestClient

TEXT = """\x1b[31mTraceback (most recent call last):\x1b[0m
  File "shop.py", line 1
    def <script>alert(1)</script>
SyntaxError: invalid syntax; password=hunter2

Error: 'shop' failed while it was imported, see above"""


def test_a_browser_gets_a_page_and_a_program_a_problem() -> None:
    with TestClient(BrokenApplication("shop:app", TEXT), raise_server_exceptions=False) as client:
        page = client.post("/x", headers={"accept": "text/html"})
        assert (page.status, page.headers["retry-after"]) == (503, "1")
        assert "SyntaxError: invalid syntax" in page.text
        assert "<script>alert" not in page.text
        assert "hunter2" not in page.text
        problem = client.get("/x")
        assert problem.status == 503
        assert "SyntaxError: invalid syntax; password=[redacted]" in problem.json()["debug"]["text"]


def test_a_stranger_gets_neither() -> None:
    with TestClient(BrokenApplication("shop:app", TEXT), raise_server_exceptions=False) as client:
        told = client.get("/", headers={"accept": "text/html", "host": "evil.com"})
        assert told.json() == {"status": 503, "title": "Service Unavailable"}
