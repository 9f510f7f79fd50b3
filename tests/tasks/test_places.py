"""Where in the user's code something was stopped, or was asked for."""

from __future__ import annotations

import json

import pytest

from photon.tasks.periods import seconds_of
from photon.tasks.places import Place, caller, stopped_at


def test_the_last_line_of_the_users_own_code_is_meant() -> None:
    def users() -> None:
        json.loads("{")

    with pytest.raises(ValueError, match="Expecting") as caught:
        users()
    assert stopped_at(caught.value).startswith("tests/tasks/test_places.py:")
    assert stopped_at(caught.value).endswith(" in users")


def test_without_any_of_the_users_it_is_the_last_of_all() -> None:
    with pytest.raises(ValueError, match="soon") as caught:
        seconds_of("soon", "x")
    error = caught.value
    assert error.__traceback__ is not None
    error.__traceback__ = error.__traceback__.tb_next
    assert stopped_at(error).startswith("photon/tasks/periods.py:")


def test_what_was_never_raised_was_stopped_nowhere() -> None:
    assert stopped_at(ValueError()) == "?"


def test_a_place_is_written_out_when_it_is_read() -> None:
    def ask() -> Place:
        return caller(1)

    assert str(ask()).startswith("tests/tasks/test_places.py:")
