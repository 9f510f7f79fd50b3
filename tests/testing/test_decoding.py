"""Compressed bodies, in pieces of any size."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard

from photon.testing.decoding import decoded
from photon.testing.errors import BadResponse

PLAIN = b"some text, " * 1000

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("name", ENCODERS)
def test_what_was_compressed_is_read(name: str) -> None:
    data = ENCODERS[name](PLAIN)
    for size in (1, 7, len(data)):
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        assert b"".join(decoded(pieces, name)) == PLAIN
    assert list(decoded([], name)) == [], "the answer to HEAD has no body"


@pytest.mark.parametrize("name", ENCODERS)
def test_a_body_that_is_cut_or_broken_is_told(name: str) -> None:
    with pytest.raises(BadResponse, match=f"the body ended before its {name} did"):
        list(decoded([ENCODERS[name](PLAIN)[:-6]], name))
    with pytest.raises(BadResponse, match=f"the body is not {name}"):
        list(decoded([b"no such thing at all, whatever it is"], name))


def test_several_are_taken_off_in_reverse() -> None:
    data = gzip.compress(zlib.compress(PLAIN))
    assert b"".join(decoded([data], "Deflate, identity, GZIP")) == PLAIN


def test_an_unknown_one_is_told() -> None:
    with pytest.raises(BadResponse, match="nothing here reads: 'lzw'"):
        list(decoded([b"x"], "lzw"))
