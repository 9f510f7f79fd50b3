"""Content codings: gzip, and Brotli and Zstandard where their packages are installed.

Sources: RFC 1952 (gzip), RFC 7932 (br), RFC 8878 and RFC 9659 (zstd).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

# Of streams, which may be many and long: so much of what was said is kept to refer to. With the
# library's own sizes one stream of zstd holds 800 KiB, and one of br 4 MiB; gzip's holds 256.
_STREAM_WINDOW_BITS = 18


class Coder(Protocol):
    """Encodes one body piece by piece."""

    def piece(self, data: bytes) -> bytes:
        """All that the client needs to decode the body up to here."""
        ...

    def end(self) -> bytes:
        """What closes the body."""
        ...


class Encoder(Protocol):
    """One coding at one level. May be used by several threads at once."""

    name: str
    level: int

    def whole(self, data: bytes) -> bytes:
        """A body that is all there."""
        ...

    def stream(self) -> Coder:
        """Begin a body."""
        ...


class Gzip:
    """gzip by zlib; level 1 to 9."""

    name = "gzip"

    def __init__(self, level: int) -> None:
        self.level = level

    def whole(self, data: bytes) -> bytes:
        return zlib.compress(data, self.level, wbits=31)

    def stream(self) -> Coder:
        return _GzipCoder(self.level)


class _GzipCoder:
    def __init__(self, level: int) -> None:
        self._object = zlib.compressobj(level, zlib.DEFLATED, 31)

    def piece(self, data: bytes) -> bytes:
        return self._object.compress(data) + self._object.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._object.flush()


class Brotli:
    """br by the package brotli; level 0 to 11.   Raises: ImportError."""

    name = "br"

    def __init__(self, level: int) -> None:
        self.level = level
        self._module: Any = import_module("brotli")

    def whole(self, data: bytes) -> bytes:
        compressed: bytes = self._module.compress(data, quality=self.level)
        return compressed

    def stream(self) -> Coder:
        return _BrotliCoder(self._module.Compressor(quality=self.level, lgwin=_STREAM_WINDOW_BITS))


class _BrotliCoder:
    def __init__(self, compressor: Any) -> None:
        self._object = compressor

    def piece(self, data: bytes) -> bytes:
        piece: bytes = self._object.process(data) + self._object.flush()
        return piece

    def end(self) -> bytes:
        end: bytes = self._object.finish()
        return end


class Zstandard:
    """zstd by the package zstandard; level 1 to 19, beyond which browsers lack the memory.

    RFC 9659 §3: decoders need not take windows larger than 8 MB, which level 19 has.
    Raises: ImportError.
    """

    name = "zstd"

    def __init__(self, level: int) -> None:
        self.level = level
        self._module: Any = import_module("zstandard")
        self._free: list[Any] = []

    def whole(self, data: bytes) -> bytes:
        # PERF: making a compressor takes 10 us. Two threads must not use one: each takes one out.
        try:
            compressor = self._free.pop()
        except IndexError:
            compressor = self._module.ZstdCompressor(level=self.level)
        compressed: bytes = compressor.compress(data)
        self._free.append(compressor)
        return compressed

    def stream(self) -> Coder:
        parameters = self._module.ZstdCompressionParameters.from_level(
            self.level, window_log=_STREAM_WINDOW_BITS
        )
        compressor = self._module.ZstdCompressor(compression_params=parameters)
        return _ZstandardCoder(compressor.compressobj(), self._module.COMPRESSOBJ_FLUSH_BLOCK)


class _ZstandardCoder:
    def __init__(self, compressor: Any, flush: int) -> None:
        self._object = compressor
        self._flush = flush

    def piece(self, data: bytes) -> bytes:
        piece: bytes = self._object.compress(data) + self._object.flush(self._flush)
        return piece

    def end(self) -> bytes:
        end: bytes = self._object.flush()
        return end


class StandardZstd:
    """zstd by the standard library, which has it from Python 3.14 on.   Raises: ImportError."""

    name = "zstd"

    def __init__(self, level: int) -> None:
        self.level = level
        self._module: Any = import_module("compression.zstd")

    def whole(self, data: bytes) -> bytes:
        compressed: bytes = self._module.compress(data, level=self.level)
        return compressed

    def stream(self) -> Coder:
        parameter = self._module.CompressionParameter
        compressor = self._module.ZstdCompressor(
            options={
                parameter.compression_level: self.level,
                parameter.window_log: _STREAM_WINDOW_BITS,
            }
        )
        return _StandardZstdCoder(compressor)


class _StandardZstdCoder:
    def __init__(self, compressor: Any) -> None:
        self._object = compressor

    def piece(self, data: bytes) -> bytes:
        piece: bytes = self._object.compress(data, self._object.FLUSH_BLOCK)
        return piece

    def end(self) -> bytes:
        end: bytes = self._object.flush()
        return end


# By name: the levels there are, the one in use when nobody names another, and how to make one.
# The defaults are those at which 16 KiB of JSON take 0.15 ms or less.
CODINGS: dict[str, tuple[range, int, tuple[Callable[[int], Encoder], ...]]] = {
    "zstd": (range(1, 20), 3, (StandardZstd, Zstandard)),
    "br": (range(12), 4, (Brotli,)),
    "gzip": (range(1, 10), 5, (Gzip,)),
}


def make_encoder(name: str, level: int) -> Encoder | None:
    """The encoder of a coding in `CODINGS`; None when no package for it is installed."""
    for make in CODINGS[name][2]:
        try:
            return make(level)
        except ImportError:
            continue
    return None
