"""Pid files: who has one, who is refused, and what is left."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from photon.runtime.workers.pidfile import PidFile, PidFileError, PidFileHeld, pid_file

ROOT = Path(__file__).parents[3]

HOLD = """
import sys
from photon.runtime.workers.pidfile import pid_file
with pid_file(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def process(script: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python with a script; its stdin is open while the block runs."""
    running = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield running
    finally:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.close()
        running.stdout.close()
        running.kill()
        running.wait()


def line_of(running: subprocess.Popen[bytes]) -> str:
    assert running.stdout is not None
    return running.stdout.readline().decode().strip()


def others(path: Path) -> list[str]:
    """What else is in its folder."""
    return [name for name in os.listdir(path.parent) if name != path.name]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop.pid"


def test_it_holds_the_number_and_goes(path: Path) -> None:
    with pid_file(path) as held:
        assert path.read_text() == f"{os.getpid()}\n"
        assert path.stat().st_mode & 0o777 == 0o644
        assert others(path) == []
        assert repr(held) == f"<PidFile {path} of {os.getpid()}>"
    assert not path.exists()
    held.remove()


def test_who_holds_it_is_named(path: Path) -> None:
    with process(HOLD, str(path)) as other:
        assert line_of(other) == "held"
        with pytest.raises(PidFileHeld, match=f"of process {other.pid}, which runs") as caught:
            PidFile.take(path)
        assert caught.value.pid == other.pid
        assert path.read_text() == f"{other.pid}\n"
        assert others(path) == []


def test_that_of_a_process_that_was_killed_is_stale(path: Path) -> None:
    with process(HOLD, str(path)) as other:
        assert line_of(other) == "held"
        other.kill()
        other.wait()
    assert path.exists()
    with pid_file(path):
        assert path.read_text() == f"{os.getpid()}\n"


@pytest.mark.parametrize("text", ["1\n", "", "rubbish", "9" * 100, f"{os.getppid()}\n"])
def test_a_number_alone_holds_nothing(path: Path, text: str) -> None:
    path.write_text(text)
    with pid_file(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_children_do_not_hold_it(path: Path) -> None:
    script = """
import os, sys
from photon.runtime.workers.pidfile import pid_file
with pid_file(sys.argv[1]) as held:
    if os.fork() == 0:
        sys.stdin.read()  # a worker that outlives its supervisor
        held.remove()
        print("left", os.path.exists(sys.argv[1]), flush=True)
        os._exit(0)
    print("held", flush=True)
    os.kill(os.getpid(), 9)
"""
    with process(script, str(path)) as other:
        assert line_of(other) == "held"
        other.wait()
        with pid_file(path):
            assert other.stdin is not None
            other.stdin.close()
            assert line_of(other) == "left True"
            assert path.read_text() == f"{os.getpid()}\n"


def test_it_survives_exec(path: Path) -> None:
    script = """
import os, sys
from photon.runtime.workers.pidfile import PidFile, pid_file
if len(sys.argv) == 2:
    held = PidFile.take(sys.argv[1])
    again = ["-c", os.environ["SCRIPT"], sys.argv[1], str(held.pass_on())]
    os.execv(sys.executable, [sys.executable, *again])
with pid_file(sys.argv[1], descriptor=int(sys.argv[2])) as held:
    print("held", os.get_inheritable(held.descriptor), flush=True)
    sys.stdin.readline()
print("left", os.path.exists(sys.argv[1]), flush=True)
"""
    os.environ["SCRIPT"] = script
    try:
        with process(script, str(path)) as other:
            assert line_of(other) == "held False"
            with pytest.raises(PidFileHeld):
                PidFile.take(path)
            assert other.stdin is not None
            other.stdin.write(b"\n")
            other.stdin.flush()
            assert line_of(other) == "left False"
    finally:
        del os.environ["SCRIPT"]


def test_what_somebody_put_in_its_place_stays(path: Path) -> None:
    with pid_file(path):
        path.unlink()
        path.write_text("7\n")
    assert path.read_text() == "7\n"


def test_a_folder_that_went_is_no_failure_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pid_file(tmp_path / "run/shop.pid"):
        (tmp_path / "run/shop.pid").unlink()
        (tmp_path / "run").rmdir()


def test_the_folder_may_be_changed_meanwhile(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with pid_file("shop.pid"):
        monkeypatch.chdir("elsewhere")
    assert not path.exists()


def test_of_many_that_start_at_once_one_has_it(path: Path) -> None:
    path.write_text("1\n")
    script = """
import sys
from photon.runtime.workers.pidfile import PidFile, PidFileHeld
sys.stdin.readline()
try:
    PidFile.take(sys.argv[1])
    print("held", flush=True)
except PidFileHeld:
    print("refused", flush=True)
sys.stdin.read()
"""
    with ExitStack() as stack:
        racers = [stack.enter_context(process(script, str(path))) for _ in range(6)]
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write(b"\n")
            racer.stdin.flush()
        assert sorted(line_of(racer) for racer in racers) == ["held"] + ["refused"] * 5
        assert others(path) == []


# What is in the way...


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PidFileError, match=r"No such file or directory: there is no folder .*/no$"):
        PidFile.take(tmp_path / "no/shop.pid")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PidFileError, match="Permission denied: choose a folder"):
        PidFile.take(tmp_path / "shop.pid")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_a_folder_that_may_not_be_written_by_another_user(tmp_path: Path) -> None:
    script = """
import os, sys
from photon.runtime.workers.pidfile import PidFile, PidFileError
os.chdir(sys.argv[1])
os.setuid(65534)
try:
    PidFile.take("shop.pid")
except PidFileError as error:
    print(error, flush=True)
"""
    with process(script, str(tmp_path)) as other:
        assert "Permission denied: choose a folder that this user may write" in line_of(other)


def test_a_folder_in_its_place(path: Path) -> None:
    path.mkdir()
    with pytest.raises(PidFileError, match="Is a directory"):
        PidFile.take(path)


def test_a_pipe_in_its_place_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(PidFileError, match="is no file: choose another path"):
        PidFile.take(path)


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    path.symlink_to(tmp_path / "precious")
    with pytest.raises(PidFileError, match="it is a symbolic link: choose another path"):
        PidFile.take(path)
    assert (tmp_path / "precious").read_text() == "precious"


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """A file system of one page, which is full; or files that may have no bytes."""
    libc = ctypes.CDLL(None, use_errno=True)
    if (
        sys.platform == "linux"
        and libc.mount(b"photon", str(folder).encode(), b"tmpfs", 0, b"size=4096") == 0
    ):
        try:
            (folder / "fills").write_bytes(b"x" * 4096)
            yield
        finally:
            libc.umount2(str(folder).encode(), 2)
        return
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


def test_a_full_disk(tmp_path: Path) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    with full_disk(folder):
        with pytest.raises(PidFileError, match=r"cannot be written: (No space|File too large)"):
            PidFile.take(folder / "shop.pid")
        assert not (folder / "shop.pid").exists()
        assert [name for name in os.listdir(folder) if name != "fills"] == []


def test_files_of_no_bytes(path: Path) -> None:
    path.write_text("1\n")
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, former[1]))
    try:
        with pytest.raises(PidFileError, match="File too large"):
            PidFile.take(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert path.read_text() == "1\n"
    assert others(path) == []


def test_nothing_stays_open_after_a_refusal(path: Path) -> None:
    with process(HOLD, str(path)) as other:
        assert line_of(other) == "held"
        before = len(os.listdir("/dev/fd"))
        for _ in range(20):
            with pytest.raises(PidFileHeld):
                PidFile.take(path)
        assert len(os.listdir("/dev/fd")) == before


def test_a_reader_never_finds_half_of_it(path: Path) -> None:
    script = """
import sys
from photon.runtime.workers.pidfile import PidFile, pid_file
sys.stdin.readline()
for _ in range(300):
    with pid_file(sys.argv[1]):
        pass
PidFile.take(sys.argv[1])
"""
    read: set[str] = set()
    with process(script, str(path)) as other:
        assert other.stdin is not None
        other.stdin.write(b"\n")
        other.stdin.flush()
        while other.poll() is None:
            if path.exists():
                try:
                    read.add(path.read_text())
                except FileNotFoundError:
                    pass
        assert other.returncode == 0
        assert read | {path.read_text()} == {f"{other.pid}\n"}
