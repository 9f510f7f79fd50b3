"""Static files on a disk that is slow, cold or gone, over real sockets: nobody else notices."""

from __future__ import annotations

import _thread
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from photon.http import cached_names, pages
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.http.static import StaticFiles
from photon.runtime.greenlets import sleep
from tests.clients import Client, expect_no_leaks, request, wait_until
from tests.http.test_files import open_files

BIG = os.urandom(1 << 20) * 3


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "fast.txt").write_text("fast")
    (tmp_path / "slow.txt").write_text("slow")
    (tmp_path / "big.bin").write_bytes(BIG)
    return tmp_path


@pytest.fixture(autouse=True)
def _no_file_is_left_open() -> Iterator[None]:
    before = open_files()
    yield
    wait_until(lambda: open_files() == before)


@pytest.fixture(params=["as it is", "cold", "nobody knows"])
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the kernel says when it is asked for what needs no waiting."""
    if request.param != "as it is":
        monkeypatch.setattr(cached_names, "_is_sought", True)
        monkeypatch.setattr(cached_names, "_opener", None)
    if request.param == "nobody knows":
        monkeypatch.setattr(pages, "_NOWAIT", 0)
    if request.param == "cold":
        really_read = os.preadv

        def cold(fd: int, buffers: Any, offset: int, flags: int = 0) -> int:
            if flags:
                raise BlockingIOError
            return really_read(fd, buffers, offset)

        monkeypatch.setattr(os, "preadv", cold)
    return str(request.param)


@contextmanager
def hanging(monkeypatch: pytest.MonkeyPatch, function: str, name: str) -> Iterator[Hang]:
    """A disk that does not answer what `os.<function>` asks of a name, until it is let go."""
    hang = Hang()
    really = getattr(os, function)

    def ask(path: Any, *args: Any, **options: Any) -> Any:
        if isinstance(path, str) and path.endswith(name):
            hang.wait()
            try:
                return really(path, *args, **options)
            finally:
                hang.answered += 1
        return really(path, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, function, ask)
        try:
            yield hang
        finally:
            hang.let_go()


class Hang:
    """A native lock that threads wait for.

    Attributes: threads: who came to wait; answered: how many went on, and were answered.
    """

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.answered = 0
        self._lock = _thread.allocate_lock()
        self._lock.acquire()

    def wait(self) -> None:
        self.threads.append(_native_ident())
        with self._lock:
            pass

    def let_go(self) -> None:
        if self._lock.locked():
            self._lock.release()


def _native_ident() -> int:
    from gevent import monkey

    ident: Callable[[], int] = monkey.get_original("_thread", "get_ident")
    return ident()


# Look-ups...


@pytest.mark.parametrize("function", ["stat", "open"])
def test_others_are_served_while_a_look_up_hangs(
    site: Path, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`stat` is asked by the look-up, `open` by the read of a small file."""
    with serve(StaticFiles(site)) as server, hanging(monkeypatch, function, "slow.txt") as hang:
        with Client(server) as slow, Client(server) as second, Client(server) as other:
            slow.get("/slow.txt")
            wait_until(lambda: hang.threads)
            second.get("/slow.txt")
            for _ in range(3):
                assert other.ask("/fast.txt").body == b"fast"
                assert other.ask("/nobody.txt").status == 404
            assert len(hang.threads) == 1  # the second waits for the same answer
            assert _native_ident() not in hang.threads
            hang.let_go()
            assert slow.answer().body == b"slow"
            assert second.answer().body == b"slow"


def test_who_goes_away_leaves_the_look_up_to_others(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(StaticFiles(site)) as server, hanging(monkeypatch, "stat", "slow.txt") as hang:
        with Client(server) as first, Client(server) as second:
            first.get("/slow.txt")
            wait_until(lambda: hang.threads)
            second.get("/slow.txt")
            wait_until(lambda: len(server.connections) == 2 and server.busy == 2)
            first.close()
            wait_until(lambda: len(server.connections) == 1)
            assert len(hang.threads) == 1
            hang.let_go()
            assert second.answer().body == b"slow"


@pytest.mark.parametrize("kind", ["static", "response"])
def test_a_large_file_on_a_cold_disk_is_opened_in_a_thread(
    kind: str, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cached_names, "_is_sought", True)
    monkeypatch.setattr(cached_names, "_opener", None)
    static = StaticFiles(site)

    def application(request: Any) -> Response:
        if kind == "static" or request.path != "/big.bin":
            return static(request)
        return Response.file(site / "big.bin")

    with serve(application) as server, hanging(monkeypatch, "open", "big.bin") as hang:
        with Client(server) as slow, Client(server) as other:
            slow.get("/big.bin")
            wait_until(lambda: hang.threads)
            assert other.ask("/fast.txt").body == b"fast"
            assert _native_ident() not in hang.threads
            hang.let_go()
            assert slow.answer().body == BIG
        expect_no_leaks(server)


def test_a_file_that_is_opened_for_nobody_is_closed(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cached_names, "_is_sought", True)
    monkeypatch.setattr(cached_names, "_opener", None)
    before = open_files()
    with serve(StaticFiles(site)) as server, hanging(monkeypatch, "open", "big.bin") as hang:
        with Client(server) as client:
            client.get("/big.bin")
            wait_until(lambda: hang.threads)
        expect_no_leaks(server)
        hang.let_go()
        wait_until(lambda: hang.answered)  # it is open now, or was
        wait_until(lambda: open_files() == before)


# Contents...


@pytest.mark.parametrize("kind", ["static", "response"])
def test_files_arrive_whole_whatever_is_in_memory(kind: str, site: Path, disk: str) -> None:
    static = StaticFiles(site)

    def application(request: Any) -> Response:
        return static(request) if kind == "static" else Response.file(f"{site}{request.path}")

    with serve(application) as server, Client(server) as client:
        for _ in range(2):
            assert client.ask("/big.bin").body == BIG
            part = client.ask("/big.bin", "Range: bytes=130000-2700000")
            assert part.body == BIG[130000:2700001]
            assert client.ask("/slow.txt").body == b"slow"
        client.close()
        expect_no_leaks(server)


def test_cold_pages_are_read_in_a_thread_and_others_are_served(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang = Hang()
    really_read = os.preadv

    def cold(fd: int, buffers: Any, offset: int, flags: int = 0) -> int:
        if flags:
            raise BlockingIOError
        hang.wait()
        return really_read(fd, buffers, offset)

    monkeypatch.setattr(os, "preadv", cold)
    with serve(StaticFiles(site)) as server, Client(server) as slow, Client(server) as other:
        try:
            slow.get("/big.bin")
            wait_until(lambda: hang.threads)
            assert other.ask("/fast.txt").body == b"fast"
            assert _native_ident() not in hang.threads
        finally:
            hang.let_go()
        assert slow.answer().body == BIG


def test_a_client_that_leaves_while_the_disk_reads(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang = Hang()
    really_read = os.preadv

    def cold(fd: int, buffers: Any, offset: int, flags: int = 0) -> int:
        if flags:
            raise BlockingIOError
        hang.wait()
        return really_read(fd, buffers, offset)

    monkeypatch.setattr(os, "preadv", cold)
    before = open_files()
    with serve(StaticFiles(site)) as server:
        with Client(server) as client:
            client.get("/big.bin")
            wait_until(lambda: hang.threads)
        expect_no_leaks(server)
        hang.let_go()
        wait_until(lambda: open_files() == before)


def test_a_client_that_leaves_half_way(site: Path, disk: str) -> None:
    os.truncate(site / "big.bin", 64 << 20)
    before = open_files()
    with serve(StaticFiles(site)) as server:
        for leave in (Client.close, Client.reset):
            with Client(server, receive_buffer=4096) as client:
                client.get("/big.bin")
                client.read(100_000)
                leave(client)
            expect_no_leaks(server)
            wait_until(lambda: open_files() == before)


def test_a_file_that_is_cut_while_it_is_sent_cuts_the_connection(site: Path, disk: str) -> None:
    os.truncate(site / "big.bin", 64 << 20)
    with serve(StaticFiles(site)) as server:
        with Client(server, receive_buffer=4096) as client:
            client.get("/big.bin")
            head = client.read_until(b"\r\n\r\n")
            assert b"content-length: %d\r\n" % (64 << 20) in head
            wait_until(lambda: server.statistics()["phases"] == {"writing": 1})
            os.truncate(site / "big.bin", 1000)
            sleep(0)
            assert len(client.read_to_end()) < 64 << 20
        expect_no_leaks(server)


def test_a_disk_that_cannot_be_read_cuts_the_connection(
    site: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "preadv", fail)
    with serve(StaticFiles(site)) as server, Client(server) as client:
        client.get("/big.bin")
        client.read_until(b"\r\n\r\n")
        assert client.read_to_end() == b""
        client.close()
        expect_no_leaks(server)
    assert "Input/output error" in caplog.text


def test_head_reads_nothing(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise AssertionError("nothing is to be read")

    monkeypatch.setattr(os, "preadv", fail)
    with serve(StaticFiles(site)) as server, Client(server) as client:
        client.send(request("HEAD", "/big.bin"))
        answer = client.answer(has_content=False)
        assert (answer.status, answer.headers["content-length"]) == (200, str(len(BIG)))
        assert client.ask("/fast.txt").body == b"fast"
