"""What a block leaves behind."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from textwrap import dedent

import gevent
import pytest

from photon import Photon, Request
from photon.runtime.cancel import fail_after
from photon.runtime.clock import now
from photon.runtime.greenlets import checkpoint, sleep, sleep_forever, spawn
from photon.runtime.hub import current_hub
from photon.runtime.nursery import nursery
from photon.runtime.offload import offload
from photon.tasks.timers import spawn_after
from photon.testing.client import TestClient
from photon.testing.clock import Clock
from photon.testing.leaks import LeakWatch, no_leaks, watching_leaks
from photon.testing.live import LiveClient, live_server
from tests.callers import in_thread


@pytest.fixture
def cleanup() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def left_by(block: Callable[[], object]) -> list[str]:
    with watching_leaks() as watch:
        block()
        return watch.left()


def one_left_by(block: Callable[[], object]) -> str:
    (line,) = left_by(block)
    return line


# What is a leak, and how it is told...


def test_a_greenlet_is_told_with_its_place_and_its_spawner(cleanup: ExitStack) -> None:
    def waits() -> None:
        sleep_forever()

    line = one_left_by(lambda: cleanup.callback(spawn(waits).cancel))
    assert line.startswith("greenlet: ")
    assert ".waits waits at tests/testing/test_leaks.py:" in line
    assert "in waits (photon/runtime/greenlets.py:" in line
    assert ", spawned at tests/testing/test_leaks.py:" in line
    assert line.endswith("; join() or cancel() its handle, or spawn it in a nursery")


def test_one_that_has_not_begun_is_told_as_well(cleanup: ExitStack) -> None:
    with pytest.raises(AssertionError, match="1 left behind:\n  greenlet: sleep_forever waits at "):
        with no_leaks():
            cleanup.callback(spawn(sleep_forever).cancel)


def test_a_greenlet_of_gevent(cleanup: ExitStack) -> None:
    def block() -> None:
        greenlet = gevent.spawn(sleep_forever)
        cleanup.callback(greenlet.kill)

    line = one_left_by(block)
    assert line.startswith("greenlet: <Greenlet ")
    assert line.endswith("; join() or kill() it")


def test_a_timer(cleanup: ExitStack) -> None:
    line = one_left_by(lambda: cleanup.callback(spawn_after("1h", print).cancel))
    assert line.startswith("timer: builtins.print is due in ")
    assert "asked for at tests/testing/test_leaks.py:" in line


def test_a_deadline(cleanup: ExitStack) -> None:
    def block() -> None:
        deadline = current_hub().deadlines.add(now() + 100, cleanup.close)
        cleanup.callback(deadline.cancel)

    line = one_left_by(block)
    assert line.startswith("timer: <Deadline in ")
    assert " calls ExitStack.close (" in line
    assert line.endswith("; cancel() it")


def test_a_subject_of_the_sweep(cleanup: ExitStack) -> None:
    class Subject:
        sweep_tick = 0

        def on_due(self, moment: float) -> None:
            pass

        def __repr__(self) -> str:
            return "<Subject>"

    def block() -> None:
        subject, sweep = Subject(), current_hub().sweep
        sweep.watch(subject, now() + 100)
        cleanup.callback(sweep.forget, subject)

    assert one_left_by(block) == "timer: <Subject> has a time-out that is not over; close it"


def test_a_socket_that_is_open_and_one_that_listens(cleanup: ExitStack) -> None:
    def block() -> None:
        listener = cleanup.enter_context(socket.create_server(("127.0.0.1", 0)))
        cleanup.enter_context(socket.create_connection(listener.getsockname()))

    listening, connected = sorted(left_by(block), key=lambda line: "listens" not in line)
    assert "listens at 127.0.0.1:" in listening
    assert listening.endswith("; stop its server")
    assert " at 127.0.0.1:" in connected
    assert " to 127.0.0.1:" in connected
    assert connected.endswith(" is open; close it, or use it in a `with`")


def test_sockets_without_names(cleanup: ExitStack) -> None:
    def block() -> None:
        for end in socket.socketpair():
            cleanup.callback(end.close)

    assert all(" is open; close it" in line for line in left_by(block))


def test_a_connection_that_is_kept_is_told_once(cleanup: ExitStack) -> None:
    app = Photon()
    client = cleanup.enter_context(live_server(app))

    def block() -> None:
        client.get("/")

    ours, servers = sorted(left_by(block), key=lambda line: "<Connection" in line)
    assert ours.startswith("connection: the socket ")
    assert servers.startswith("connection: <Connection 127.0.0.1:")
    assert servers.endswith(" is open; close its client, or its server")


def test_a_handler_that_still_waits(cleanup: ExitStack) -> None:
    app = Photon()

    @app.get("/")
    def index(request: Request) -> str:
        sleep_forever()
        return ""

    client = cleanup.enter_context(TestClient(app))

    def block() -> None:
        handle = spawn(client.get, "/")
        cleanup.callback(handle.join)
        cleanup.callback(handle.cancel)

    asking, handler = sorted(left_by(block), key=lambda line: "the handler of" in line)
    assert asking.startswith("greenlet: BaseClient.get waits at ")
    assert "waits at tests/testing/test_leaks.py:" in handler
    assert handler.endswith("; read the whole response, or close the client")


def test_a_thread_of_a_process_that_is_not_patched() -> None:
    code = """
        import threading
        from photon.testing import no_leaks

        event = threading.Event()
        thread = threading.Thread(target=event.wait, name="native", daemon=True)
        try:
            with no_leaks():
                thread.start()
        except AssertionError as error:
            print(error)
        event.set()
        thread.join()
        with no_leaks():
            pass
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "1 left behind:\n  daemon thread: native still runs; join() it\n"


def test_a_thread_of_the_patched_library_is_told_once(cleanup: ExitStack) -> None:
    def block() -> None:
        event = threading.Event()
        thread = threading.Thread(target=event.wait, name="patched")
        thread.start()
        cleanup.callback(thread.join)
        cleanup.callback(event.set)

    assert one_left_by(block) == "thread: patched still runs; join() it"


# What is none...


def test_what_ends_in_time_is_no_leak() -> None:
    def ends_soon() -> None:
        for _ in range(5):
            checkpoint()

    def ends_later() -> None:
        sleep(0.05)

    with no_leaks():
        spawn(ends_soon)
        spawn(ends_later)
        gevent.spawn(ends_soon)
        thread = threading.Thread(target=ends_soon)
        thread.start()


def test_what_was_there_before_is_no_leak() -> None:
    handle = spawn(sleep_forever)
    timer = spawn_after(100, print)
    with socket.socket(), no_leaks():
        pass
    handle.cancel()
    handle.join()
    timer.cancel()


def test_what_is_taken_back_is_no_leak() -> None:
    with no_leaks():
        spawn_after(100, print).cancel()
        with fail_after(100), nursery() as n:
            n.spawn(sleep, 0)
        handle = spawn(sleep_forever)
        checkpoint()
        handle.cancel()
        offload(int, "1")


def test_requests_leave_nothing_behind() -> None:
    app = Photon()

    @app.get("/")
    def index() -> str:
        sleep(0.001)
        return "hello"

    with no_leaks(), TestClient(app) as client:
        client.get("/")
    with no_leaks(), live_server(app) as live:
        live.get("/")
        with LiveClient(live.server.url if live.server else "") as other:
            other.get("/")


def test_one_may_wait_outside_of_its_own_deadline() -> None:
    with fail_after(100), no_leaks():
        pass


def test_a_clock_that_stands_still_keeps_nothing_from_ending() -> None:
    with Clock() as clock, no_leaks():
        handle = spawn(sleep, 100)
        clock.advance(100)
        assert handle.is_over
    with Clock(), pytest.raises(AssertionError, match="sleep waits at"):
        with no_leaks():
            spawn(sleep, 100)


def test_a_block_that_fails_fails_with_that() -> None:
    handles = []
    with pytest.raises(ZeroDivisionError):
        with no_leaks():
            handles.append(spawn(sleep_forever))
            _ = 1 / 0
    handles[0].cancel()


def test_what_is_forgotten_is_not_told() -> None:
    with no_leaks() as watch:
        handle = spawn(sleep_forever)
        checkpoint()
        assert repr(watch) == "<LeakWatch new=1>"
        watch.forget()
    handle.cancel()


def test_a_thread_without_a_hub_needs_none() -> None:
    def look() -> bool:
        from photon.runtime.hub import existing_hub

        LeakWatch().left()
        return existing_hub() is None

    assert in_thread(look) is True


def test_other_systems_have_no_list_of_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> list[str]:
        raise FileNotFoundError(path)

    monkeypatch.setattr("os.listdir", refuse)
    with no_leaks(), socket.socket():
        pass
