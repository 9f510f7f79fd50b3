"""The request target taken apart: path and query (RFC 9112 §3.2, RFC 3986 §3.3 and §3.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote

from photon.http.errors import HTTPError

# Every field costs an entry in a table; Django's figure, against floods of them.
MAX_QUERY_FIELDS = 1000


class Query(Mapping[str, str]):
    """The fields of a query string: the last value of each name; `get_all` gives every one.

    Attributes: fields: all values of each name, in order.
    Raises: HTTPError (400): there are too many, or their percent-encoding is not UTF-8.
    """

    __slots__ = ("fields",)

    def __init__(self, text: str) -> None:
        self.fields = read_fields(text)

    def __getitem__(self, name: str) -> str:
        return self.fields[name][-1]

    def get_all(self, name: str) -> list[str]:
        """All values of this name, in order; [] when there is none."""
        return list(self.fields.get(name, ()))

    def pairs(self) -> list[tuple[str, str]]:
        """Pairs of (name, value); those of one name stand together."""
        return [(name, value) for name, values in self.fields.items() for value in values]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __repr__(self) -> str:
        return f"Query({self.pairs()!r})"


def read_fields(text: str) -> dict[str, list[str]]:
    """The fields of a query string: all values of each name, in order.

    Read as forms are (WHATWG URL, application/x-www-form-urlencoded).
    Raises: HTTPError (400): there are too many, or their percent-encoding is not UTF-8.
    """
    if len(text) >= MAX_QUERY_FIELDS and text.count("&") >= MAX_QUERY_FIELDS:
        raise HTTPError(400, f"the query has more than {MAX_QUERY_FIELDS} fields")
    fields: dict[str, list[str]] = {}
    if "%" in text or "+" in text:
        for name, value in _decode_query(text):
            fields.setdefault(name, []).append(value)
        return fields
    # PERF: nothing to decode, as in most queries: a quarter of the time for each field.
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            if name in fields:
                fields[name].append(value)
            else:
                fields[name] = [value]
    return fields


def _decode_query(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        place = f"{error.object!r} is not UTF-8"
        detail = f"the query has percent-encoding that means nothing: {place}"
        raise HTTPError(400, detail) from error


def split_target(target: str) -> tuple[str, str]:
    """The path, still percent-encoded, and the query string of a request target.

    Takes the origin form `/a?b` and the absolute form `http://host/a?b`; `*` and the authority
    form of CONNECT come back as they are, with no query.
    """
    if target[:1] != "/" and "://" in target:
        _, _, rest = target.partition("://")
        slash = len(rest.split("?", 1)[0].split("/", 1)[0])
        target = rest[slash:] if rest[slash : slash + 1] == "/" else "/" + rest[slash:]
    path, _, query = target.partition("?")
    return path, query


def decode_path(path: str) -> str:
    """A path without its percent-encoding; what is no UTF-8 becomes U+FFFD."""
    return unquote(path) if "%" in path else path
