"""One of several workers does a run: one contract for all who decide that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from photon.runtime.clock import wall
from photon.runtime.greenlets import spawn
from photon.tasks import election as module
from photon.tasks.election import Elector, EveryWorker, FileElector, runtime_folder
from photon.tasks.election_postgres import PostgresElector
from photon.tasks.errors import ElectionError
from tests.clients import wait_until
from tests.services import _postgres_server, postgres_url

__all__ = ["_postgres_server", "postgres_url"]

NOON = 1_800_000_000.0

Make = Callable[..., Elector]


@pytest.fixture(params=["file", "postgres"])
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes electors of one application, as workers of it would."""
    monkeypatch.setattr("photon.runtime.clock._read_wall", lambda: NOON + 60)
    if request.param == "file":
        return lambda app="shop": FileElector(app, tmp_path)
    url = request.getfixturevalue("postgres_url")
    return lambda app="shop": PostgresElector(url, app)


# The contract...


def test_a_run_is_claimed_once(make: Make) -> None:
    one, other = make(), make()
    assert one.claim("sweep", NOON)
    assert not other.claim("sweep", NOON)
    assert not one.claim("sweep", NOON)
    assert not other.claim("sweep", NOON - 60)
    assert other.claim("sweep", NOON + 60)


def test_tasks_and_applications_do_not_meet(make: Make) -> None:
    assert make().claim("sweep", NOON)
    assert make().claim("back up", NOON)
    assert make("forum").claim("sweep", NOON)


def test_the_last_run_is_remembered(make: Make) -> None:
    assert make().last("sweep") is None
    make().claim("sweep", NOON)
    assert make().last("sweep") == NOON


def test_a_note_of_a_clock_that_was_wrong_does_not_count(make: Make) -> None:
    assert make().claim("sweep", NOON + 86400)
    assert make().last("sweep") is None
    assert make().claim("sweep", NOON)
    assert not make().claim("sweep", NOON)


def test_one_of_many_that_ask_at_once_gets_it(make: Make) -> None:
    handles = [spawn(make().claim, "sweep", NOON) for _ in range(8)]
    for handle in handles:
        handle.join()
    assert sorted(handle.result for handle in handles) == [False] * 7 + [True]


def test_a_run_keeps_others_out_until_it_is_over(make: Make) -> None:
    release = make().enter("sweep")
    assert release is not None
    assert make().enter("sweep") is None
    other = make().enter("back up")
    assert other is not None
    other()
    release()
    again = make().enter("sweep")
    assert again is not None
    again()


def test_each_worker_alone_does_all() -> None:
    everyone = EveryWorker()
    assert everyone.claim("sweep", NOON)
    assert everyone.claim("sweep", NOON)
    assert everyone.enter("sweep") is not None
    assert everyone.last("sweep") is None
    assert repr(everyone) == "<EveryWorker>"


# By files...


def run_python(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


_ENTERS = """
import sys
from photon.tasks.election import FileElector
release = FileElector("shop", sys.argv[1]).enter("sweep")
print("in" if release else "out", flush=True)
sys.stdin.read()
"""


def test_a_process_that_dies_lets_others_in(tmp_path: Path) -> None:
    with run_python(_ENTERS, str(tmp_path)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"in\n"
        elector = FileElector("shop", tmp_path)
        assert elector.enter("sweep") is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    release = elector.enter("sweep")
    assert release is not None
    release()


_CLAIMS = """
import sys
from photon.tasks.election import FileElector
sys.stdin.readline()
elector = FileElector("shop", sys.argv[1])
print(sum(elector.claim("sweep", float(due)) for due in range(1000, 1200)))
"""


def test_processes_share_the_runs_and_none_is_done_twice(tmp_path: Path) -> None:
    processes = [run_python(_CLAIMS, str(tmp_path)) for _ in range(3)]
    counts = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        out, _ = process.communicate()
        assert process.returncode == 0
        counts.append(int(out))
    # A worker that is ahead takes runs that others have yet to come to, and these get none before.
    assert 0 < sum(counts) <= 200
    assert FileElector("shop", tmp_path).last("sweep") == 1199.0


@pytest.mark.parametrize("content", [b"", b"soon\n", b"\0" * 21])
def test_a_note_that_cannot_be_read_is_none(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    elector = FileElector("shop", tmp_path)
    elector.claim("sweep", wall())
    (note,) = tmp_path.iterdir()
    note.write_bytes(content)
    assert elector.last("sweep") is None
    assert elector.claim("sweep", NOON)
    assert bool(caplog.records) == bool(content)


def test_names_of_tasks_make_no_paths(tmp_path: Path) -> None:
    elector = FileElector("shop", tmp_path / "")
    for name in ("../../etc/passwd", "a/b", "x" * 1000, "\ud800", ""):
        assert elector.claim(name, NOON)
    assert len(list(tmp_path.iterdir())) == 5
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_lock_that_is_held_too_long_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.02)
    elector = FileElector("shop", tmp_path)
    descriptor = elector._locked("sweep", "last")
    assert descriptor is not None
    try:
        with pytest.raises(ElectionError, match="SIGSTOP"):
            elector.claim("sweep", NOON)
    finally:
        os.close(descriptor)


def test_who_is_cancelled_on_the_way_in_holds_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_read, may_write = os.pipe()  # read in a native thread, where events of greenlets are none
    locked = FileElector._locked

    def slowly(self: FileElector, task: str, kind: str) -> int | None:
        os.read(may_read, 1)
        return locked(self, task, kind)

    elector = FileElector("shop", tmp_path)
    monkeypatch.setattr(FileElector, "_locked", slowly)
    try:
        handle = spawn(elector.enter, "sweep")
        wait_until(lambda: handle.state == "running")
        handle.cancel()
        handle.join()
        assert handle.state == "cancelled"
        os.write(may_write, b"x")
        # The file is there when the thread was at it, and can be locked when it let go.
        wait_until(lambda: list(tmp_path.iterdir()))
        os.write(may_write, b"x" * 64)
        release = None
        while release is None:
            release = elector.enter("sweep")
        release()
    finally:
        os.close(may_read)
        os.close(may_write)


# Where files are...


def test_the_folder_is_of_this_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTON_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert runtime_folder() == str(tmp_path / "photon")
    assert (tmp_path / "photon").stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "is not there"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert runtime_folder() == str(tmp_path / f"photon-{os.getuid()}")
    monkeypatch.setenv("PHOTON_RUNTIME_DIR", str(tmp_path / "mine"))
    assert FileElector("shop").claim("sweep", NOON)
    assert len(list((tmp_path / "mine").iterdir())) == 1


def test_a_folder_that_somebody_else_prepared_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "mine").mkdir(0o700)
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    (tmp_path / "file").write_text("")
    for name in ("open", "link", "file"):
        monkeypatch.setenv("PHOTON_RUNTIME_DIR", str(tmp_path / name))
        with pytest.raises(ElectionError, match="PHOTON_RUNTIME_DIR"):
            runtime_folder()


# By PostgreSQL...


def test_a_database_that_is_not_there_is_an_error() -> None:
    import psycopg

    with pytest.raises(psycopg.OperationalError):
        PostgresElector("postgresql:///nothing?host=/nowhere", "shop").claim("sweep", NOON)


def test_a_connection_that_is_lost_ends_the_run(postgres_url: str) -> None:
    import psycopg

    release = PostgresElector(postgres_url, "shop").enter("sweep")
    assert release is not None
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'photon tasks'"
        )
    again = None
    while again is None:
        again = PostgresElector(postgres_url, "shop").enter("sweep")
    again()
    release()
