"""What processes tell each other, as bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.ws.notices import (
    Alive,
    Asked,
    Gone,
    Joined,
    Left,
    Notice,
    Present,
    Said,
    Told,
    Updated,
    decode,
    encode,
)

NOTICES: list[Notice] = [
    Alive("a", True),
    Gone("a"),
    Asked("a", ["room"], ""),
    Said("a", b"\x81\x00", ["a.1"]),
    Joined("a", "a.1", b'{"name":"Ada"}'),
    Updated("a", "a.1", b'{"name":"Bob"}'),
    Left("a", "a.1"),
    Present("a", {"a.1": b"null"}, False, ""),
    Told("a", "b.1", b"\x81\x00"),
]


@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: type(notice).__name__)
def test_each_is_read_as_it_was_written(notice: Notice) -> None:
    assert decode(encode(notice)) == notice


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"hello", b"\x93\x01", encode([99, "a"])])
def test_what_is_none_is_told_apart(payload: bytes) -> None:
    assert decode(payload) is None


@given(st.binary(max_size=40))
def test_nothing_raises(payload: bytes) -> None:
    decode(payload)
