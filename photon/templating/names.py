"""What a template's name says: whether it is one, how its values are escaped, its media type."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal

Escaping = Literal["html", "json", "none"]

_MARKERS = (".j2", ".jinja", ".jinja2")
_CHARSET = "; charset=utf-8"

# Extension -> media type. A file in a template folder with another extension, or none, is no
# template: an image, or what an editor or a file manager left there.
MEDIA_TYPES = {
    "html": f"text/html{_CHARSET}",
    "htm": f"text/html{_CHARSET}",
    "xhtml": "application/xhtml+xml",
    "txt": f"text/plain{_CHARSET}",
    "md": f"text/markdown{_CHARSET}",
    "xml": "application/xml",
    "svg": "image/svg+xml",
    "rss": "application/rss+xml",
    "atom": "application/atom+xml",
    "json": "application/json",
    "webmanifest": "application/manifest+json",
    "css": f"text/css{_CHARSET}",
    "js": f"text/javascript{_CHARSET}",
    "csv": f"text/csv{_CHARSET}",
    "ics": f"text/calendar{_CHARSET}",
}


def bare(name: str) -> str:
    """The name without a closing .j2, .jinja or .jinja2, which only says that it is a template."""
    for marker in _MARKERS:
        if name.lower().endswith(marker):
            return name[: -len(marker)]
    return name


def extension(name: str) -> str:
    """Such as "html" for "a/page.HTML.j2"; "" when there is none."""
    _, dot, last = bare(name).rpartition("/")[2].rpartition(".")
    return last.lower() if dot else ""


def is_template(name: str) -> bool:
    """Whether a file of this name is a template: marked as one, or of a kind that pages are."""
    if any(part.startswith(".") for part in name.split("/")):
        return False
    return bare(name) != name or extension(name) in MEDIA_TYPES


def escaping(name: str) -> Escaping:
    """How values are escaped. Nothing but .txt and .md is taken for harmless."""
    kind = extension(name)
    if kind in ("txt", "md"):
        return "none"
    return "json" if kind in ("json", "webmanifest") else "html"


def media_type(name: str) -> str:
    """What is sent as Content-Type; HTML for what says nothing, as its values are escaped so."""
    return MEDIA_TYPES.get(extension(name), MEDIA_TYPES["html"])


def did_you_mean(name: str, known: list[str]) -> str:
    """The end of a message for a name that is not there: names like it, or how many there are."""
    leaf = bare(name).rpartition("/")[2].lower()
    close = [other for other in known if bare(other).rpartition("/")[2].lower() == leaf][:3]
    close = close or get_close_matches(name, known, 3)
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    if not known:
        return "; there are no templates at all"
    return f"; there are {', '.join(sorted(known)[:8])}{', ...' if len(known) > 8 else ''}"
