"""Whether a document is still what was agreed: the differences of two, for people to read.

    + POST /orders
    - DELETE /items/{id}
    ~ GET /items: /responses/200/description: "OK" -> "Fine"
    ~ /components/schemas/Item: + /properties/price: {"type":"number"}

What changes nothing is no difference: the order of members, of parameters, of required names and
of tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from photon.openapi.paths import METHODS

_SHOWN_CHARS = 60
_MAX_CHARS = 400
# Lists whose order says nothing, by the member they stand under.
_SETS = {"required", "enum", "tags", "type", "anyOf", "oneOf", "allOf", "security"}


def difference(old: Mapping[str, Any], new: Mapping[str, Any], *, at_most: int = 50) -> list[str]:
    """What `new` has that `old` has not, and the other way round, as lines; [] when they agree.

    Args: at_most: lines; what is beyond is counted in one more.
    Returns: lines that begin with "+" for what came, "-" for what went, "~" for what changed.
    Each names an operation, or the JSON pointer (RFC 6901) of what it is about.
    """
    lines = [*_operations("paths", old, new), *_operations("webhooks", old, new), *_rest(old, new)]
    if len(lines) > at_most:
        lines = [*lines[:at_most], f"and {len(lines) - at_most} more"]
    return lines


# Operations by their names...


def _operations(section: str, old: Any, new: Any) -> Iterator[str]:
    was, now = _by_name(section, old), _by_name(section, new)
    for name in dict.fromkeys((*was, *now)):
        if name not in now:
            yield f"- {name}"
        elif name not in was:
            yield f"+ {name}"
        else:
            yield from _changes(was[name], now[name], "", f"{name}: ")


def _by_name(section: str, document: Any) -> dict[str, Any]:
    """Operations such as "GET /items"; what else stands at a path by its pointer."""
    found: dict[str, Any] = {}
    paths = _object(_object(document).get(section))
    for path, item in paths.items():
        for member, value in _object(item).items():
            name = f"{member.upper()} {path}"
            if section == "webhooks":
                name = f"webhook {name}"
            found[name if member in METHODS else _pointer("", section, path, member)] = value
    return found


# Everything else by its place...


def _rest(old: Any, new: Any) -> Iterator[str]:
    was, now = (
        {name: value for name, value in _object(document).items() if name not in _APART}
        for document in (old, new)
    )
    yield from _changes(was, now, "", "")
    was, now = _components(old), _components(new)
    for place in dict.fromkeys((*was, *now)):
        if place not in now:
            yield f"- {place}"
        elif place not in was:
            yield f"+ {place}"
        else:
            yield from _changes(was[place], now[place], "", f"{place}: ")


_APART = ("paths", "webhooks", "components")


def _components(document: Any) -> dict[str, Any]:
    components = _object(_object(document).get("components"))
    return {
        _pointer("/components", section, name): value
        for section, members in components.items()
        for name, value in _object(members).items()
    }


def _changes(old: Any, new: Any, place: str, name: str) -> Iterator[str]:
    """The lines for two values.   Args: place: their pointer; name: of what it starts at."""
    was, now = _members(old, place), _members(new, place)
    if was is None or now is None:
        if not _same(old, new):
            yield _line("~", name, place, f"{_shown(old)} -> {_shown(new)}")
        return
    for key in dict.fromkeys((*was, *now)):
        inner = _pointer(place, key)
        if key not in now:
            yield _line("-", name, inner, _shown(was[key]))
        elif key not in was:
            yield _line("+", name, inner, _shown(now[key]))
        else:
            yield from _changes(was[key], now[key], inner, name)


def _line(sign: str, name: str, place: str, what: str) -> str:
    where = f"{place}: " if place or not name else ""
    text = f"{sign} {where}{what}"
    if name:
        text = f"~ {name}{text.removeprefix('~ ')}"
    # A key may be as long as somebody likes.
    return text if len(text) <= _MAX_CHARS else f"{text[: _MAX_CHARS - 1]}…"


def _members(value: Any, place: str) -> dict[str, Any] | None:
    """What a value consists of, by name; None for one that is told as a whole."""
    if isinstance(value, Mapping):
        return {str(key): member for key, member in value.items()}
    if not isinstance(value, list) or not value:
        return {} if value == [] else None
    kind = place.rpartition("/")[2]
    if kind == "parameters" and all(isinstance(each, Mapping) for each in value):
        # A parameter is known by its name and place, whatever stands before it.
        return {f"{each.get('in')} {each.get('name')}": each for each in value}
    if kind in _SETS:
        return {_encoded(each): each for each in value}
    return {str(index): each for index, each in enumerate(value)}


def _same(old: Any, new: Any) -> bool:
    # 1 and True are equal in Python, and 1 and 1.0 are in JSON.
    return bool(old == new) and isinstance(old, bool) is isinstance(new, bool)


def _pointer(place: str, *keys: str) -> str:
    """RFC 6901 §3."""
    return place + "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def _shown(value: Any) -> str:
    text = _encoded(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[: _SHOWN_CHARS - 1]}…"


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value, order="sorted").decode()


def _object(value: Any) -> Mapping[str, Any]:
    # The file may be anything: somebody's merge conflict, another format.
    return value if isinstance(value, Mapping) else {}
