"""Bodies that are compressed, for tests that asked for that: the client itself never does."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

from photon.testing.errors import BadResponse

_Decode = Callable[[bytes], bytes]


def decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The body without its Content-Encoding, as it comes.

    Args: encoding: the header's value; of several the last one was applied last.
    Raises: BadResponse, for a body that is not of this encoding, or is cut.
    """
    names = [name.strip().lower() for name in encoding.split(",")]
    for name in reversed([name for name in names if name not in ("", "identity")]):
        pieces = _with_one(pieces, name)
    return iter(pieces)


def _with_one(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    decode, is_complete = _decoder(name)
    has_any = False
    for piece in pieces:
        has_any = True
        try:
            plain = decode(piece)
        except Exception as error:  # each library has its own
            raise BadResponse(f"the body is not {name}: {error}") from error
        if plain:
            yield plain
    if has_any and not is_complete():
        raise BadResponse(f"the body ended before its {name} did")


def _decoder(name: str) -> tuple[_Decode, Callable[[], bool]]:
    """A function for piece after piece, and one that tells whether the end has come."""
    if name in ("gzip", "x-gzip", "deflate"):
        inflate = zlib.decompressobj(wbits=47 if name != "deflate" else 15)
        return inflate.decompress, lambda: inflate.eof
    try:
        if name == "br":
            brotli: Any = import_module("brotli").Decompressor()
            return brotli.process, brotli.is_finished
        if name == "zstd":
            zstd: Any = import_module("zstandard").ZstdDecompressor().decompressobj()
            return zstd.decompress, lambda: bool(zstd.eof)
    except ImportError as error:
        raise BadResponse(f"the body is {name}, and {error.name} is not installed here") from error
    raise BadResponse(f"the body has a Content-Encoding that nothing here reads: {name!r}")
