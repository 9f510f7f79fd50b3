"""Known culprits: what holds the hub at a line, and what to write in its place.

C functions have no frames of their own, so they are told by how they are called on the line; and
what waits in an original that was taken before the patch by the module that holds it.
"""

from __future__ import annotations

import re
import sys
from types import FrameType
from typing import Any

from gevent import monkey

from photon.runtime.debug.frames import around, source_line

_OFFLOAD = "offload(fn, *args) runs it in a native thread"
_PASSWORDS = f"hashing a password takes long on purpose: {_OFFLOAD}"
_PARSING = (
    "much is read or written at once, and no thread helps, as it holds the GIL: send it in parts "
    "(NDJSON), or do it in another process"
)
_PATTERN = (
    "the pattern tries too much, and no thread helps, as it holds the GIL: bound its repetitions, "
    "or the text"
)
_SQLITE = f"SQLite works within this process: {_OFFLOAD}; or an index, or less at a time"
_FILES = f"the hub cannot wait for files on a disk: {_OFFLOAD}"

# Words on the line, and the way out.
_CALLS: tuple[tuple[str, str], ...] = (
    (r"\b(scrypt|pbkdf2_hmac|hashpw|checkpw|verify_password|hash_password)\(", _PASSWORDS),
    (r"\b(sha\d+|blake2\w|md5|file_digest)\(", f"hashes let go of the GIL: {_OFFLOAD}"),
    (r"\b(json|msgspec|orjson|yaml|pickle)\b.*\b(loads?|dumps?|decode|encode)\(", _PARSING),
    (r"\bsafe_(load|dump)\(", "YAML is slow: read it once, at the start"),
    (r"\bre\.\w+\(|\.(fullmatch|finditer|findall|subn?)\(", _PATTERN),
    (
        r"\b(zlib|gzip|bz2|lzma|zstd|brotli)\b",
        f"compression lets go of the GIL: {_OFFLOAD}",
    ),
    (
        r"\b(sqlite3|cursor|conn(ection)?|db)\b.*\b(execute(many|script)?|fetch\w+|commit)\(",
        _SQLITE,
    ),
    (r"\b(Image\.|\.resize\(|\.thumbnail\()", f"images are computed in C: {_OFFLOAD}"),
    (r"\bpd\.|\b(read_csv|read_excel|read_parquet|to_csv)\(", f"pandas computes in C: {_OFFLOAD}"),
    (r"\b(np|numpy)\.", f"numpy computes in C: {_OFFLOAD}"),
    (r"\.(read|write|readlines?|(read|write)_(text|bytes))\(|\bopen\(|\bshutil\.", _FILES),
    (r"\bgc\.collect\(", "leave that to the collector"),
)
_CALLED = tuple((re.compile(pattern), way_out) for pattern, way_out in _CALLS)

# Packages in which it stands, by their first name.
_PACKAGES = {
    "PIL": f"images are computed in C: {_OFFLOAD}",
    "numpy": f"numpy computes in C: {_OFFLOAD}",
    "pandas": f"pandas computes in C: {_OFFLOAD}",
    "matplotlib": f"a plot is computed: {_OFFLOAD}, with a Figure of its own",
    "bcrypt": _PASSWORDS,
    "argon2": _PASSWORDS,
    "passlib": _PASSWORDS,
    "lxml": f"much XML is read at once: {_OFFLOAD}",
    "psycopg2": "psycopg2 waits in C: use psycopg (version 3), which cooperates",
    "MySQLdb": "mysqlclient waits in C: use PyMySQL, which cooperates",
    "oracledb": f"it waits in C: thin mode cooperates; else {_OFFLOAD}",
    "pyodbc": f"ODBC waits in C: {_OFFLOAD}",
    "grpc": f"gRPC waits in C: {_OFFLOAD}",
    "pymongo": "pymongo starts threads of its own: import it after the patch, as in photon run",
    "sqlite3": _SQLITE,
    "importlib": "a module is imported in a handler: import it at the top of yours",
}

# What takes such an original before the patch waits in it for ever.
_ORIGINALS = (
    ("time", "sleep"),
    ("socket", "socket"),
    ("socket", "create_connection"),
    ("socket", "getaddrinfo"),
    ("ssl", "SSLSocket"),
    ("ssl", "SSLContext"),
    ("select", "select"),
    ("select", "poll"),
    ("subprocess", "Popen"),
    ("subprocess", "run"),
    ("threading", "Lock"),
    ("queue", "SimpleQueue"),
)

_MOST_FRAMES = 12


def way_out_of(frame: FrameType | None) -> str:
    """What to do about whoever holds the hub at a frame; "" when nothing is known of it.

    It may read a file, so not in the hub.
    """
    frames = [each for _, each in zip(range(_MOST_FRAMES), around(frame), strict=False)]
    originals = _originals()
    for each in frames:
        held = _original_in(each, originals)
        if held:
            return (
                f"{each.f_globals.get('__name__', 'a module')} holds {held} as it was before the "
                "patch: import it later, start with photon run, or call it as "
                f"{held}(...) instead of by a name that was imported"
            )
    if frames:
        line = source_line(frames[0])
        for pattern, way_out in _CALLED:
            if pattern.search(line):
                return way_out
    for each in frames:
        package = str(each.f_globals.get("__name__", "")).partition(".")[0]
        if package in _PACKAGES:
            return _PACKAGES[package]
    return ""


def _original_in(frame: FrameType, originals: dict[int, str]) -> str:
    """Which blocking original the code at a frame uses, of those that its module holds."""
    for name in frame.f_code.co_names:
        value = frame.f_globals.get(name)
        if value is not None and id(value) in originals:
            return originals[id(value)]
    return ""


def _originals() -> dict[int, str]:
    """Those that the patch has replaced, by identity."""
    found: dict[int, str] = {}
    saved: dict[str, dict[str, Any]] = monkey.saved
    for module, name in _ORIGINALS:
        original = saved.get(module, {}).get(name)
        current = getattr(sys.modules.get(module), name, None)
        if original is not None and original is not current:
            found[id(original)] = f"{module}.{name}"
    return found
