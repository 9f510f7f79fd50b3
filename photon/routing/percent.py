"""Percent-encoding of path segments (RFC 3986 §2.1 and §3.3), strict in what it reads.

A path is split at its slashes *before* it is decoded, so that `%2F` is a character of a value and
never a separator.
"""

import re
from urllib.parse import quote, unquote_to_bytes

from photon.routing.errors import BadPath

# RFC 3986 §3.3: pchar = unreserved / pct-encoded / sub-delims / ":" / "@"
# (`quote` leaves the unreserved ones alone by itself.)
_SAFE = "!$&'()*+,;=:@"

_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


def encode_segment(text: str) -> str:
    """The one normal wire form of a segment: `a b/c` becomes `a%20b%2Fc`.

    Raises: UnicodeEncodeError: a lone surrogate, which has no UTF-8 form.
    """
    return quote(text, safe=_SAFE)


def decode_segments(segments: list[str]) -> list[str]:
    """The texts that the wire forms of some segments stand for.

    Raises: BadPath: an escape that is none, bytes that are not UTF-8, or a NUL.
    """
    return [_decode(segment) if "%" in segment else segment for segment in segments]


def _decode(segment: str) -> str:
    if _BROKEN_ESCAPE.search(segment):
        raise BadPath("the path has a % that is not followed by two hexadecimal digits")
    try:
        text = unquote_to_bytes(segment).decode()
    except UnicodeError:
        raise BadPath("the percent-encoded bytes of the path are not UTF-8") from None
    # RFC 3986 §7.3: "%00" [...] should be rejected if the application is not expecting to receive
    # raw data within a component.
    if "\0" in text:
        raise BadPath("the path has a percent-encoded NUL")
    return text
