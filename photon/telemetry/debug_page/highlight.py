"""Lines of Python with colours. By line, so a text of several lines may be coloured oddly."""

from __future__ import annotations

import keyword
import re
from html import escape

_KEYWORDS = "|".join([*keyword.kwlist, "match", "case"])
_TOKEN = re.compile(
    r"(?P<c>\#.*)"
    r"|(?P<s>\b[rbfuRBFU]{0,2}(?:\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?)|\"(?:[^\"\\]|\\.)*\"?"
    r"|'(?:[^'\\]|\\.)*'?)"
    r"|(?P<d>^\s*@[\w.]+)"
    rf"|(?P<k>\b(?:{_KEYWORDS})\b)"
    r"|(?P<f>(?<=def )\w+|(?<=class )\w+)"
    r"|(?P<n>\b\d[\w.]*)"
)


def highlighted(text: str) -> str:
    """A line of Python as HTML: escaped, its tokens in elements of one-letter classes."""
    pieces = []
    end = 0
    for found in _TOKEN.finditer(text):
        pieces.append(escape(text[end : found.start()]))
        pieces.append(f'<i class="{found.lastgroup}">{escape(found[0])}</i>')
        end = found.end()
    pieces.append(escape(text[end:]))
    return "".join(pieces)
