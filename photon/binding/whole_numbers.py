"""JSON in which whole numbers are written as integers: what documents promise, msgspec refuses.

JSON Schema 2020-12, Validation §6.1.1: "integer" matches "any number with a zero fractional part".
No document can say otherwise, and `json.dumps(2 * 1.5)` writes 3.0. So a body that was refused is
read once more, written like this.
"""

from __future__ import annotations

import re
from decimal import Decimal

from photon.http.validation import MAX_BYTES
from photon.runtime.offload import offload

# A string, to pass over it, or a number with what makes it look like no integer. Both match, once
# begun, whatever follows: nothing is looked at twice.
_TOKENS = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"?+|-?\d++(?P<rest>(?:\.\d++)?+(?:[eE][+-]?\d++)?+)', re.DOTALL
)

# PERF: a glance at most bodies, which have no such number: 0.5 us in place of 8.
_LIKELY = re.compile(rb"\d(?:\.0++(?![\deE])|(?:\.\d++)?+[eE][+-]?\d)")

# What is larger takes more than a millisecond.
_AT_ONCE_BYTES = 4096

# "1e308" is five bytes, and would be 309.
_MOST_DIGITS = 40


def with_whole_numbers(data: bytes) -> bytes:
    """The same JSON with 2 for each 2.0 and 200 for 2e2; what is larger than MAX_BYTES as it is."""
    if len(data) > MAX_BYTES or _LIKELY.search(data) is None:
        return data
    if len(data) > _AT_ONCE_BYTES:
        return offload(_TOKENS.sub, _written, data)
    return _TOKENS.sub(_written, data)


def _written(token: re.Match[bytes]) -> bytes:
    text = token[0]
    # An exponent of many digits is none that can be computed with.
    if not token["rest"] or len(text) > _MOST_DIGITS:
        return text
    try:
        number = Decimal(text.decode())
    except ArithmeticError:
        return text
    if number.adjusted() >= _MOST_DIGITS or number != number.to_integral_value():
        return text
    return b"%d" % int(number)
