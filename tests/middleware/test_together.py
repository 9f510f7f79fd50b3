"""All of them around one application, in the order in which they are meant to stand."""

from __future__ import annotations

import gzip
import json

from photon.app.photon import Photon
from photon.http.request import Request
from photon.http.server.serving import serve
from photon.middleware.body_limit import BodyLimit
from photon.middleware.compression import Compression
from photon.middleware.cors import CORS
from photon.middleware.forwarded import Forwarded
from photon.middleware.https_redirect import HTTPSRedirect
from photon.middleware.request_id import RequestId
from photon.middleware.security_headers import SecurityHeaders
from photon.middleware.trusted_hosts import TrustedHosts
from tests.clients import Client, expect_no_leaks, request

PROXIED = (
    "X-Forwarded-For: 203.0.113.9",
    "X-Forwarded-Proto: https",
    "Origin: https://shop.example",
    "Accept-Encoding: gzip",
    "X-Request-Id: from-the-proxy",
)


def make_app() -> Photon:
    app = Photon(
        middleware=[
            Forwarded(["127.0.0.1"]),
            RequestId(trust_incoming=True),
            SecurityHeaders(),
            CORS(origins=["https://shop.example"], credentials=True),
            TrustedHosts(["test"]),
            HTTPSRedirect(),
            BodyLimit(1000),
            Compression(),
        ]
    )

    @app.get("/")
    def read(request: Request) -> dict[str, str]:
        return {"peer": request.peer, "url": request.url, "filling": "x" * 2000}

    @app.post("/")
    def write(request: Request) -> int:
        return len(request.body())

    return app


def test_a_request_through_all_of_them() -> None:
    with serve(make_app()) as server:
        with Client(server) as client:
            for _ in range(2):
                answer = client.ask("/", *PROXIED)
                told = json.loads(gzip.decompress(answer.body))
                assert told["peer"] == "203.0.113.9:0"
                assert told["url"] == "https://test/"
                assert answer.headers["x-request-id"] == "from-the-proxy"
                assert answer.headers["access-control-allow-origin"] == "https://shop.example"
                assert answer.headers["vary"] == "accept-encoding, origin"
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["strict-transport-security"] == "max-age=31536000"
            client.send(request("POST", "/", *PROXIED, body=b"x" * 1001))
            assert client.answer().status == 413
            client.get("/")
            answer = client.answer()
            assert (answer.status, answer.headers["location"]) == (308, "https://test/")
        expect_no_leaks(server)
