"""Media types by name."""

from __future__ import annotations

import pytest

from photon.http.file_types import TYPES, suffix_of, type_of
from photon.http.media import MediaType


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.wasm", "application/wasm"),
        ("a.webp", "image/webp"),
        ("a.avif", "image/avif"),
        ("a.woff2", "font/woff2"),
        ("a.webmanifest", "application/manifest+json"),
        ("a.js.map", "application/json"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("favicon.ico", "image/vnd.microsoft.icon"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.HTML", "text/html; charset=utf-8"),
        ("a.js/b", "application/octet-stream"),
        ("/x/.js", "application/octet-stream"),
        ("js", "application/octet-stream"),
        ("a.", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_types(name: str, media_type: str) -> None:
    assert type_of(name) == media_type


def test_one_s_own_go_first() -> None:
    assert type_of("a.JS", {".js": "text/own"}) == "text/own"
    assert type_of("a.css", {".js": "text/own"}) == TYPES[".css"]


@pytest.mark.parametrize("suffix", TYPES)
def test_the_table(suffix: str) -> None:
    assert suffix_of(f"a{suffix}") == suffix
    media_type = MediaType.parse(TYPES[suffix])
    assert (media_type.parameter("charset") == "utf-8") == (media_type.type == "text")
