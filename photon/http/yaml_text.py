"""YAML as plain values, and back: the part of YAML that says what JSON says, by YAML 1.2's rules.

PyYAML's parser (libyaml) reads the text and gives events; the values are made of them here, and
not by its loader, for three reasons. The loader's composer calls itself in C for each level, so
that deep nesting ends the process. It lets aliases multiply what a text holds. And it follows YAML
1.1, in which `no` is false and `1:30` is 90.

What this refuses: anchors and aliases, tags but YAML's own for plain values, keys that are there
twice, keys that are no plain values, several documents, NaN and infinity (JSON has none either),
texts over 1 MiB, and nesting deeper than 100 levels. Dates stay text, as in JSON; a type makes
dates of them.

Source: YAML 1.2.2 §10.3 (the core schema); RFC 9512 §4 (security considerations).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from photon.http.errors import BadBody, BodyTooLarge
from photon.http.formats import broken_text, position, too_deep
from photon.runtime.offload import offload

try:
    import yaml
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "YAML needs PyYAML, which is not installed: pip install photon-web[yaml]"
    ) from error

# A second of work for the worst text of this size, in a thread of its own.
MOST_BYTES = 1024 * 1024
MOST_LEVELS = 100

# Reading 4 KiB takes 1 ms.
_INLINE_BYTES = 4 * 1024

# libyaml compares each %TAG with all those before it: 1 MiB of them would take it 15 s, in one
# call. These are the line breaks that it knows.
_TAG_DIRECTIVE = re.compile("(?:\\A\ufeff?|[\r\n\x85\u2028\u2029])%TAG")


def decode_yaml(data: bytes) -> Any:
    """The one document of a YAML text as None, bool, int, float, str, list and dict.

    Raises: BadBody (400) for what is refused; BodyTooLarge (413).
    """
    if len(data) > MOST_BYTES:
        raise BodyTooLarge(MOST_BYTES)
    return _decode(data) if len(data) <= _INLINE_BYTES else offload(_decode, data)


def encode_yaml(value: Any) -> bytes:
    """Any value msgspec can encode, as a YAML document.   Raises: TypeError, for one it cannot."""
    # A copy, made at once: nobody changes it while the thread writes it.
    plain = msgspec.to_builtins(value, builtin_types=(Decimal,))
    return offload(_encode, plain)


# Reading...


def _decode(data: bytes) -> Any:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        at = position(data, error.start)
        raise broken_text("YAML", "bytes that are not UTF-8", at) from error
    directive = _TAG_DIRECTIVE.search(text)
    if directive is not None:
        raise _refused(text, directive.end() - len("%TAG"), "a %TAG, which is not taken here,")
    try:
        return _Composer(text).compose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise _refused(text, mark.index if mark else 0, what) from error
    except yaml.reader.ReaderError as error:
        # libyaml counts bytes here, and characters everywhere else.
        raise broken_text("YAML", error.reason, position(data, error.position)) from error
    except yaml.YAMLError as error:
        raise BadBody(f"the body is not YAML: {error}") from error


def _refused(text: str, index: int, what: str) -> BadBody:
    data = text.encode()
    return broken_text("YAML", what, position(data, len(text[:index].encode())))


_NOTHING = object()


class _Composer:
    """Makes values of events, level by level on a list of its own: no function calls itself."""

    def __init__(self, text: str) -> None:
        self._text = text
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[Any] = yaml.parse(text, Loader=loader)

    def compose(self) -> Any:
        documents: list[Any] = []
        # What is open: a list, or a dict with the key whose value comes next.
        levels: list[tuple[Any, Any]] = []
        into: Any = documents
        key: Any = _NOTHING
        for event in self._events:
            kind = event.__class__
            if kind is yaml.ScalarEvent:
                self._refuse_anchor(event)
                value = self._scalar(event)
            elif kind is yaml.SequenceStartEvent or kind is yaml.MappingStartEvent:
                self._refuse_anchor(event)
                self._refuse_tag(event)
                if into.__class__ is dict and key is _NOTHING:
                    raise self._error(event, "a list or a mapping as a key")
                if len(levels) == MOST_LEVELS:
                    raise too_deep("YAML")
                levels.append((into, key))
                into, key = [] if kind is yaml.SequenceStartEvent else {}, _NOTHING
                continue
            elif kind is yaml.SequenceEndEvent or kind is yaml.MappingEndEvent:
                value = into
                into, key = levels.pop()
            elif kind is yaml.AliasEvent:
                raise self._error(
                    event, f"the alias *{event.anchor[:100]}, which is not taken here,"
                )
            else:
                if kind is yaml.DocumentStartEvent and documents:
                    raise self._error(event, "a second document")
                continue
            if into.__class__ is list:
                into.append(value)
            elif key is _NOTHING:
                key = self._key(event, value, into)
            else:
                into[key] = value
                key = _NOTHING
        return documents[0] if documents else None

    def _key(self, event: Any, value: Any, into: dict[Any, Any]) -> Any:
        # Of other numbers one could find thousands with one hash, which makes a dict slow.
        if isinstance(value, float) or (isinstance(value, int) and abs(value) >= 1 << 63):
            raise self._error(event, f"the number {event.value} as a key (quote it)")
        if value in into:
            raise self._error(event, f"the key {str(value)[:100]!r}, which is there already,")
        return value

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        tag = event.tag
        if tag is None:
            # implicit[0]: it is plain, not quoted, so what it looks like is what it is.
            return self._resolve(event, text) if event.implicit[0] else text
        kind = _TAGS.get(tag)
        if kind in (None, list, dict):
            raise self._tag_error(event)
        value = text if kind is str else self._resolve(event, text)
        if kind is float and value.__class__ is int:
            return float(value)
        if value.__class__ is not kind:
            raise self._error(event, f"{text[:100]!r} under the tag {_short(tag)}")
        return value

    def _resolve(self, event: Any, text: str) -> Any:
        if text in _WORDS:
            return _WORDS[text]
        # PERF: most scalars are words.
        if text[0] not in _NUMBER_STARTS:
            return text
        if _INT.fullmatch(text):
            if len(text) > _MOST_DIGITS:
                raise self._error(event, f"a number of {len(text)} digits")
            return int(text, _BASES.get(text[:2], 10))
        if _FLOAT.fullmatch(text):
            value = float(text)
            if math.isfinite(value):
                return value
        elif not _NOT_FINITE.fullmatch(text):
            return text
        raise self._error(event, f"{text[:100]}, which is no finite number,")

    def _refuse_anchor(self, event: Any) -> None:
        if event.anchor is not None:
            raise self._error(event, f"the anchor &{event.anchor[:100]}, which is not taken here,")

    def _refuse_tag(self, event: Any) -> None:
        kind = list if event.__class__ is yaml.SequenceStartEvent else dict
        if event.tag is not None and _TAGS.get(event.tag) is not kind:
            raise self._tag_error(event)

    def _tag_error(self, event: Any) -> BadBody:
        return self._error(event, f"the tag {_short(event.tag)}, which is not taken here,")

    def _error(self, event: Any, what: str) -> BadBody:
        return _refused(self._text, event.start_mark.index, what)


# YAML 1.2.2 §10.3.2: what plain scalars are.
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_STARTS = frozenset("+-.0123456789")
_INT = re.compile(r"[-+]?[0-9]++|0o[0-7]++|0x[0-9a-fA-F]++")
_BASES = {"0o": 8, "0x": 16}
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]++|[0-9]++(?:\.[0-9]*+)?)(?:[eE][-+]?[0-9]++)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
# Twice what a number of 128 bits needs. Python takes quadratic time for them.
_MOST_DIGITS = 80

_PREFIX = "tag:yaml.org,2002:"
_TAGS: dict[str, type] = {
    "!": str,
    f"{_PREFIX}str": str,
    f"{_PREFIX}int": int,
    f"{_PREFIX}float": float,
    f"{_PREFIX}bool": bool,
    f"{_PREFIX}null": type(None),
    f"{_PREFIX}seq": list,
    f"{_PREFIX}map": dict,
}


def _short(tag: str) -> str:
    return tag.replace(_PREFIX, "!!", 1)[:100]


# Writing...


def _encode(plain: Any) -> bytes:
    text: bytes = yaml.dump(
        plain, Dumper=_dumper(), encoding="utf-8", allow_unicode=True, sort_keys=False
    )
    return text


@lru_cache(1)
def _dumper() -> Any:
    """PyYAML's dumper, without aliases, and quoting what YAML 1.2 would take for a number, too."""
    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper(base):  # type: ignore[misc]  # which of the two is known at run time
        def ignore_aliases(self, data: Any) -> bool:
            return True

        def represent_number(self, value: float | Decimal) -> Any:
            if not math.isfinite(value):
                return self.represent_none(None)  # as in JSON
            if isinstance(value, Decimal):
                return self.represent_scalar(f"{_PREFIX}float", str(value))
            return self.represent_float(value)

    Dumper.add_representer(float, Dumper.represent_number)
    Dumper.add_representer(Decimal, Dumper.represent_number)
    starts = list(_NUMBER_STARTS)
    Dumper.add_implicit_resolver(f"{_PREFIX}int", re.compile(rf"(?:{_INT.pattern})\Z"), starts)
    Dumper.add_implicit_resolver(f"{_PREFIX}float", re.compile(rf"(?:{_FLOAT.pattern})\Z"), starts)
    return Dumper
