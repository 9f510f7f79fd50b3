"""A file and its encoded siblings, as they were found, and which of them a client takes."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from photon.http.files import etag_of
from photon.http.folder import Folder
from photon.http.headers import ResponseHeaders
from photon.http.media import parse_qualities
from photon.http.shelf import Stamp, stamp_of

ENDINGS = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
"""How the encoded sibling of a file is named, by its content coding."""

# What is longer is not remembered: no client repeats it.
_REMEMBERED_CHARS = 256


class Variant(NamedTuple):
    """One form of a file: as it is, or encoded.   Attributes: encoding: "" for as it is."""

    names: tuple[str, ...]
    encoding: str
    stamp: Stamp
    etag: str
    modified_s: int

    @property
    def size(self) -> int:
        return self.stamp[0]


class Found(NamedTuple):
    """A file.

    Attributes:
        path: below the directory, such as "css/site.css".
        variants: by encoding.
        headers: those of each variant, by encoding, once they were made.
    """

    path: str
    variants: dict[str, Variant]
    headers: dict[str, ResponseHeaders]

    def variant_for(self, accept_encoding: str | None) -> Variant:
        """The form a client likes best; among equals the smallest, and rather an encoded one."""
        variants = self.variants
        if accept_encoding is None or len(variants) == 1:
            return variants[""]
        if len(accept_encoding) <= _REMEMBERED_CHARS:
            accepted = _remembered(accept_encoding)
        else:
            accepted = _accepted(accept_encoding)
        best, best_rank = variants[""], (0.0, 0)
        for variant in variants.values():
            q = accepted.get(variant.encoding, accepted["*"]) if variant.encoding else 0.0
            if q and (q, -variant.size) > best_rank:
                best, best_rank = variant, (q, -variant.size)
        return best


def find(folder: Folder, names: tuple[str, ...], encodings: Sequence[str]) -> Found | None:
    """The file at a path with its siblings; None when a directory is there. Waits for the disk.

    A sibling that is older than the file itself, in whole seconds, was made of what it was before,
    and is left aside; an archive may have kept no more than seconds.

    Raises: OSError; ValueError: there is nothing.
    """
    itself, *siblings = folder.stat(names, *(ENDINGS[encoding] for encoding in encodings))
    if itself is None or not stat.S_ISREG(itself.st_mode):
        return None
    variants = {"": _variant(names, "", itself)}
    for encoding, status in zip(encodings, siblings, strict=True):
        if status is None or not stat.S_ISREG(status.st_mode):
            continue
        if int(status.st_mtime) >= int(itself.st_mtime):
            encoded = (*names[:-1], names[-1] + ENDINGS[encoding])
            variants[encoding] = _variant(encoded, encoding, status)
    return Found("/".join(names), variants, {})


def variant_etag(status: os.stat_result, encoding: str) -> str:
    """The entity tag of a file in this form: no two forms share one (RFC 9110 §8.8.3.3)."""
    etag = etag_of(status)
    return f'{etag[:-1]}-{encoding}"' if encoding else etag


def _variant(names: tuple[str, ...], encoding: str, status: os.stat_result) -> Variant:
    etag = variant_etag(status, encoding)
    return Variant(names, encoding, stamp_of(status), etag, int(status.st_mtime))


def _accepted(header: str) -> dict[str, float]:
    """The qualities of codings; "*" for those that are not named."""
    accepted = {"*": 0.0}
    accepted.update(parse_qualities(header))
    return accepted


# PERF: a browser's header takes 3 us to read, and is the same in each of its requests.
_remembered = lru_cache(256)(_accepted)
