"""Where a greenlet waits is told by the line of the user's code, and the one below it."""

from __future__ import annotations

import sys
from subprocess import Popen, run

from photon.runtime.greenlets import checkpoint, sleep_forever, spawn
from photon.runtime.handle import Handle
from photon.runtime.whereabouts import is_users, spot_of, told, where


def waits() -> None:
    sleep_forever()


def parked(handle: Handle[None]) -> object:
    while handle._carrier is None:
        checkpoint()
    return handle._carrier


def test_the_line_of_the_users_code_comes_first() -> None:
    handle = spawn(waits)
    carrier = parked(handle)
    spot = spot_of(carrier)
    assert spot is not None
    assert spot[0] is waits.__code__
    assert told(spot).startswith("tests/runtime/test_whereabouts.py:")
    assert told(spot).endswith(" in waits")
    assert where(carrier).startswith(f"{told(spot)} (photon/runtime/greenlets.py:")
    handle.cancel()
    handle.join()


def test_what_is_nobodys_is_told_by_its_innermost_line() -> None:
    handle = spawn(sleep_forever)
    spot = spot_of(parked(handle))
    assert spot is not None
    assert told(spot).startswith("photon/runtime/greenlets.py:") or "gevent" in told(spot)
    handle.cancel()
    handle.join()


def test_what_does_not_wait_is_nowhere() -> None:
    handle = spawn(waits)
    carrier = parked(handle)
    handle.cancel()
    handle.join()
    assert told(None) == ""
    assert handle.where == ""
    assert not where(carrier).startswith("tests/runtime/test_whereabouts.py")


def test_code_of_libraries_and_what_was_generated_is_nobodys() -> None:
    assert is_users(waits.__code__)
    assert not is_users(spawn.__code__)
    assert not is_users(Popen.wait.__code__)
    assert not is_users(compile("1", "<endpoint of shop.py>", "eval"))


def test_where_libraries_are_is_found_out_when_it_is_asked_for() -> None:
    """It takes longer than to import most of the rooms."""
    code = "import sys, photon.runtime.whereabouts; print('sysconfig' in sys.modules)"
    out = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
