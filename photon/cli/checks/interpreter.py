"""Python and the loop below: versions, and switches that are not for serving."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping

from photon.app.development import is_development
from photon.cli.checks.finding import Finding, ok, warn
from photon.runtime.backend import Backend, backend

_GOOD_POLLERS = ("epoll", "kqueue", "port")


def interpreter(environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Python, gevent and what they were told by the environment."""
    below = backend()
    yield ok(
        "python",
        f"{platform.python_implementation()} {platform.python_version()}, gevent {below.gevent} "
        f"on {below.loop}, greenlet {below.greenlet}",
    )
    yield from poller(below)
    yield from resolver(below)
    yield from switches(environ)


def poller(below: Backend) -> Iterator[Finding]:
    name = below.loop.rpartition(" with ")[2]
    if "libuv" not in below.loop and name not in _GOOD_POLLERS:
        yield warn(
            "loop",
            f"{below.loop} looks at every connection each time, so thousands are slow",
            "Take LIBEV_FLAGS and GEVENT_LOOP out of the environment.",
        )


def resolver(below: Backend) -> Iterator[Finding]:
    if "Block" in below.resolver:
        yield warn(
            "resolver",
            f"{below.resolver} looks names up in the hub, and every request waits for it",
            "Take GEVENT_RESOLVER out of the environment: then threads look them up.",
        )


def switches(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Flags of Python, and variables, that make a process slow or talkative."""
    if sys.flags.dev_mode:
        yield warn("debug", "Python's development mode is on (-X dev)", "Serve without it.")
    if environ.get("PYTHONMALLOC", "").endswith("debug"):
        yield warn("debug", "PYTHONMALLOC checks every allocation", "Serve without it.")
    if is_development(environ):
        yield warn(
            "debug",
            "PHOTON_DEV is set: answers to failures show the source and values",
            "Take it out of the environment of a server.",
        )
    if sys.dont_write_bytecode:
        yield warn(
            "bytecode",
            "PYTHONDONTWRITEBYTECODE is set, so each start compiles all modules anew",
            "Take it out, or compile when an image is built: python -m compileall .",
        )
    if sys.flags.optimize:
        yield ok("asserts", "are left out (python -O)")
