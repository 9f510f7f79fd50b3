"""Mails from templates: a text with its head on top, and maybe a page beside it.

    Subject: Welcome, {{ user.name }}
    Reply-To: help@shop.example

    Good morning, ...

The head is taken apart before it is rendered, so that no value can add a field to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from photon.templating.edition import Edition
from photon.templating.errors import MailFailed
from photon.templating.names import bare
from photon.templating.sources import missing

# RFC 5322 §2.2: printable characters but the colon; templates keep to what everybody uses.
_FIELD = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9-]*):[ \t]*(?P<value>.*?)[ \t]*\r?\n?")
# Whatever some library might take for the end of a line, and other controls.
_SPLITTING = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")


class Mail(msgspec.Struct, frozen=True):
    """A mail without sender and addressee.

    Attributes:
        subject: one line.
        text: the plain body.
        html: the page beside it; None when there is none.
        headers: the other fields of its head, by the names they have there.
    """

    subject: str
    text: str
    html: str | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)


class _Part(NamedTuple):
    """A piece of a mail's template: a field, by its name, or the body, which has none."""

    name: str
    source: str
    line: int


def read_mail(edition: Edition, name: str, render: Callable[[str], str]) -> Mail:
    """The mail `name`.

    Args: render: gives the text of a template.
    Raises: TemplateNotFound; MailFailed; as `render`.
    """
    text_name = _find(edition, name, "txt")
    if text_name is None:
        raise missing(f"{name.removesuffix('.txt')}.txt", edition.names, edition.origin)
    edition.require(text_name)
    *fields, body = _parts_of(text_name, edition.sources[text_name])
    head: dict[str, str] = {}
    for number, field in enumerate(fields):
        # The line ends before it keep the numbers in messages right.
        part = edition.add_part(text_name, str(number), "\n" * field.line + field.source)
        head[field.name] = _one_line(text_name, field, render(part).lstrip("\n"))
    part = edition.add_part(text_name, "body", "\n" * body.line + body.source)
    text = _without_line_ends(render(part), body.line)
    html_name = _find(edition, name, "html")
    html = None if html_name is None else render(html_name)
    subject = next((head.pop(key) for key in list(head) if key.lower() == "subject"), "")
    if not subject:
        raise MailFailed(f"{text_name}: the subject is empty")
    return Mail(subject, text, html, head)


def _find(edition: Edition, name: str, kind: str) -> str | None:
    """The template of a mail, whether marked with .j2 or not."""
    wanted = f"{bare(name).removesuffix('.txt')}.{kind}"
    return next((other for other in edition.names if bare(other) == wanted), None)


def _parts_of(name: str, source: str) -> list[_Part]:
    """The fields of the head, and the body.   Raises: MailFailed."""
    parts: list[_Part] = []
    lines = source.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if parts and not line.strip():
            parts.append(_Part("", "".join(lines[number + 1 :]), number + 1))
            break
        field = _FIELD.fullmatch(line)
        if field is None:
            raise MailFailed(
                f"{name}:{number + 1}: a mail begins with its head: 'Subject: ...' and other "
                f"fields, each in a line of its own, and an empty line; this is {line.strip()!r}"
            )
        if any(part.name.lower() == field["name"].lower() for part in parts):
            raise MailFailed(f"{name}:{number + 1}: the field {field['name']!r} is there twice")
        parts.append(_Part(field["name"], field["value"], number))
    else:
        parts.append(_Part("", "", len(lines)))
    if not any(part.name.lower() == "subject" for part in parts):
        raise MailFailed(f"{name}: the head has no 'Subject: ...'")
    return parts


def _without_line_ends(text: str, most: int) -> str:
    """The text without those that were put before it; `{%-` may have taken them away already."""
    there = len(text) - len(text.lstrip("\n"))
    return text[min(there, most) :]


def _one_line(name: str, field: _Part, value: str) -> str:
    if _SPLITTING.search(value):
        raise MailFailed(
            f"{name}:{field.line + 1}: the field {field.name!r} would be split by a line break or "
            f"a control character in a value: {value!r}; take it out first"
        )
    return value.strip()
