"""The plugin of pytest: fixtures `app`, `client`, `live_server`, `clock`, `no_leaks`; a seed.

    [tool.pytest.ini_options]
    addopts = "-p photon.testing.patch"     # so that what blocks in handlers cooperates, as it does
    photon_app = "shop.main:app"            # when `photon run` serves it; it has to come first

    def test_an_item_is_made(client):
        assert client.post("/items", json={"name": "pen"}).status == 201

Instead of `photon_app`, or for an application that a function makes, a conftest.py says

    @pytest.fixture
    def app():
        return create_app(database="sqlite://")

What finds bugs in tests that pass:

    --photon-seed=N|random    each test runs its ready greenlets in an order that is permuted by N
                              and its name (`scheduling`); one that fails says how to repeat it.
                              In the ini file: photon_seed. @pytest.mark.photon_seed(False) is for
                              those that make a certain order themselves
    photon_leaks = true       in the ini file: a test fails that leaves a greenlet, a timer, a
                              connection or a thread behind (`leaks`), unless it is marked with
                              @pytest.mark.photon_leaks(False). Without it, the mark opts in

This file is imported whenever pytest starts, so it imports nothing of the rest until a fixture is
asked for. `-p no:photon` leaves it out, where other plugins have fixtures of these names.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from photon.testing.seeding import seed_of_run, seed_of_test, way_to_repeat

if TYPE_CHECKING:
    from photon.testing.client import TestClient
    from photon.testing.clock import Clock
    from photon.testing.live import LiveClient

_seed_key = pytest.StashKey[int]()
_failed_key = pytest.StashKey[bool]()

_HINT = 'set `photon_app = "module:app"`, or write a fixture `app` that returns the application'


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("photon_app", "the application of the fixture `app`, as module:attribute")
    parser.addini("photon_leaks", "fail tests that leave something behind", type="bool")
    parser.addini("photon_seed", "as --photon-seed", default="")
    parser.getgroup("photon").addoption(
        "--photon-seed",
        metavar="N|random",
        help="permute the order in which ready greenlets run, in each test, by this seed",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "photon_leaks(on=True): whether the test fails when it leaves a greenlet, a timer, a "
        "connection or a thread behind",
    )
    config.addinivalue_line(
        "markers",
        "photon_seed(on=True): whether --photon-seed permutes the order of its greenlets",
    )
    text = config.getoption("photon_seed") or config.getini("photon_seed")
    if not text:
        return
    try:
        seed = seed_of_run(text.strip())
    except ValueError as error:
        raise pytest.UsageError(f"--photon-seed: {error}") from None
    config.stash[_seed_key] = seed
    config.option.photon_seed = str(seed)  # for the other processes of pytest-xdist


def pytest_report_header(config: pytest.Config) -> str | None:
    seed = config.stash.get(_seed_key, None)
    return None if seed is None else f"photon: the order of greenlets is permuted by seed {seed}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    seed = _seed_of(item)
    if seed is None:
        return (yield)
    from photon.testing.scheduling import shuffled

    with shuffled(seed_of_test(seed, item.nodeid)):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_failed_key] = True
        seed = _seed_of(item)
        if seed is not None:
            again = way_to_repeat(_seen_from_here(item), seed)
            text = f"greenlets ran in the order of seed {seed}; repeat it with\n    {again}"
            report.sections.append(("photon seed", text))
    return report


def _seed_of(item: pytest.Item) -> int | None:
    """That of the run; None when this test has none."""
    return item.config.stash.get(_seed_key, None) if _is_on(item, "photon_seed", True) else None


def _is_on(node: pytest.Item, name: str, otherwise: bool) -> bool:
    """What the nearest mark of that name says."""
    mark = node.get_closest_marker(name)
    if mark is None:
        return otherwise
    return bool(mark.args[0] if mark.args else mark.kwargs.get("on", True))


def _seen_from_here(item: pytest.Item) -> str:
    """Its node id as one writes it in the folder in which pytest was started."""
    path, separator, names = item.nodeid.partition("::")
    seen = os.path.relpath(item.config.rootpath / path, item.config.invocation_params.dir)
    return f"{seen}{separator}{names}"


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


@pytest.fixture
def clock() -> Iterator[Clock]:
    """A `Clock`: time stands still until the test says `clock.advance("1h")`."""
    from photon.testing.clock import Clock

    with Clock() as moved_by_hand:
        yield moved_by_hand


@pytest.fixture
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves something behind since this fixture: let it be the first one."""
    from photon.testing.leaks import no_leaks as without_leaks

    with without_leaks() as watch:
        yield
        if request.node.stash.get(_failed_key, False):
            watch.forget()  # what it left is a consequence


@pytest.fixture(autouse=True)
def _no_leaks_anywhere(request: pytest.FixtureRequest) -> None:
    if _is_on(request.node, "photon_leaks", bool(request.config.getini("photon_leaks"))):
        request.getfixturevalue("no_leaks")


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
