"""Tracebacks that begin where the user's code does."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from photon.app.photon import Photon
from photon.runtime.net.address import parse_address
from photon.telemetry.tracebacks import users_traceback


def told_of(function: object) -> str:
    assert callable(function)
    with pytest.raises(Exception) as caught:  # noqa: PT011  # whatever it is
        function()
    return users_traceback(caught.value)


def test_frames_of_photon_are_left_out_between_the_users() -> None:
    def register() -> None:
        Photon().get("/{open")

    told = told_of(register)
    assert "in register" in told
    assert "photon/app" not in told
    assert "TemplateError" in told


def test_causes_are_trimmed_as_well() -> None:
    def wrap() -> None:
        try:
            parse_address("unix:")
        except ValueError as error:
            raise RuntimeError("no address") from error

    told = told_of(wrap)
    assert "direct cause" in told
    assert "photon/runtime" not in told


def test_a_fault_of_photon_itself_is_shown_whole() -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        parse_address("unix:")
    error = caught.value
    assert error.__traceback__ is not None
    error.__traceback__ = error.__traceback__.tb_next  # without this test's frame
    assert "photon/runtime/net/address.py" in users_traceback(error)


def test_the_import_machinery_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_module.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    told = told_of(lambda: importlib.import_module("broken_module"))
    assert "<frozen importlib" not in told
    assert "importlib/__init__" not in told
    assert f'File "{tmp_path}/broken_module.py", line 1' in told


def test_an_error_without_frames_has_no_headline() -> None:
    assert users_traceback(ValueError("bare")) == "ValueError: bare\n"


def test_groups_are_trimmed_inside() -> None:
    def group() -> None:
        try:
            parse_address("unix:")
        except ValueError as error:
            raise ExceptionGroup("several", [error]) from None

    assert "photon/runtime" not in told_of(group)
