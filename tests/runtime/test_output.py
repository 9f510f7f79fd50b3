"""Lines to a descriptor, without ever waiting for its reader."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import sleep
from photon.runtime.offload import offload
from photon.runtime.output import LineWriter

PATIENCE_S = 10.0


class Pipe:
    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)

    def read(self) -> bytes:
        """What is in the pipe now."""
        data = b""
        try:
            while piece := os.read(self.read_end, 65536):
                data += piece
        except BlockingIOError:
            pass
        return data

    def close_reader(self) -> None:
        os.close(self.read_end)
        self.read_end = -1


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    for descriptor in (pipe.read_end, pipe.write_end):
        if descriptor >= 0:
            os.close(descriptor)


def test_writes_at_once_what_is_taken(pipe: Pipe) -> None:
    writer = LineWriter(pipe.write_end)
    writer.write(b"one\n")
    writer.write(b"two\nthree\n")
    assert pipe.read() == b"one\ntwo\nthree\n"


def test_keeps_what_a_full_pipe_does_not_take_and_writes_it_later(pipe: Pipe) -> None:
    writer = LineWriter(pipe.write_end)
    sent = [b"%05d %s\n" % (number, b"x" * 90) for number in range(3000)]
    for line in sent:
        writer.write(line)
    received = b""
    with fail_after(PATIENCE_S):
        while len(received) < sum(map(len, sent)):
            received += pipe.read()
            sleep(0.01)  # the hub tries again
    assert received == b"".join(sent)
    assert writer.lost == 0


def test_a_line_longer_than_the_pipe_arrives_whole(pipe: Pipe) -> None:
    writer = LineWriter(pipe.write_end)
    line = os.urandom(100_000).hex().encode() + b"\n"
    writer.write(line)
    received = b""
    with fail_after(PATIENCE_S):
        while len(received) < len(line):
            received += pipe.read()
            sleep(0.01)
    assert received == line


def test_drops_lines_beyond_the_bound_and_tells_how_many(pipe: Pipe) -> None:
    told: list[int] = []
    writer = LineWriter(pipe.write_end, max_pending_bytes=1000, on_lost=told.append)
    while not writer.lost:
        writer.write(b"x" * 99 + b"\n")
    writer.write(b"lost\nas well\n")
    assert (writer.lost, told) == (3, [])
    assert pipe.read().count(b"\n") > 600  # 64 KiB, on Linux
    writer.flush()
    assert (writer.lost, told) == (0, [3])
    assert pipe.read() == (b"x" * 99 + b"\n") * 10


def test_a_reader_that_is_gone_harms_nothing(pipe: Pipe) -> None:
    writer = LineWriter(pipe.write_end)
    pipe.close_reader()
    writer.write(b"to nobody\n")
    writer.write(b"to nobody\n")
    assert " 0 bytes pending" in repr(writer)


def test_a_file_takes_everything_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        writer = LineWriter(descriptor)
        lines = b"a line of a log\n" * 50_000
        writer.write(lines)
        assert path.read_bytes() == lines
    finally:
        os.close(descriptor)


def test_lines_come_from_native_threads_too(pipe: Pipe) -> None:
    writer = LineWriter(pipe.write_end)
    offload(writer.write, b"from a thread\n")
    assert pipe.read() == b"from a thread\n"


def test_the_last_words_wait_a_moment_for_the_reader(pipe: Pipe, tmp_path: Path) -> None:
    writer = LineWriter(pipe.write_end)
    line = b"x" * 79 + b"\n"
    for _ in range(2000):
        writer.write(line)
    assert " 0 bytes pending" not in repr(writer)
    os.set_blocking(pipe.read_end, True)
    with (
        open(tmp_path / "read", "wb") as read,
        subprocess.Popen(["cat"], stdin=pipe.read_end, stdout=read) as reader,
    ):
        writer.drain(PATIENCE_S)
        os.close(pipe.write_end)
        pipe.write_end = -1
        with fail_after(PATIENCE_S):
            assert reader.wait() == 0
    assert (tmp_path / "read").read_bytes() == line * 2000


FORKS_WITH_PENDING_LINES = """
import os
from photon.runtime.hub import has_hub
from photon.runtime.output import LineWriter

read_end, write_end = os.pipe()
os.set_blocking(write_end, False)
full = 0
try:
    while True:
        full += os.write(write_end, b"." * 4096)
except BlockingIOError:
    os.set_blocking(write_end, True)
writer = LineWriter(write_end)
writer.write(b"once\\n")
print(has_hub())
while full:
    full -= len(os.read(read_end, full))
if not os.fork():
    writer.flush()
    os._exit(0)
os.wait()
writer.flush()
print(os.read(read_end, 100))
"""


def test_what_waits_is_written_once_also_by_a_process_that_forks_and_has_no_hub() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS_WITH_PENDING_LINES], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["False", "b'once\\n'"]
