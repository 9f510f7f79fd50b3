"""What the headers of a multipart form and of its parts say, and which are refused.

RFC 7578 §4.2 and §4.8, RFC 2046 §5.1.1, and what browsers write (WHATWG HTML,
multipart/form-data encoding algorithm).
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from multipart import (  # type: ignore[import-untyped]
    content_disposition_unquote,
    parse_options_header,
)

from photon.http.errors import BadBody
from photon.http.form_rules import MULTIPART, as_text, require_utf_8, shown
from photon.http.headers import Headers

_BOUNDARIES = re.compile(r';\s*boundary\s*=\s*(?:"([^"]*)"|([^\s;"]*))', re.IGNORECASE)

# RFC 2046 §5.1.1: bchars, at most 70 of them and no space at the end.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")

# As browsers write it (WHATWG HTML, multipart/form-data encoding algorithm): quotes and line
# breaks are percent-encoded, and a backslash is a backslash.
_BROWSERS_DISPOSITION = re.compile(r'form-data; name="([^"]*)"(?:; filename="([^"]*)")?', re.I)

# As others write it: parameters that are tokens or quoted strings, each after a semicolon. No more
# than what the library reads: what it does not know it skips, and might find a name in a value.
_TOKEN = r"[a-zA-Z0-9\-!#$%&'*+.^_`|~]++"
_VALUE = rf'(?:[\w\-]++ *+= *+(?:{_TOKEN}|"(?:\\.|[^"\\])*+")|[\w\-]++\* *+= *+{_TOKEN})'
_DISPOSITION = re.compile(rf"form-data(?: *+; *+{_VALUE})*+ *+;?", re.IGNORECASE | re.ASCII)
_OPTION_NAME = re.compile(r"; *+([\w\-*]++) *+=")
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_EXTENDED_NAME = re.compile(r"""; *filename\* *= *([^\s;']*)'[^\s;']*'([^\s;]*)""", re.IGNORECASE)

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def boundary_of(content_type: str) -> str:
    """The one boundary.   Raises: BadBody."""
    found: list[str] = [quoted or plain for quoted, plain in _BOUNDARIES.findall(content_type)]
    if len(found) != 1:
        what = "several boundaries" if found else "no boundary"
        raise BadBody(f"the Content-Type of the body has {what}; {MULTIPART} needs one")
    if not _BOUNDARY.fullmatch(found[0]):
        raise BadBody(f"the boundary {shown(found[0])} is none by RFC 2046 §5.1.1")
    return found[0]


def headers_of(number: int, pairs: list[tuple[str, str]]) -> Headers:
    """The headers of one part.   Raises: BadBody."""
    headers = Headers((name, value.rstrip(" \t")) for name, value in pairs)
    for name in ("content-disposition", "content-type"):
        if len(headers.get_all(name)) > 1:
            raise BadBody(f"part {number} has several headers {name}", part=number)
    for name, value in headers.pairs():
        if _CONTROL.search(value):
            what = f"a control character in its header {name}"
            raise BadBody(f"part {number} has {what}", part=number)
    return headers


def names_of(number: int, headers: Headers) -> tuple[str, str | None]:
    """Name and file name of a part, from its Content-Disposition.   Raises: BadBody."""
    disposition = headers["content-disposition"]
    plain = _BROWSERS_DISPOSITION.fullmatch(disposition)
    if plain is not None:
        name, filename = plain.groups()
        return _unquoted(name), None if filename is None else _unquoted(filename)
    if not _DISPOSITION.fullmatch(disposition):
        raise BadBody(f"part {number} has a broken Content-Disposition", part=number)
    options = [name.lower() for name in _OPTION_NAME.findall(_QUOTED.sub('""', disposition))]
    if len(options) != len(set(options)):
        raise BadBody(f"part {number} has a parameter twice in Content-Disposition", part=number)
    _, values = parse_options_header(disposition, unquote=_unquote)
    if "name" not in values:
        what = 'Content-Disposition: form-data; name="..." is needed'
        raise BadBody(f"part {number} has no name: {what}", part=number)
    filename = values.get("filename")
    if filename is None and "filename*" in options:
        filename = _extended_name(number, disposition)
    return values["name"], filename


def _unquoted(text: str) -> str:
    """What a browser wrote between quotes, as it was before."""
    if "%" not in text:
        return text
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%22", '"')


def _unquote(value: str, _is_filename: bool) -> str:
    # The library would cut directories off a Windows path; the name is given as it came.
    return str(content_disposition_unquote(value))


def _extended_name(number: int, disposition: str) -> str:
    """The name in `filename*` (RFC 8187), for a part that has no other.

    RFC 7578 §4.2 forbids senders to write it; some older clients do, and mean a file.
    """
    found = _EXTENDED_NAME.search(_QUOTED.sub('""', disposition))
    what = f"the filename* of part {number}"
    if found is None:
        raise BadBody(f"{what} is none by RFC 8187", part=number)
    require_utf_8(found[1], what)
    return as_text(unquote_to_bytes(found[2]), what)
