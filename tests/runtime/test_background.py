"""A room in a native thread, for processes that are not patched."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent


def run(code: str, *, status: int = 0) -> list[str]:
    """The lines that a fresh, unpatched interpreter prints for `code`."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == status, done.stdout
    return done.stdout.splitlines()


def test_a_server_beside_blocking_clients_in_a_process_that_is_not_patched() -> None:
    assert run("""
        import threading, time
        from urllib.request import urlopen
        from photon import Photon, serve
        from photon.runtime import monkey
        app = Photon()

        @app.get("/{name}")
        def hello(name: str) -> str:
            return f"hello {name}"

        for _ in range(2):
            with serve(app) as server:
                for name in ("one", "two"):
                    with urlopen(f"{server.url}/{name}") as answer:
                        print(answer.read().decode())
            print(server.state.value, threading.active_count())
        print(monkey.is_patched())
    """) == ["hello one", "hello two", "stopped 1"] * 2 + ["False"]


def test_many_blocking_threads_may_ask_at_once() -> None:
    assert run("""
        from concurrent.futures import ThreadPoolExecutor
        from urllib.request import urlopen
        from photon import Response, serve

        def ask(number):
            with urlopen(f"{server.url}/{number}") as answer:
                return answer.read().decode()

        with serve(lambda request: Response(request.path)) as server:
            with ThreadPoolExecutor(8) as pool:
                print(list(pool.map(ask, range(100))) == [f"/{n}" for n in range(100)])
    """) == ["True"]


def test_what_entering_raises_is_raised_in_the_callers_thread() -> None:
    assert run("""
        import threading
        from photon import Response, serve
        from photon.runtime.errors import ListenError
        with serve(lambda request: Response()) as server:
            try:
                with serve(lambda request: Response(), port=server.port):
                    print("never")
            except ListenError as error:
                print("in use" in str(error))
        print(threading.active_count())
    """) == ["True", "1"]


def test_what_the_block_raises_and_what_leaving_raises_reach_the_caller() -> None:
    assert run("""
        from contextlib import contextmanager
        from photon.runtime.background import run_in_native_thread

        @contextmanager
        def room(fails=False):
            try:
                yield "inside"
            finally:
                print("left")
                if fails:
                    raise ValueError("while leaving")

        try:
            with run_in_native_thread(room()) as inside:
                print(inside)
                raise KeyError("of the block")
        except KeyError as error:
            print(error)
        try:
            with run_in_native_thread(room(fails=True)):
                pass
        except ValueError as error:
            print(error)
    """) == ["inside", "left", "'of the block'", "left", "while leaving"]


def test_a_room_that_ended_early_says_why() -> None:
    lines = run("""
        import time
        import gevent
        from contextlib import contextmanager
        from photon.runtime.background import run_in_native_thread

        def fail():
            raise SystemExit("the room is over")

        @contextmanager
        def room():
            gevent.spawn_later(0.01, fail)
            yield

        try:
            with run_in_native_thread(room()):
                time.sleep(0.5)
        except BaseException as error:
            print(type(error).__name__, error)
    """)
    assert lines[-1] == "SystemExit the room is over"
