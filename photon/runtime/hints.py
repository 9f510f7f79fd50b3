"""What was probably meant by a name that there is not, for the end of a message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

_NOTHING: Mapping[str, str] = {}


def meant(name: str, known: Iterable[str], elsewhere: Mapping[str, str] = _NOTHING) -> str:
    """The way from `name` to what there is.

    Args:
        known: the names that there are.
        elsewhere: names that other frameworks have, each with the name here, or with a phrase.
    Returns: such as ": here it is Group", "; did you mean title?" or "; there are a, b".
    """
    if name in elsewhere:
        return f": {wording(elsewhere[name])}"
    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"


def wording(here: str) -> str:
    """A name, or code, as a phrase; a phrase as it is."""
    return here if " " in here.partition("(")[0] else f"here it is {here}"


def no_such_attribute(owner: object, name: str, elsewhere: Mapping[str, str]) -> Any:
    """For `__getattr__`, which Python calls for attributes that were not found.

    Args: elsewhere: see `meant`.   Raises: AttributeError, which says what was probably meant.
    """
    cls = type(owner)
    if hasattr(cls, name):  # a property failed so: let it say that again
        return object.__getattribute__(owner, name)
    known = [each for each in dir(cls) if not each.startswith("_")]
    hint = "" if name.startswith("_") else meant(name, known, elsewhere)
    raise AttributeError(f"a {cls.__name__} has no {name!r}{hint}", name=name, obj=owner)
