"""What is no application is refused, with the way out."""

from __future__ import annotations

from typing import Any

import pytest

from photon.app.photon import Photon
from photon.testing.checks import check_application


async def asynchronous(request: Any) -> None: ...


async def asgi(scope: Any, receive: Any, send: Any) -> None: ...


def wsgi(environ: Any, start_response: Any) -> None: ...


def factory() -> Photon:
    return Photon()


class Asynchronous:
    async def __call__(self, request: Any) -> None: ...


class Plain:
    def __call__(self, request: Any, extra: int = 0) -> None: ...


@pytest.mark.parametrize(
    ("application", "says"),
    [
        (None, "None is no application: an application is a Photon object, or a function"),
        ("app:app", "'app:app' is no application"),
        (Photon, r"Photon is a class, not an application: give an object of it, Photon\(\)"),
        (asynchronous, "asynchronous is async: write def"),
        (Asynchronous(), "is async: write def"),
        (asgi, "asgi takes three arguments, as ASGI does"),
        (wsgi, "wsgi takes two arguments, as WSGI does"),
        (factory, "factory takes no argument: it is a factory, give what it returns"),
    ],
)
def test_a_mistake_is_told(application: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        check_application(application)


@pytest.mark.parametrize(
    "application", [Photon(), Plain(), lambda request: None, lambda *args: None, repr]
)
def test_what_can_be_called_with_a_request_is_fine(application: Any) -> None:
    check_application(application)
