"""What is guarded, what counts, what is said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest

from photon.runtime.guarding import (
    brief,
    exception_classes,
    is_partly,
    is_wholly,
    name_of,
    need_plain_function,
    tell,
)


class Callable:
    def __call__(self) -> None: ...

    def method(self) -> None: ...


def generator() -> Iterator[int]:
    yield 1


async def asynchronous() -> None: ...


async def asynchronous_generator() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize("fn", [len, Callable(), Callable().method, Callable, partial(len, "")])
def test_functions_that_a_call_runs_are_guarded(fn: object) -> None:
    need_plain_function(fn, "retry")


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (7, "retry takes a function, not 7; pass it without calling it"),
        (generator, "cannot guard generator, a generator function: calling it runs none of it"),
        (partial(generator), "cannot guard generator, a generator function"),
        (asynchronous, "cannot guard asynchronous, an async function"),
        (asynchronous_generator, "a generator function"),
    ],
)
def test_others_are_not(fn: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        need_plain_function(fn, "retry")


def test_names() -> None:
    assert name_of(len) == "len"
    assert name_of(Callable().method) == "Callable.method"
    assert name_of(Callable()) == "Callable"
    assert name_of(partial(partial(len), "")) == "len"


def test_classes_of_exceptions() -> None:
    assert exception_classes(OSError, "on", "x") == (OSError,)
    assert exception_classes((OSError, KeyError), "on", "x") == (OSError, KeyError)
    for wrong, message in (
        ((), "on names no exceptions; write x"),
        (7, "not 7; write x"),
        ((OSError, "KeyError"), "not 'KeyError'"),
        (SystemExit, "on=SystemExit means also"),
    ):
        with pytest.raises(TypeError, match=message):
            exception_classes(wrong, "on", "x")


def test_groups() -> None:
    mixed = ExceptionGroup("", [OSError(), ExceptionGroup("", [KeyError()])])
    assert is_partly(mixed, (KeyError,))
    assert not is_wholly(mixed, (KeyError,))
    assert is_wholly(mixed, (KeyError, OSError))
    assert not is_partly(mixed, (ValueError,))
    assert is_wholly(mixed, (ExceptionGroup,))
    assert not is_wholly(BaseExceptionGroup("", [SystemExit()]), (OSError,))


def test_an_exception_in_one_line() -> None:
    assert brief(ConnectionError("refused")) == "ConnectionError: refused"
    assert brief(KeyError()) == "KeyError"
    assert brief(ValueError("two\n  lines")) == "ValueError: two lines"
    assert len(brief(ValueError("x" * 10**6))) == 200


def test_an_exception_whose_text_cannot_be_made_is_told_all_the_same() -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert brief(Unspeakable()).endswith("Unspeakable: (its text cannot be made)")


def test_a_hook_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    tell(int, "seven")
    assert caplog.messages == ["the hook int failed"]
    with pytest.raises(SystemExit):
        tell(exit_now)


def exit_now() -> None:
    raise SystemExit
