"""Status codes."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from photon.http.status import check_status, has_content, reason_phrase


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (200, "OK"),
        (404, "Not Found"),
        (413, "Content Too Large"),
        (414, "URI Too Long"),
        (416, "Range Not Satisfiable"),
        (422, "Unprocessable Content"),
        (499, "Client Closed Request"),
        (599, "Unknown"),
    ],
)
def test_a_status_has_a_phrase(status: int, phrase: str) -> None:
    assert reason_phrase(status) == phrase


def test_every_registered_phrase_can_stand_in_a_status_line() -> None:
    assert all(reason_phrase(status).isascii() for status in HTTPStatus)


@pytest.mark.parametrize("status", [100, 101, 103, 204, 304])
def test_these_have_no_content(status: int) -> None:
    assert not has_content(status)


@pytest.mark.parametrize("status", [200, 201, 205, 206, 300, 301, 400, 500])
def test_these_may_have_content(status: int) -> None:
    assert has_content(status)


@pytest.mark.parametrize("status", [-200, 0, 99, 600, 1000, 20000])
def test_what_is_no_status(status: int) -> None:
    with pytest.raises(ValueError, match=f"{status} is no status of a response"):
        check_status(status)
