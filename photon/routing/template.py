"""Path templates: `/users/{id:int}/report-{year:int}.{fmt}`, read once when a route is made.

A template is written as people read it (`/café`, not `/caf%C3%A9`), and falls into segments at its
slashes. A segment is literal, one placeholder, or a mix of both; what a path has to look like to
match it is said by `Segment`, what it costs to find out is the business of `compiler`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any, NoReturn, TypeAlias

from photon.routing.converters import BUILT_IN, Converter
from photon.routing.errors import TemplateError


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`{name:converter}`"""

    name: str
    converter: Converter


SegmentKey: TypeAlias = tuple[str | Converter, ...]
TemplateKey: TypeAlias = tuple[SegmentKey, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """What stands between two slashes of a template.

    Args: parts: literal texts and placeholders as written; no two of a kind side by side.
        The empty segment behind a trailing slash has no parts.
    """

    parts: tuple[str | Placeholder, ...]

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        return tuple(part for part in self.parts if isinstance(part, Placeholder))

    @property
    def literal(self) -> str | None:
        """The text, if it is nothing but text."""
        return None if self.placeholders else "".join(map(str, self.parts))

    @property
    def spans(self) -> bool:
        """Does it take the rest of the path?"""
        return any(placeholder.converter.spans for placeholder in self.placeholders)

    @property
    def key(self) -> SegmentKey:
        """What it matches: equal for segments that differ in the names of their values only."""
        return tuple(part if isinstance(part, str) else part.converter for part in self.parts)

    @property
    def rank(self) -> tuple[Any, ...]:
        """Its place among those that match the same text, the lowest first, never equal.

        Mixed ones go by how much text they fix, single ones by their converters' precedence, and
        what takes the rest of the path comes last whatever its converter says.
        """
        literals = [part for part in self.parts if isinstance(part, str)]
        converters = [placeholder.converter for placeholder in self.placeholders]
        return (
            self.spans,
            not literals,
            -sum(map(len, literals)),
            [converter.precedence for converter in converters],
            [part if isinstance(part, str) else part.converter.name for part in self.parts],
        )


@dataclass(frozen=True, slots=True)
class Template:
    """A path template that has been read.

    Attributes:
        text: as written.
        segments: one for each slash.
        names: the names of its values, in the order of the path.
    """

    text: str
    segments: tuple[Segment, ...]
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, converters: Mapping[str, Converter] = BUILT_IN) -> "Template":
        """Read a template.

        Raises: TemplateError: it cannot be read; the message points at the fault.
        """
        return _Reader(text, converters).template()

    @property
    def key(self) -> TemplateKey:
        """What it matches: `/a/{x}` and `/a/{y}` have equal keys."""
        return tuple(segment.key for segment in self.segments)

    @property
    def literals(self) -> list[str] | None:
        """The texts of the segments, if none has a placeholder."""
        texts = [segment.literal for segment in self.segments]
        literals = [text for text in texts if text is not None]
        return literals if len(literals) == len(texts) else None

    def __str__(self) -> str:
        return self.text


# Reading, and saying what is wrong...

# What people bring along from elsewhere, and what to write here.
_FOREIGN = (
    (re.compile("[?#]"), "a template ends where the path ends", "a query value is an argument"),
    (re.compile("%[0-9A-Fa-f]{2}"), "a template is not percent-encoded", "write the character"),
    (re.compile("<[^>]*>?|>"), "'<' and '>' have no meaning here", "write {name} or {name:int}"),
)


class _Reader:
    """Reads one template. `start` is always a position in its text, for the caret."""

    def __init__(self, text: str, converters: Mapping[str, Converter]) -> None:
        self._text = text
        self._converters = converters
        self._names: list[str] = []

    def template(self) -> Template:
        text = self._text
        if not text.startswith("/"):
            self._fail("a template begins with '/'", 0, 1, f"write '/{text}'")
        self._refuse_foreign()
        segments: list[Segment] = []
        start = 1
        while start <= len(text):
            end = text.find("/", start)
            end = len(text) if end < 0 else end
            segments.append(self._segment(start, end))
            start = end + 1
        return Template(text, tuple(segments), tuple(self._names))

    def _refuse_foreign(self) -> None:
        for pattern, problem, remedy in _FOREIGN:
            if found := pattern.search(self._text):
                self._fail(problem, *found.span(), remedy)

    def _segment(self, start: int, end: int) -> Segment:
        text = self._text[start:end]
        if not text and end < len(self._text):
            self._fail("an empty segment", start - 1, end + 1, "write one '/'")
        if text in (".", ".."):
            # RFC 3986 §5.2.4: clients remove them before they send a path.
            self._fail("no client sends a dot segment", start, end, "leave it out")
        segment = Segment(tuple(self._parts(start, end)))
        if segment.spans and (len(segment.parts) > 1 or end < len(self._text)):
            name = segment.placeholders[-1].converter.name
            problem = f"'{name}' takes the rest of the path, so it is the whole last segment"
            self._fail(problem, start, end, "put it last, or take {name} for one segment")
        return segment

    def _parts(self, start: int, end: int) -> Iterator[str | Placeholder]:
        after_placeholder = False
        while start < end:
            opened = self._text.find("{", start, end)
            opened = end if opened < 0 else opened
            if (closed := self._text.find("}", start, opened)) >= 0:
                self._fail("'}' without a '{' before it", closed, closed + 1, "write {name}")
            if start < opened:
                yield self._text[start:opened]
            elif after_placeholder:
                self._fail(
                    "nothing says where one value ends and the next begins",
                    start - 1,
                    start + 1,
                    "put text between them, such as {a}-{b}",
                )
            if opened < end:
                start = self._closing_brace(opened, end) + 1
                yield self._placeholder(opened, start)
                after_placeholder = True
            else:
                start = end

    def _closing_brace(self, opened: int, end: int) -> int:
        closed = self._text.find("}", opened, end)
        if closed < 0 or self._text.find("{", opened + 1, closed) >= 0:
            self._fail("'{' is not closed", opened, opened + 1, "write {name} or {name:int}")
        return closed

    def _placeholder(self, opened: int, end: int) -> Placeholder:
        name, colon, kind = self._text[opened + 1 : end - 1].partition(":")
        after_name = opened + 1 + len(name)
        if not name:
            self._fail("a placeholder without a name", opened, end, "write {name} or {name:int}")
        if not name.isidentifier() or iskeyword(name):
            remedy = "take letters, digits and _, as for an argument of a function"
            self._fail(f"{name!r} is not a name in Python", opened + 1, after_name, remedy)
        if name in self._names:
            remedy = "give each value a name of its own"
            self._fail(f"{name!r} occurs twice", opened + 1, after_name, remedy)
        self._names.append(name)
        return Placeholder(name, self._converter(kind if colon else "str", after_name + 1, end - 1))

    def _converter(self, kind: str, start: int, end: int) -> Converter:
        if kind not in self._converters:
            from difflib import get_close_matches  # 2 ms that a program without faults can save

            close = get_close_matches(kind, self._converters, n=1, cutoff=0.5)
            guess = f"did you mean {close[0]!r}? " if close else ""
            known = f"{guess}the known ones are {', '.join(sorted(self._converters))}"
            self._fail(f"there is no converter {kind!r}", start, end, known)
        return self._converters[kind]

    def _fail(self, problem: str, start: int, end: int, remedy: str) -> NoReturn:
        raise TemplateError(problem, self._text, start, end, remedy=remedy)
