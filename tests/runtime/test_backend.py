"""What the greenlets are made of here."""

from __future__ import annotations

from importlib.metadata import version

from photon.runtime.backend import backend


def test_versions_loop_and_resolver_are_named() -> None:
    below = backend()
    assert (below.gevent, below.greenlet) == (version("gevent"), version("greenlet"))
    assert below.loop.startswith(("libev", "libuv"))
    assert "esolver" in below.resolver
