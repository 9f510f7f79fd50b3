"""Hosts taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.middleware.hosts import split_host


@pytest.mark.parametrize(
    ("host", "parts"),
    [
        ("example.com", ("example.com", "")),
        ("Example.COM.:8443", ("example.com", "8443")),
        ("example.com:", ("example.com", "")),
        ("a_b-c.example", ("a_b-c.example", "")),
        ("127.0.0.1:80", ("127.0.0.1", "80")),
        ("[::1]:8000", ("[::1]", "8000")),
        ("[2001:DB8:0:0::1]", ("[2001:db8::1]", "")),
        ("[::1", None),
        ("[1.2.3.4]", None),
        ("::1", None),
        ("", None),
        (".", None),
        (".example.com", None),
        ("a..b", None),
        ("a.b..", None),
        ("a:b", None),
        ("a:123456", None),
        ("user@a", None),
        ("a/b", None),
        ("a b", None),
        ("a\n", None),
        ("a'b", None),
        ("é", None),
        ("a" * 263, None),
    ],
)
def test_name_and_port(host: str, parts: tuple[str, str] | None) -> None:
    assert split_host(host) == parts


@given(st.text(st.characters(max_codepoint=255), max_size=300))
def test_any_text_is_read(host: str) -> None:
    parts = split_host(host)
    if parts is not None:
        name, port = parts
        assert split_host(f"{name}:{port}") == parts
