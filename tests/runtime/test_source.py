"""Where in the user's source something is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from photon.runtime.source import place_of

HERE = "tests/runtime/test_source.py"


def plain() -> None: ...


@functools.wraps(plain)
def wrapper() -> None: ...


class Callable_:
    def __call__(self) -> None: ...

    def method(self) -> None: ...


def line_of(fn: Callable[..., Any]) -> int:
    return inspect.getsourcelines(fn)[1]


def generator() -> Iterator[int]:
    yield 1


def test_a_generator_is_where_its_function_is() -> None:
    assert place_of(generator()) == f"{HERE}:{line_of(generator)}"  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _at_the_root_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])


@pytest.mark.parametrize(
    ("fn", "line"),
    [
        (plain, line_of(plain)),
        (wrapper, line_of(plain)),
        (Callable_(), line_of(Callable_.__call__)),
        (Callable_().method, line_of(Callable_.method)),
        (functools.partial(plain), line_of(plain)),
    ],
)
def test_a_function_stands_in_a_file_at_a_line(fn: Callable[..., Any], line: int) -> None:
    assert place_of(fn) == f"{HERE}:{line}"


def test_what_lies_elsewhere_is_given_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert place_of(plain) == f"{__file__}:{line_of(plain)}"


@pytest.mark.parametrize("fn", [len, int, dict.get])
def test_what_has_no_source_is_a_question_mark(fn: Callable[..., Any]) -> None:
    assert place_of(fn) == "?"


def test_a_place_is_found_where_the_working_directory_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert place_of(plain).endswith(f":{line_of(plain)}")
