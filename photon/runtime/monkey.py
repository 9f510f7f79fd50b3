"""Patch the standard library, so that blocking calls park their greenlet instead of the process.

It must come before anything that takes `socket.socket`, `time.sleep` and the like into its own
namespace: such a module keeps the blocking original for ever and stalls every request. gevent
says nothing of most of them. So after the patch every loaded module is looked through for the
originals themselves, and those that hold one are named.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType

from gevent import events, monkey

from photon.runtime.errors import PatchedTooLate
from photon.runtime.greenlets import sleep

# Module and names in it whose blocking originals must not be left in anybody's hands.
_BLOCKING = {
    "socket": ("socket", "create_connection", "getaddrinfo", "gethostbyname"),
    "ssl": ("SSLContext", "SSLSocket", "create_default_context"),
    "select": ("select", "poll", "epoll", "kqueue"),
    "time": ("sleep",),
    "threading": ("Lock", "RLock", "Event", "Condition", "Semaphore", "Thread", "local"),
    "queue": ("SimpleQueue",),
    "subprocess": ("Popen", "run", "check_output"),
    "os": ("fork", "waitpid"),
}

# They look once, while they are imported, and never again.
_DECIDE_AT_IMPORT = ("psycopg",)

_OWN = {"gevent", "greenlet", "photon", "zope"}


def patch(*, harmless: Iterable[str] = ()) -> tuple[str, ...]:
    """Make the standard library cooperate. Does nothing the second time.

    Args: harmless: top-level names of modules that may keep the blocking originals.
    Returns: names of the modules that were imported too early, sorted; empty when all is well.
    Warns: PatchedTooLate, naming them and the way out.
    """
    if is_patched():
        return ()
    originals = _originals()
    early = {name for name in _DECIDE_AT_IMPORT if name in sys.modules}
    with _no_plugins():
        monkey.patch_all()
    time.sleep = sleep  # type: ignore[assignment]  # ours wants a number
    early |= _holders(originals)
    names = tuple(sorted(early.difference(harmless)))
    if names:
        warnings.warn(
            f"{', '.join(names)}: imported before Photon could patch the standard library, so "
            "blocking calls in there stop every request. Start with `python -m photon run`, or "
            "put `from photon.runtime import monkey; monkey.patch()` before every other import.",
            PatchedTooLate,
            stacklevel=2,
        )
    return names


def is_patched() -> bool:
    """Whether the standard library cooperates in this process."""
    return bool(monkey.is_module_patched("socket"))


@contextmanager
def _no_plugins() -> Iterator[None]:
    """Have gevent tell its subscribers of the patch, and not look for plug-ins.

    It would read the metadata of every installed distribution, 25 times: 0.1 s of a start in an
    environment with 30 of them. (No plug-in of that kind is known on PyPI.)
    """
    call_plugins = events.notify_and_call_entry_points
    events.notify_and_call_entry_points = events.notify
    try:
        yield
    finally:
        events.notify_and_call_entry_points = call_plugins


def _originals() -> dict[int, object]:
    """What is about to be replaced, by identity. Nothing is imported for it."""
    found = {}
    for module_name, names in _BLOCKING.items():
        module = sys.modules.get(module_name)
        for name in names:
            original = getattr(module, name, None)
            if original is not None:
                found[id(original)] = original
    return found


def _holders(originals: dict[int, object]) -> set[str]:
    """Top-level names of the third-party modules that still hold one of `originals`."""
    still_the_same = {
        id(getattr(sys.modules.get(module), name, None))
        for module, names in _BLOCKING.items()
        for name in names
    }
    blocking = originals.keys() - still_the_same
    holders = set()
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in _OWN or not isinstance(module, ModuleType):
            continue
        if any(id(value) in blocking for value in list(vars(module).values())):
            holders.add(top)
    return holders
