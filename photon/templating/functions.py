"""The user's functions as templates call them: checked when registered, named when they fail."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from minijinja import pass_state, safe

from photon.http.errors import ClientDisconnected, HTTPError, ProtocolError
from photon.runtime.errors import StreamError
from photon.runtime.source import place_of
from photon.templating.errors import TemplatingError

Kind = Literal["filter", "function", "test"]

# What passes through a template as it is: answers, and what says that nobody is left to answer.
NOT_OURS = (HTTPError, ClientDisconnected, ProtocolError, StreamError, TemplatingError)

_RESERVED = {
    "request": "it is the request that is being answered",
    "url_for": "set `templates.url_for` to another function to change how URLs are made",
    "photon_flush": "it is what {% flush %} is made of",
}


_MEANS_SOMETHING = re.compile(r"""[&<>"'`]""").search
_TAGS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


class FunctionFailed(Exception):
    """Carries what a function raised through minijinja, with what that cannot know.

    Attributes: label: such as "the filter 'price'"; called: its name; template: the caller's name.
    """

    def __init__(self, kind: Kind, called: str, template: str, error: Exception) -> None:
        super().__init__(called, template)
        self.label = f"the {kind} {called!r}"
        self.called = called
        self.template = template
        self.error = error


def guarded(kind: Kind, name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """`fn` as it is given to minijinja."""

    @pass_state
    def call(state: Any, *args: Any, **kwargs: Any) -> Any:
        # Now or never: minijinja keeps the state in a thread-local pointer, which points to that
        # of another rendering, or to none, once a greenlet has waited.
        template: str = state.name
        try:
            return fn(*args, **kwargs)
        except NOT_OURS:
            raise
        except Exception as error:
            raise FunctionFailed(kind, name, template, error) from error

    return call


def as_link(call: Callable[..., str]) -> Callable[..., Any]:
    """`call`, a guarded function, with its URLs as they are: `/a`, where other text is `&#x2f;a`.

    A URL in which something has a meaning in HTML, such as `&` or a quote, is escaped as any text.
    """

    @pass_state
    def link(state: Any, *args: Any, **kwargs: Any) -> str:
        is_page = state.auto_escape == "html"  # asked first: see `guarded`
        url = call(state, *args, **kwargs)
        is_plain = isinstance(url, str) and not _MEANS_SOMETHING(url)
        return safe(url) if is_page and is_plain else url

    return link


def name_for(kind: Kind, fn: Any, name: str | None) -> str:
    """The name under which `fn` is to be known.

    Raises: TypeError, ValueError: it is no function that a template could call by that name.
    """
    if not callable(fn):
        raise TypeError(
            f"a {kind} is a function, not {type(fn).__name__} {fn!r}; "
            f"write @templates.{kind} above one, or @templates.{kind}(name='...')"
        )
    if name is None:
        name = getattr(fn, "__name__", "")
        if not name.isidentifier():
            raise ValueError(f"{fn!r} has no name for templates: give it one, name='...'")
    checked_name(kind, name)
    where = f"the {kind} {name!r} ({place_of(fn)})"
    # An object may be called, too.
    inner = fn if inspect.isroutine(fn) else getattr(fn, "__call__", fn)  # noqa: B004
    if any(map(_is_async, (fn, inspect.unwrap(fn), inner))):
        raise TypeError(f"{where} is async; write a plain def, which may wait as it likes")
    if getattr(fn, "__minijinja_pass_state__", False):
        raise TypeError(
            f"{where} wants minijinja's state, which is another page's as soon as somebody waits; "
            "take what it needs as arguments"
        )
    if kind != "function" and not _takes_a_value(fn):
        raise TypeError(f"{where} takes no argument, and would get the value before the `|`")
    return name


def checked_name(kind: str, name: Any) -> None:
    """Raises: TypeError, ValueError: templates cannot use this name, or Photon does."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a {kind} is text, not {type(name).__name__} {name!r}")
    if not name.isidentifier():
        raise ValueError(f"no template can write {name!r} as the name of a {kind}")
    if name in _RESERVED:
        raise ValueError(f"{name!r} is taken in templates: {_RESERVED[name]}")


def _is_async(fn: Any) -> bool:
    return inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn)


def _takes_a_value(fn: Callable[..., Any]) -> bool:
    try:
        signature = inspect.signature(fn)
    except (TypeError, ValueError):  # some of those written in C have none
        return True
    positional = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    return any(parameter.kind in positional for parameter in signature.parameters.values())


def lines_calling(name: str, source: str) -> list[int]:
    """The lines that may call a function: minijinja does not say which of them did."""
    word = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    return sorted(
        {
            source.count("\n", 0, tag.start() + call.start()) + 1
            for tag in _TAGS.finditer(source)
            for call in word.finditer(tag[0])
        }
    )


# In place of minijinja's own, which makes JSON of the `str` of anything that is not a dict, list
# or plain value. The four characters could end a script or an attribute.
_IN_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "'": "\\u0027"}
_encode = msgspec.json.Encoder(decimal_format="number").encode


def tojson(value: Any, indent: int | None = None) -> str:
    """Any value msgspec can encode, as JSON for a script or an attribute of a page."""
    encoded = _encode(value)
    if indent is not None:
        encoded = msgspec.json.format(encoded, indent=indent)
    text = encoded.decode()
    for character, escape in _IN_HTML.items():
        text = text.replace(character, escape)
    return safe(text)
