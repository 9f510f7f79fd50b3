"""What one check found."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

State = Literal["ok", "warn", "fail"]


class Finding(Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        about: such as "descriptors".
        saw: what is there, in a sentence.
        way_out: what to do about it; lines, "" when there is nothing to do.
        details: lines that are shown below, such as a traceback.
    """

    state: State
    about: str
    saw: str
    way_out: str = ""
    details: tuple[str, ...] = ()


def ok(about: str, saw: str, *, details: tuple[str, ...] = ()) -> Finding:
    return Finding("ok", about, saw, details=details)


def warn(about: str, saw: str, way_out: str, *, details: tuple[str, ...] = ()) -> Finding:
    return Finding("warn", about, saw, way_out, details)


def fail(about: str, saw: str, way_out: str = "", *, details: tuple[str, ...] = ()) -> Finding:
    return Finding("fail", about, saw, way_out, details)
