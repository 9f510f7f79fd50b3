"""Durations and sizes as people write them: `500ms`, `2m`, `64KiB`, or a plain number."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
# K, M and G alone are binary, as in nginx and docker.
_BYTES = {
    "b": 1,
    **{unit: 1024 ** (i + 1) for i, unit in enumerate(("kib", "mib", "gib"))},
    **{unit: 1024 ** (i + 1) for i, unit in enumerate(("k", "m", "g"))},
    **{unit: 1000 ** (i + 1) for i, unit in enumerate(("kb", "mb", "gb"))},
}
_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*([a-z]*)", re.IGNORECASE | re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds, from `1.5`, `500ms`, `30s`, `2m` or `1h`.   Raises: ValueError."""
    try:
        number, unit = _split(text)
        return number * _SECONDS[unit or "s"]
    except KeyError:
        raise ValueError(f"{text!r} is no duration; write seconds, or 500ms, 30s, 2m, 1h") from None


def parse_size(text: str) -> int:
    """Bytes, from `1000`, `64KiB`, `16MiB` or `1GiB`.   Raises: ValueError."""
    try:
        number, unit = _split(text)
        size = number * _BYTES[unit or "b"]
    except KeyError:
        raise ValueError(f"{text!r} is no size; write bytes, or 64KiB, 16MiB, 1GiB") from None
    if not size.is_integer():
        raise ValueError(f"{text!r} is not a whole number of bytes")
    return int(size)


def _split(text: str) -> tuple[float, str]:
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise KeyError(text)
    return float(match[1]), match[2].lower()


def write_duration(seconds: float) -> str:
    """Such as "75s" or "500ms"."""
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"


def write_size(size: int) -> str:
    """Such as "16MiB"; plain bytes when it is no multiple."""
    for unit in ("GiB", "MiB", "KiB"):
        factor = _BYTES[unit.lower()]
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)
