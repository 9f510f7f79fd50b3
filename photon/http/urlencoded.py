"""The fields of an urlencoded form (WHATWG URL, §5.1: application/x-www-form-urlencoded)."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from photon.http.errors import HTTPError, PartTooLarge
from photon.http.form_rules import FormLimits, as_text, require_utf_8, shown
from photon.runtime.greenlets import Turn

# As long as this takes Python no more than 2 ms, and some 500 KB.
_SLICE_BYTES = 16 * 1024


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
        name = _text(raw_name, _Place(number, None), limits.field_bytes, turn)
        value = _text(raw_value, _Place(number, name), limits.field_bytes, turn)
        if name == "_charset_":
            require_utf_8(value, "the form")
        pairs.append((name, value))
        turn.give_way()
    return pairs


class _Place(NamedTuple):
    """Where in the form: the name of a field, while `name` is None, or its value."""

    number: int
    name: str | None

    def __str__(self) -> str:
        if self.name is None:
            return f"the name of field {self.number}"
        return f"field {self.number} ({shown(self.name)})"


def _text(raw: bytearray, place: _Place, limit: int, turn: Turn) -> str:
    """`raw` without its encoding.   Raises: BadBody; PartTooLarge."""
    if len(raw) > 3 * limit:  # an escape takes three bytes for one
        raise PartTooLarge(str(place), limit, place.number)
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" not in raw:
        decoded = bytes(raw)
    elif len(raw) <= _SLICE_BYTES:
        decoded = unquote_to_bytes(bytes(raw))
    else:
        decoded = _decode_long(raw, turn)
    if len(decoded) > limit:
        raise PartTooLarge(str(place), limit, place.number)
    return as_text(decoded, place)


def _decode_long(raw: bytearray, turn: Turn) -> bytes:
    """A slice at a time: others have their turn, and memory."""
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
