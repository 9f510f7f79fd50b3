"""An exception and all that hang on it, as data: causes, contexts, and the groups of nurseries."""

from __future__ import annotations

from collections.abc import Iterator
from traceback import TracebackException
from typing import Any

from photon.runtime.errors import Cancelled
from photon.runtime.source import shown_path
from photon.telemetry.debug_page.frames import HOUSE, Frame, Line, excerpt, frames_of

_MOST = 24
_LONGEST_MESSAGE = 4000

CAUSE = "was caused by"
CONTEXT = "came while this was handled"


class Failure:
    """One exception of a page.

    Attributes:
        kind: its class as one names it; message: its text, bounded.
        notes: what was added to it.
        frames: the outermost first; left_out: how many are missing in their middle.
        spawned_at: for what failed in a function that was spawned, where: pairs of place and
            function, the innermost first.
        before: the exception that it hangs on, and how: CAUSE or CONTEXT.
        parts: of a group, its exceptions.
        is_cut: whether it hangs on more than is shown.
    """

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.kind = kind_of(error)
        self.message = message_of(error)
        self.notes = [str(note)[:_LONGEST_MESSAGE] for note in _notes(error)]
        self.frames, self.left_out = frames_of(error.__traceback__)
        self.syntax = _syntax_of(error)
        self.spawned_at = spawned_at(error)
        self.before: tuple[str, Failure] | None = None
        self.parts: list[Failure] = []
        self.is_cut = False

    @property
    def stop(self) -> Failure | None:
        """What told it to end where it waited, if that is what happened."""
        error: BaseException | None = self.error
        for _ in range(_MOST):
            if error is None or isinstance(error, Cancelled):
                break
            # Of a DeadlineExceeded it is not shown, as it adds nothing; but it knows where.
            error = error.__cause__ or error.__context__
        return Failure(error) if isinstance(error, Cancelled) else None

    @property
    def culprit(self) -> Frame | None:
        """The frame to look at first: the user's innermost."""
        yours = [frame for frame in self.frames if frame.whose == "yours"]
        return yours[-1] if yours else (self.frames[-1] if self.frames else None)

    def all_frames(self) -> Iterator[Frame]:
        """The user's frames of all that is shown, those that matter most first."""
        left = [self]
        while left:
            failure = left.pop(0)
            yield from (f for f in reversed(failure.frames) if f.whose == "yours")
            left += failure.parts
            if failure.before is not None:
                left.append(failure.before[1])

    @property
    def leaf(self) -> Failure:
        """Itself, or of a group its first exception that is none: what the headline is about."""
        found = self
        while found.parts:
            found = found.parts[0]
        return found


def failure_of(error: BaseException) -> Failure:
    """`error` with what it hangs on: at most 24 exceptions, each once."""
    made: dict[int, Failure] = {id(error): Failure(error)}
    left = [error]  # no recursion: a chain may be of any length
    while left:
        error = left.pop(0)
        failure = made[id(error)]
        before, how = _before(error)
        parts = list(error.exceptions) if isinstance(error, BaseExceptionGroup) else []
        for other in [*parts, *([before] if before is not None else [])]:
            if id(other) in made:
                continue
            if len(made) >= _MOST:
                failure.is_cut = True
                break
            made[id(other)] = Failure(other)
            left.append(other)
            if other is before:
                failure.before = (how, made[id(other)])
            else:
                failure.parts.append(made[id(other)])
    return made[id(next(iter(made.values())).error)]


def _before(error: BaseException) -> tuple[BaseException | None, str]:
    if error.__cause__ is not None:
        return error.__cause__, CAUSE
    if error.__suppress_context__:
        return None, ""
    return error.__context__, CONTEXT


def kind_of(error: BaseException) -> str:
    """The class of an exception, with its module unless everybody knows it."""
    kind = type(error)
    module = str(kind.__module__)
    is_known = module in ("builtins", "__main__") or module.startswith("photon.")
    return kind.__qualname__ if is_known else f"{module}.{kind.__qualname__}"


def message_of(error: BaseException) -> str:
    """The text of an exception, of at most 4,000 characters."""
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
    except Exception as second:
        return f"(its text cannot be made: {type(second).__name__})"
    if isinstance(error, Cancelled) and error.where:
        text += f", {error.where}"
    return (
        text
        if len(text) <= _LONGEST_MESSAGE
        else f"{text[:_LONGEST_MESSAGE]}… ({len(text):,} characters)"
    )


def _notes(error: BaseException) -> list[Any]:
    notes = getattr(error, "__notes__", [])
    return notes[:20] if isinstance(notes, list) else []


def spawned_at(error: BaseException) -> list[tuple[str, str]]:
    """Where the function was spawned that failed: pairs of place and function."""
    places = error.__dict__.get("__spawned_at__", ())
    shown = [
        (f"{shown_path(file)}:{line}", name)
        for file, line, name in places
        if not file.startswith(("<", HOUSE))
    ]
    return shown[:_MOST]


def _syntax_of(error: BaseException) -> tuple[str, int, list[Line]] | None:
    """Of a SyntaxError: its file and line, which no frame has reached, and what is there."""
    if not isinstance(error, SyntaxError) or not error.filename or not error.lineno:
        return None
    return error.filename, error.lineno, excerpt(error.filename, error.lineno)


def as_text(error: BaseException) -> str:
    """The whole traceback as Python writes it; never raises."""
    try:
        return "".join(TracebackException.from_exception(error, limit=-60).format())
    except Exception as second:
        return f"{kind_of(error)}: its traceback cannot be made: {type(second).__name__}\n"
