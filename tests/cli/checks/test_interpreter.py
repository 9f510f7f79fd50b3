"""Python and the loop below."""

from __future__ import annotations

import pytest

from photon.cli.checks.interpreter import interpreter, poller, resolver, switches
from photon.runtime.backend import Backend, backend


def below(loop: str = "libev with epoll", resolver: str = "Resolver") -> Backend:
    return Backend("1", "2", loop, resolver)


def test_what_there_is_is_named() -> None:
    first = next(interpreter({}))
    assert (first.state, "Python 3." in first.saw, "gevent" in first.saw) == ("ok", True, True)
    assert backend().loop.startswith("lib")


@pytest.mark.parametrize(
    ("loop", "count"), [("libev with epoll", 0), ("libev with select", 1), ("libuv", 0)]
)
def test_a_slow_loop_is_a_warning(loop: str, count: int) -> None:
    assert len(list(poller(below(loop)))) == count


@pytest.mark.parametrize(("name", "count"), [("Resolver", 0), ("BlockingResolver", 1)])
def test_a_resolver_that_blocks_is_a_warning(name: str, count: int) -> None:
    assert len(list(resolver(below(resolver=name)))) == count


@pytest.mark.parametrize("variable", [("PHOTON_DEV", "1"), ("PYTHONMALLOC", "debug")])
def test_what_is_for_development_is_a_warning(variable: tuple[str, str]) -> None:
    assert "debug" in [each.about for each in switches(dict([variable]))]
    assert "debug" not in [each.about for each in switches({})]
