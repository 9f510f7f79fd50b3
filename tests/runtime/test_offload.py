"""Work in native threads."""

from __future__ import annotations

import _thread
import time
from contextvars import ContextVar

import pytest
from gevent import monkey

from photon.runtime.cancel import move_on_after
from photon.runtime.greenlets import spawn
from photon.runtime.offload import offload

native_sleep = monkey.get_original("time", "sleep")
native_ident = monkey.get_original("_thread", "get_ident")
variable = ContextVar("variable", default="nothing")


def test_a_function_runs_in_another_thread_and_gives_its_result() -> None:
    def fn(a: int, *, b: int) -> tuple[int, int]:
        return a - b, native_ident()

    result, ident = offload(fn, 5, b=3)
    assert result == 2
    assert ident != native_ident()
    assert _thread.get_ident() != ident


def test_the_hub_goes_on_meanwhile() -> None:
    ticks: list[float] = []

    def tick() -> None:
        while True:
            time.sleep(0.001)
            ticks.append(time.monotonic())

    ticker = spawn(tick)
    offload(native_sleep, 0.05)
    assert len(ticks) > 3
    ticker.cancel()
    ticker.join()


def test_it_sees_the_callers_context_and_changes_nothing_in_it() -> None:
    def fn() -> str:
        seen = variable.get()
        variable.set("changed")
        return seen

    token = variable.set("ours")
    assert offload(fn) == "ours"
    assert variable.get() == "ours"
    variable.reset(token)


@pytest.mark.parametrize("error", [ValueError("oh"), SystemExit(3), KeyboardInterrupt()])
def test_what_it_raises_is_the_callers_and_nobody_elses(
    error: BaseException, capfd: pytest.CaptureFixture[str]
) -> None:
    """The hub would print it, and end the process for some."""

    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        offload(fail)
    assert caught.value is error
    assert "fail" in str(caught.traceback[-1])
    assert capfd.readouterr().err == ""


def test_a_cancel_ends_the_waiting() -> None:
    with move_on_after(0.01) as scope:
        offload(native_sleep, 0.1)
    assert scope.cancelled_caught
    assert offload(int) == 0
