"""The fields of an urlencoded form (WHATWG URL, §5.1: application/x-www-form-urlencoded)."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from photon.http.errors import HTTPError, PartTooLarge
from photon.http.form_rules import FormLimits, as_text, require_utf_8, shown
from photon.runtime.greenlets import Turn

# Python takes 4 MB apart for 64 KiB that are all percent-encoded, and 4 ms.
_SLICE_BYTES = 64 * 1024


def urlencoded_pairs(body: bytearray, limits: FormLimits) -> list[tuple[str, str]]:
    """Pairs of (name, value), in order.

    A `%` that begins no escape stands for itself, as in WHATWG's parser.

    Raises: HTTPError (400): too many fields; BadBody (400): one that is no UTF-8; PartTooLarge.
    """
    if body.count(b"&") >= limits.parts:
        raise HTTPError(400, f"the form has more than {limits.parts} fields")
    turn = Turn()
    pairs = []
    for number, field in enumerate(body.split(b"&"), 1):
        if not field:
            continue
        raw_name, _, raw_value = field.partition(b"=")
        what = f"the name of field {number}"
        name = as_text(_decode(raw_name, what, number, limits, turn), what)
        what = f"field {number} ({shown(name)})"
        value = as_text(_decode(raw_value, what, number, limits, turn), what)
        if name == "_charset_":
            require_utf_8(value, "the form")
        pairs.append((name, value))
        turn.give_way()
    return pairs


def _decode(raw: bytearray, what: str, number: int, limits: FormLimits, turn: Turn) -> bytes:
    """`raw` without its encoding, a slice at a time: others have their turn, and memory."""
    limit = limits.field_bytes
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" not in raw:
        decoded = bytes(raw)
    elif len(raw) <= _SLICE_BYTES:
        decoded = unquote_to_bytes(bytes(raw))
    elif len(raw) > 3 * limit:  # an escape takes three bytes for one
        raise PartTooLarge(what, limit, number)
    else:
        decoded = _decode_long(raw, turn)
    if len(decoded) > limit:
        raise PartTooLarge(what, limit, number)
    return decoded


def _decode_long(raw: bytearray, turn: Turn) -> bytes:
    decoded = bytearray()
    start = 0
    while start < len(raw):
        end = start + _SLICE_BYTES
        escape = raw.find(b"%", end - 2, end)  # one that the cut would go through
        if escape != -1:
            end = escape
        decoded += unquote_to_bytes(bytes(raw[start:end]))
        start = end
        turn.give_way()
    return bytes(decoded)
