"""What can go wrong between a template and its page. All of it is the developer's.

TemplatingError
├── TemplateNotFound     no template has this name (also a LookupError)
├── TemplateBroken       a template cannot be read: `name`, `line` and the excerpt say where
├── TemplatesBroken      several cannot; `errors` are those
├── RenderFailed         a template was read, but could not be rendered
└── MailFailed           what was rendered is no mail (also a ValueError)

They go to the log, as a 500 does: their messages show source, and are nothing for clients.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_AROUND = 2  # lines of an excerpt before and after the faulty one
_LONGEST = 160  # characters of a line that are shown; minified pages have lines of megabytes


class TemplatingError(Exception):
    """Whatever this room raises."""


class TemplateNotFound(TemplatingError, LookupError):
    """No template has this name.

    Attributes: name: what was asked for.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message

    def __str__(self) -> str:
        return self.message


class TemplateBroken(TemplatingError):
    """A template that cannot be read.

    Attributes:
        name: of the template.
        line: counted from 1; None when there is no telling.
        problem: what is wrong, in one sentence.
        excerpt: the lines around the faulty one; "" when there is no telling.
    """

    def __init__(
        self, name: str, problem: str, *, place: str = "", line: int | None = None, source: str = ""
    ) -> None:
        super().__init__(name, problem)
        self.name = name
        self.problem = problem
        self.line = line
        self.excerpt = excerpt_of(source, line)
        self._place = place or name

    def __str__(self) -> str:
        return described(self._place, self.line, self.problem, self.excerpt)


class TemplatesBroken(TemplatingError):
    """Several templates that cannot be read.

    Attributes: errors: one for each.
    """

    def __init__(self, errors: Sequence[TemplatingError]) -> None:
        super().__init__(errors)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join([f"{len(self.errors)} templates are broken", *map(str, self.errors)])


class RenderFailed(TemplatingError):
    """A template that could not be rendered; what the user's own code raised is the cause.

    Attributes: name, line, problem, excerpt: as of `TemplateBroken`.
    """

    def __init__(
        self,
        name: str,
        problem: str,
        *,
        place: str = "",
        lines: Iterable[int] = (),
        source: str = "",
    ) -> None:
        super().__init__(name, problem)
        places = list(lines)
        self.name = name
        self.problem = problem
        self.line = places[0] if len(places) == 1 else None
        self.excerpt = "\n".join(excerpt_of(source, line) for line in places[:3])
        self._place = place or name

    def __str__(self) -> str:
        return described(self._place, self.line, self.problem, self.excerpt)


class MailFailed(TemplatingError, ValueError):
    """What a mail's template gave is no mail: its head is missing, or would be split."""


# Showing the place...


def described(place: str, line: int | None, problem: str, excerpt: str) -> str:
    """The message of an error: place and problem in one line, and the source below it."""
    where = place if line is None else f"{place}:{line}"
    return f"{where}: {problem}\n{excerpt}" if excerpt else f"{where}: {problem}"


def excerpt_of(source: str, line: int | None) -> str:
    """The lines around `line`, which is counted from 1, with their numbers and an arrow."""
    lines = source.split("\n")
    if line is None or not source or not 1 <= line <= len(lines):
        return ""
    first, last = max(1, line - _AROUND), min(len(lines), line + _AROUND)
    return "\n".join(
        f"  {'>' if number == line else ' '} {number:{len(str(last))}} | {_cut(lines[number - 1])}"
        for number in range(first, last + 1)
    )


def _cut(line: str) -> str:
    line = line.rstrip("\r")
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " ..."
