"""Fixtures for pytest: `app`, `client`, `live_server`.

    [tool.pytest.ini_options]
    addopts = "-p photon.testing.patch"     # so that what blocks in handlers cooperates, as it does
    photon_app = "shop.main:app"            # when `photon run` serves it; it has to come first

    def test_an_item_is_made(client):
        assert client.post("/items", json={"name": "pen"}).status == 201

Instead of `photon_app`, or for an application that a function makes, a conftest.py says

    @pytest.fixture
    def app():
        return create_app(database="sqlite://")

This file is imported whenever pytest starts, so it imports nothing of the rest until a fixture is
asked for. `-p no:photon` leaves it out, where other plugins have fixtures of these names.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from photon.testing.client import TestClient
    from photon.testing.live import LiveClient

_HINT = 'set `photon_app = "module:app"`, or write a fixture `app` that returns the application'


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("photon_app", "the application of the fixture `app`, as module:attribute")


@pytest.fixture
def app(pytestconfig: pytest.Config) -> Any:
    """The application that the ini option `photon_app` names. Override it to make your own."""
    target = pytestconfig.getini("photon_app")
    if not target:
        raise pytest.UsageError(f"which application is to be tested? {_HINT}")
    return load(target, str(pytestconfig.rootpath))


@pytest.fixture
def client(app: Any) -> Iterator[TestClient]:
    """A `TestClient` of `app`, within its lifespan; no sockets."""
    from photon.testing.client import TestClient

    with TestClient(app) as test_client:
        yield test_client


@pytest.fixture
def live_server(app: Any) -> Iterator[LiveClient]:
    """A client of `app` over a real port: `live_server.get("/")`, `live_server.server.url`."""
    from photon.testing.live import live_server as serve_live

    with serve_live(app) as live_client:
        yield live_client


def load(target: str, folder: str) -> Any:
    """The object that `module:attribute` names.

    Args: folder: where modules are looked for, too.
    Raises: UsageError, with the way out; what the module raises while it is imported.
    """
    module_name, _, attribute = target.partition(":")
    if not module_name or "/" in module_name or module_name.endswith(".py"):
        raise pytest.UsageError(f"photon_app is {target!r}, which is no module: {_HINT}")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        # The module itself, or a package above it; any other is missing inside of it.
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise pytest.UsageError(
            f"photon_app is {target!r}, but there is no module {error.name!r} in {folder}: {_HINT}"
        ) from None
    for name in (attribute or "app").split("."):
        if not hasattr(found, name):
            raise pytest.UsageError(
                f"photon_app is {target!r}, but {found!r} has no {name!r}: {_HINT}"
            )
        found = getattr(found, name)
    return found
