"""Summary and description of an operation, out of what its handler says about itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

# A first paragraph that is longer is no headline.
_MAX_SUMMARY_CHARS = 120


def words_of(handler: Callable[..., Any]) -> tuple[str, str]:
    """A summary and a description, which may be "".

    The summary is the docstring's first paragraph and the description what follows; without a
    docstring, or when that paragraph is long, the summary is the name: "Get item" of `get_item`.
    What follows a form feed in a docstring is not for documents.
    """
    fn = function_of(handler)
    doc = inspect.cleandoc(fn.__doc__ or "").partition("\f")[0].strip()
    first, _, rest = doc.partition("\n\n")
    summary = " ".join(first.split())
    if not summary or len(summary) > _MAX_SUMMARY_CHARS:
        return spoken(name_of(fn)), doc
    return summary.removesuffix("."), rest.strip()


def name_of(handler: Callable[..., Any]) -> str:
    """The name of the function; of an object that can be called, of its class."""
    fn = function_of(handler)
    name = getattr(fn, "__name__", None) or type(fn).__name__
    return "handler" if name == "<lambda>" else str(name)


def spoken(name: str) -> str:
    """A name as people say it: "Get item" of `get_item`."""
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def function_of(handler: Any) -> Any:
    """The function within wrappers and partials."""
    handler = inspect.unwrap(handler)
    while isinstance(handler, partial):
        handler = inspect.unwrap(handler.func)
    return handler
