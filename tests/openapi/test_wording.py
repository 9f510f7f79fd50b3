from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import pytest

from photon.openapi.wording import name_of, words_of


def documented(doc: str | None) -> Callable[[], None]:
    def get_item() -> None: ...

    get_item.__doc__ = doc
    return get_item


LONG = "This " + "goes on and on " * 10 + "for ever."


@pytest.mark.parametrize(
    ("doc", "summary", "description"),
    [
        (None, "Get item", ""),
        ("", "Get item", ""),
        ("Look at it.", "Look at it", ""),
        (
            "Look at it.\n\n    More.\n\n        indented\n    ",
            "Look at it",
            "More.\n\n    indented",
        ),
        ("Look at it\n    closely.\n\n    More.", "Look at it closely", "More."),
        (LONG, "Get item", LONG),
        ("Look.\n\n    More.\f\n    Args: none.", "Look", "More."),
        ("\n    Look.\n    ", "Look", ""),
    ],
)
def test_docstrings(doc: str | None, summary: str, description: str) -> None:
    assert words_of(documented(doc)) == (summary, description)


class Callme:
    """Call me."""

    def __call__(self) -> None: ...


def outer(fn: Any) -> Any:
    @wraps(fn)
    def wrapper() -> None:
        fn()

    return wrapper


@pytest.mark.parametrize(
    ("handler", "name"),
    [
        (documented(None), "get_item"),
        (partial(documented(None)), "get_item"),
        (outer(documented(None)), "get_item"),
        (outer(partial(documented(None))), "get_item"),
        (Callme(), "Callme"),
        (lambda: None, "handler"),
    ],
)
def test_names(handler: Any, name: str) -> None:
    assert name_of(handler) == name


def test_an_object_says_what_its_class_says() -> None:
    assert words_of(Callme()) == ("Call me", "")


def test_what_python_says_of_partials_is_nothing_for_people() -> None:
    assert words_of(partial(documented("Look."))) == ("Look", "")
