"""A worker that hangs in C code says where."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from photon.runtime.debug.faults import (
    TRACEBACK_SIGNAL,
    Line,
    parse_traceback,
    read_traceback,
    register_traceback,
    stack,
    told,
    unregister_traceback,
)
from photon.runtime.greenlets import sleep

HANGS = """
import sys
from photon.runtime.debug.faults import register_traceback

def hang():
    print("ready", flush=True)
    sum(range(10**12))  # in C, with the GIL

register_traceback(int(sys.argv[1]))
hang()
"""


def test_who_holds_the_gil_for_ever_is_found(tmp_path: Path) -> None:
    script = tmp_path / "shop.py"
    script.write_text(HANGS)
    read_end, write_end = os.pipe()
    process = subprocess.Popen(
        [sys.executable, str(script), str(write_end)],
        pass_fds=[write_end],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        lines: list[Line] = []
        for _ in range(50):
            process.send_signal(TRACEBACK_SIGNAL)
            select.select([read_end], [], [], 10)
            sleep(0.05)  # it comes in pieces
            lines = read_traceback(read_end) or lines
            if lines and lines[0].number == 7:
                break
        assert lines[0] == Line(str(script), 7, "hang")
        assert told(lines) == f"{script}:7 in hang"
        assert process.poll() is None
        assert read_traceback(read_end) == []
    finally:
        process.kill()
        process.communicate()
        os.close(read_end)
        os.close(write_end)


def test_a_file_will_do_and_is_emptied(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "traceback", os.O_RDWR | os.O_CREAT)
    register_traceback(descriptor)
    try:
        for _ in range(2):
            signal.raise_signal(TRACEBACK_SIGNAL)
            lines = read_traceback(descriptor)
            assert any(line.function == "test_a_file_will_do_and_is_emptied" for line in lines)
            assert read_traceback(descriptor) == []
    finally:
        unregister_traceback()
        os.close(descriptor)


@pytest.mark.parametrize(
    "head",
    [
        "Current thread 0x00007f (most recent call first):",
        "Current thread 0x00007f [python] (most recent call first):",
    ],
)
def test_the_last_traceback_counts_and_the_users_line_is_told(head: str) -> None:
    here = os.path.abspath("shop.py")
    library = select.__file__ or ""
    text = f"""{head}
  File "old.py", line 1 in old

{head}
  File "{subprocess.__file__}", line 80 in wait
  File "{here}", line 12 in page
  File "{library}", line ??? in dispatch
  ...
"""
    lines = parse_traceback(text)
    assert lines == [
        Line(subprocess.__file__, 80, "wait"),
        Line(here, 12, "page"),
        Line(library, 0, "dispatch"),
    ]
    assert told(lines).startswith("shop.py:12 in page (")
    assert told(lines).endswith("subprocess.py:80 in wait)")
    assert stack(lines).splitlines()[1] == "  shop.py:12 in page"


def test_nothing_and_nonsense() -> None:
    assert told([]) == ""
    assert parse_traceback("hello\x00\nFile\n") == []
    many = [Line("a.py", number, "f") for number in range(50)]
    assert stack(many).endswith("... and 30 around them")
