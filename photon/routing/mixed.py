"""Segments that mix text and values: `report-{year:int}.{fmt}`.

Which value gets what is settled from the right: the last one is as short as it can be, then the
one before it, and so on, as long as every value fits its converter. So `{slug}-{id:int}` reads
`my-own-post-7` as people do, and `{name}.{ext}` reads `archive.tar.gz` as name `archive.tar`.

It is a search with backtracking, and three rules keep hostile text from making it dear: an end
that led nowhere for a value is not tried again, an end further left is not tried for a *plain*
value (see `_place`), and long text is refused outright.
"""

from typing import Any

from photon.routing.template import Segment

# Mixed segments are names of things, and NAME_MAX is the longest name of a file on every system.
MAX_MIXED_CHARS = 255


class Mixed:
    """Finds the values in the text of a mixed segment."""

    __slots__ = ("_converters", "_prefix", "_separators", "_suffix")

    def __init__(self, segment: Segment) -> None:
        parts = segment.parts
        self._converters = [placeholder.converter for placeholder in segment.placeholders]
        self._prefix = parts[0] if isinstance(parts[0], str) else ""
        self._suffix = parts[-1] if isinstance(parts[-1], str) else ""
        self._separators = [part for part in parts[1:-1] if isinstance(part, str)]

    def match(self, text: str) -> tuple[Any, ...] | None:
        """The values in the order of the segment, or None when the text does not fit."""
        begin, end = len(self._prefix), len(text) - len(self._suffix)
        if (
            begin >= end
            or len(text) > MAX_MIXED_CHARS
            or not text.startswith(self._prefix)
            or not text.endswith(self._suffix)
        ):
            return None
        body = text[begin:end]
        values: list[Any] = [None] * len(self._converters)
        last = len(values) - 1
        return tuple(values) if self._place(last, body, len(body), values, set()) else None

    def _place(
        self, i: int, body: str, end: int, values: list[Any], barren: set[tuple[int, int]]
    ) -> bool:
        """Find value `i`, which ends at `end`, and all those to its left.

        Args: barren: pairs of (i, end) that are known to lead nowhere.
        """
        read = self._converters[i].read
        if i == 0:
            values[0] = read(body[:end])
            return values[0] is not None
        separator = self._separators[i - 1]
        cut = body.rfind(separator, 0, end - 1)
        while cut > 0:
            value = read(body[cut + len(separator) : end])
            if value is not None:
                if (i - 1, cut) not in barren and self._place(i - 1, body, cut, values, barren):
                    values[i] = value
                    return True
                barren.add((i - 1, cut))
                # A plain value takes any text, so with less room to its left it fails as well.
                if self._converters[i - 1].parse is None:
                    break
            cut = body.rfind(separator, 0, cut + len(separator) - 1)
        return False
