"""Whether a process is for development."""

from __future__ import annotations

import pytest

from photon.app.development import is_development


@pytest.mark.parametrize("said", ["", "0", "false", "False", "no", "off", " "])
def test_who_says_no_gets_no_pages_with_source(said: str) -> None:
    assert not is_development({"PHOTON_DEV": said})


@pytest.mark.parametrize("said", ["1", "yes", "true"])
def test_who_says_yes_does(said: str) -> None:
    assert is_development({"PHOTON_DEV": said})


def test_nobody_has_to_say_no() -> None:
    assert not is_development({})
