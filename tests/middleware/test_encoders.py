"""Content codings: what was encoded is decoded to the same, whole and in pieces."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from photon.middleware import encoders
from photon.middleware.encoders import CODINGS, Brotli, Encoder, Gzip, Zstandard, make_encoder


class Inflater:
    """Decodes what came so far, as a client that reads a stream does."""

    def __init__(self, coding: str) -> None:
        decoder: Any = {
            "gzip": lambda: zlib.decompressobj(31),
            "br": brotli.Decompressor,
            "zstd": lambda: zstandard.ZstdDecompressor(max_window_size=8 << 20).decompressobj(),
        }[coding]()
        self._feed: Callable[[bytes], bytes] = (
            decoder.process if coding == "br" else decoder.decompress
        )

    def feed(self, data: bytes) -> bytes:
        return self._feed(data)


def inflate(coding: str, data: bytes) -> bytes:
    return Inflater(coding).feed(data)


ENCODERS: list[Encoder] = [
    *(Gzip(level) for level in CODINGS["gzip"][0]),
    *(Brotli(level) for level in (0, 4, 11)),
    *(Zstandard(level) for level in (1, 3, 19)),
]


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda e: f"{e.name}-{e.level}")
@pytest.mark.parametrize("body", [b"", b"a", b"abc" * 50_000])
def test_whole_bodies(encoder: Encoder, body: bytes) -> None:
    for _ in range(2):
        assert inflate(encoder.name, encoder.whole(body)) == body


@pytest.mark.parametrize("name", CODINGS)
@given(pieces=st.lists(st.binary(min_size=1, max_size=5000), max_size=10))
def test_each_piece_is_readable_when_it_comes(name: str, pieces: list[bytes]) -> None:
    encoder = make_encoder(name, CODINGS[name][1])
    assert encoder is not None
    coder, inflater = encoder.stream(), Inflater(name)
    for piece in pieces:
        encoded = coder.piece(piece)
        assert encoded
        assert inflater.feed(encoded) == piece
    assert inflater.feed(coder.end()) == b""


def test_a_coding_whose_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brotli", None)
    assert make_encoder("br", 4) is None


def test_zstd_of_the_standard_library_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    class Compressor:
        FLUSH_BLOCK = 1

        def __init__(self, *, options: dict[str, int]) -> None:
            self.options = options

        def compress(self, data: bytes, mode: int) -> bytes:
            return b"%d:%b" % (mode, data)

        def flush(self) -> bytes:
            return b"end"

    module: Any = ModuleType("compression.zstd")
    module.compress = lambda data, level: b"%d!%b" % (level, data)
    module.ZstdCompressor = Compressor
    module.CompressionParameter = type(
        "Parameter", (), {"compression_level": "level", "window_log": "window"}
    )
    monkeypatch.setitem(sys.modules, "compression", ModuleType("compression"))
    monkeypatch.setitem(sys.modules, "compression.zstd", module)
    encoder = make_encoder("zstd", 7)
    assert isinstance(encoder, encoders.StandardZstd)
    assert encoder.whole(b"a") == b"7!a"
    coder = encoder.stream()
    assert (coder.piece(b"a"), coder.end()) == (b"1:a", b"end")
