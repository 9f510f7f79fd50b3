"""What is said of a name that a package does not have, however it is asked for."""

from __future__ import annotations

import pytest

import photon


def test_an_attribute() -> None:
    with pytest.raises(AttributeError, match=r"photon has no 'HTTPException': .* HTTPError") as e:
        _ = photon.HTTPException
    assert e.value.name == "HTTPException"


def test_an_import_says_as_much() -> None:
    with pytest.raises(ImportError, match=r"photon has no 'HTTPException': .* HTTPError") as e:
        from photon import HTTPException  # noqa: F401
    assert e.value.name == "photon"


def test_a_module_is_imported_though_no_name_is_like_it() -> None:
    from photon import runtime

    assert runtime.__name__ == "photon.runtime"


def test_who_asks_whether_it_is_there_is_told_no() -> None:
    assert not hasattr(photon, "HTTPException")
    assert getattr(photon, "__wrapped__", None) is None
