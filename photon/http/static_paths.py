"""The path of a request as names of files: none that means more than a name."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

# RFC 8615: the one hidden directory that is meant for everybody.
_WELL_KNOWN = ".well-known"


def names_of(raw_path: str, *, hidden: bool = False) -> tuple[str, ...] | None:
    """The names that a path leads through, from the directory down.

    Args:
        raw_path: percent-encoded, beginning with "/".
        hidden: whether names that begin with a dot are let through.
    Returns: the names, the last of them "" when the path ends with a slash; None for a path that
        names no file: `.` and `..`, empty names, slashes, backslashes and NUL that were encoded,
        and bytes that are not UTF-8.
    """
    # Split first: an encoded slash is no separator.
    segments = raw_path.split("/")
    if segments[0] or not raw_path:
        return None
    last = len(segments) - 1
    names = []
    for place, segment in enumerate(segments[1:], 1):
        name = _decoded(segment) if "%" in segment else segment
        if name is None or (not name and place != last) or not _is_plain(name, hidden):
            return None
        names.append(name)
    return tuple(names)


def _decoded(segment: str) -> str | None:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeError:
        return None


def _is_plain(name: str, hidden: bool) -> bool:
    if name[:1] == "." and (name in (".", "..") or not (hidden or name == _WELL_KNOWN)):
        return False
    # A backslash separates on some systems, and browsers make a slash of one.
    return not ("/" in name or "\\" in name or "\0" in name)
