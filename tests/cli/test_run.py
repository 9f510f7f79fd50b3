"""`photon run`: real processes, real signals, real sockets."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
from pathlib import Path

import pytest

from photon.cli.exits import ExitCode
from photon.cli.run import run
from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import sleep, spawn
from tests.processes import PATIENCE_S, get, photon, photon_ends, serving

APP = """
import logging, os, sys, time
from photon import Photon

app = Photon()
log = logging.getLogger("shop")

@app.get("/")
def index():
    return {"hello": "world"}

@app.post("/echo")
def echo(request):
    return request.body()

@app.get("/modules")
def modules():
    return [name for name in ("asyncio", "structlog", "psycopg") if name in sys.modules]

@app.get("/fails")
def fails():
    raise ValueError("the shelf is\\nempty")

@app.get("/gate")
def gate():
    log.info("in the gate")
    while not os.path.exists("open"):
        time.sleep(0.01)
    return "through"

@app.get("/stubborn")
def stubborn():
    log.info("in the gate")
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


# Starting...


def test_serves_and_says_where(folder: Path) -> None:
    with photon("run", "app:app", "--port", "0", "--log-format", "console", folder=folder) as p:
        line = p.wait_line("Photon 0.1.0 serves app:app on http://127.0.0.1:", "(SIGTERM stops)")
        port = int(line.partition("127.0.0.1:")[2].split()[0])
        assert get(port, "/") == (200, b'{"hello":"world"}')
        assert p.stop() == ExitCode.OK


def test_imports_nothing_heavy(folder: Path) -> None:
    with serving(folder=folder) as (_, port):
        assert get(port, "/modules") == (200, b"[]")


def test_takes_its_settings_from_the_environment(folder: Path) -> None:
    env = {"PHOTON_LIMIT_BODY_BYTES": "1KiB", "PHOTON_PORT": "0", "PHOTON_LOG_FORMAT": "console"}
    with photon("run", "app", folder=folder, env=env) as process:
        port = process.wait_port()
        assert get(port, "/echo", b"x" * 1024)[0] == 200
        assert get(port, "/echo", b"x" * 1025)[0] == 413


def test_a_time_out_acts(folder: Path) -> None:
    with serving("--timeout-handler", "100ms", folder=folder) as (_, port):
        assert get(port, "/gate")[0] == 504


def test_listens_on_a_unix_socket(folder: Path) -> None:
    # Relative: a folder of pytest's may be longer than the 107 bytes that a socket's path has.
    with photon("run", "app:app", "--uds", "s", folder=folder) as process:
        process.wait_line("serves app:app on unix:s ")
        assert _ask_unix(folder, "s").startswith(b"HTTP/1.1 200 ")
        assert process.stop() == ExitCode.OK
    assert not (folder / "s").exists()


def _ask_unix(folder: Path, name: str) -> bytes:
    before = os.getcwd()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        os.chdir(folder)
        try:
            client.connect(name)
        finally:
            os.chdir(before)
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        return client.recv(65536)


def test_listens_on_an_inherited_socket(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd, port = listener.fileno(), listener.getsockname()[1]
        with photon("run", "app:app", "--fd", str(fd), folder=folder, pass_fds=(fd,)) as process:
            process.wait_line(f"http://127.0.0.1:{port} ")
            assert get(port, "/")[0] == 200


def test_serves_what_a_factory_returns(folder: Path) -> None:
    (folder / "made.py").write_text("from app import app\ndef create_app(): return app\n")
    arguments = ("run", "made:create_app", "--factory", "--port", "0")
    with photon(*arguments, folder=folder) as process:
        assert get(process.wait_port(), "/")[0] == 200


# The port, and which one wins...


@pytest.mark.parametrize(
    ("arguments", "env", "expected"),
    [
        ([], {}, 8000),
        ([], {"PORT": "1"}, 1),
        ([], {"PORT": "1", "PHOTON_PORT": "2"}, 2),
        (["--port", "3"], {"PORT": "1", "PHOTON_PORT": "2"}, 3),
        ([], {"PORT": ""}, 8000),
    ],
)
def test_a_flag_wins_over_photon_port_and_that_over_port(
    arguments: list[str], env: dict[str, str], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PORT", "PHOTON_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert run.make_context("run", [*arguments, "app"]).params["port"] == expected


# What goes wrong...


def test_an_address_in_use_is_told_without_a_traceback(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        ended = photon_ends("run", "app:app", "--port", port, folder=folder)
    assert ended.code == ExitCode.CANNOT_LISTEN
    assert f"127.0.0.1:{port} is in use" in ended.err
    assert "choose another port" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ("ap:app", ExitCode.NOT_LOADED, "Did you mean 'app'?"),
        ("app:ap", ExitCode.NOT_LOADED, "It has: app:app"),
        ("app:log", ExitCode.NOT_LOADED, "app:log is no application but Logger"),
        ("app:app --timeout-idle soon", ExitCode.USAGE, "write seconds, or 500ms, 30s, 2m"),
        ("app:app --limit-connections -1", ExitCode.USAGE, "it must be at least 0"),
        ("app:app --reload", ExitCode.USAGE, "photon dev starts anew"),
        ("app:app --relod", ExitCode.USAGE, "No such option"),
        ("app:app --uds a --fd 3", ExitCode.USAGE, "--uds and --fd: there can be one of them"),
        ("app:app --app-dir nowhere", ExitCode.USAGE, "'nowhere' does not exist"),
        ("app:app --fd 99", ExitCode.CANNOT_LISTEN, "Bad file descriptor"),
        ("app:app --uds app.py", ExitCode.CANNOT_LISTEN, "is no socket: choose another path"),
    ],
)
def test_a_mistake_is_told_with_the_way_out(
    arguments: str, code: ExitCode, told: str, folder: Path
) -> None:
    ended = photon_ends("run", *arguments.split(), folder=folder)
    assert told in ended.err
    assert "Traceback" not in ended.err
    assert ended.code == code


def test_an_error_in_the_users_module_shows_their_frames_only(folder: Path) -> None:
    (folder / "shelf.py").write_text("def count():\n    return 1 / 0\ncount()\n")
    (folder / "app.py").write_text("import shelf\n")
    ended = photon_ends("run", "app:app", folder=folder)
    assert ended.code == ExitCode.NOT_LOADED
    assert "Error: 'app' failed while it was imported" in ended.err
    frames = [line.strip() for line in ended.err.splitlines() if line.startswith("  File ")]
    assert frames == [
        f'File "{folder}/app.py", line 1, in <module>',
        f'File "{folder}/shelf.py", line 3, in <module>',
        f'File "{folder}/shelf.py", line 2, in count',
    ]


def test_an_application_that_fails_to_start_ends_the_process(folder: Path) -> None:
    (folder / "app.py").write_text(
        "from photon import Photon\n"
        "def database():\n"
        "    raise ConnectionError('no database')\n"
        "    yield\n"
        "app = Photon(lifespan=database)\n"
    )
    ended = photon_ends("run", "app", "--port", "0", folder=folder)
    assert ended.code == ExitCode.NOT_STARTED
    assert "app:app failed to start" in ended.err
    assert "ConnectionError: no database" in ended.err
    assert ended.err.count("  File ") == 1


def test_an_application_that_fails_to_stop_is_a_failure(folder: Path) -> None:
    (folder / "app.py").write_text(
        "from photon import Photon\n"
        "def database():\n"
        "    yield\n"
        "    raise ConnectionError('no database')\n"
        "app = Photon(lifespan=database)\n"
    )
    with serving(folder=folder) as (process, _):
        assert process.stop() == ExitCode.FAILURE
        assert "app:app failed to stop" in process.stderr
        assert process.stderr.count("  File ") == 1


# Signals...


def test_sigterm_lets_a_request_end_and_takes_no_new_ones(folder: Path) -> None:
    with serving(folder=folder) as (process, port):
        request = spawn(get, port, "/gate")
        process.wait_line("in the gate")
        process.kill(signal.SIGTERM)
        process.wait_line("SIGTERM: stopping; requests in progress: 1")
        _wait_until_refused(port)
        (folder / "open").touch()
        with fail_after(PATIENCE_S):
            request.join()
        assert request.result == (200, b"through")
        assert process.wait() == ExitCode.OK


def _wait_until_refused(port: int) -> None:
    with fail_after(PATIENCE_S):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except ConnectionRefusedError:
                return
            sleep(0.01)


def test_ctrl_c_is_an_orderly_end(folder: Path) -> None:
    with serving(folder=folder) as (process, _):
        process.kill(signal.SIGINT)
        assert process.wait() == ExitCode.OK
        assert "SIGINT: stopping" in process.stderr
        assert "Traceback" not in process.stderr


def test_a_second_signal_cancels_what_still_works(folder: Path) -> None:
    with serving(folder=folder) as (process, port):
        request = spawn(get, port, "/gate")
        process.wait_line("in the gate")
        process.kill(signal.SIGTERM)
        process.wait_line("stopping")
        process.kill(signal.SIGTERM)
        assert process.wait() == ExitCode.OK
        with fail_after(PATIENCE_S):
            request.join()
        assert request.result[0] == 503


def test_a_third_signal_ends_at_once(folder: Path) -> None:
    with serving(folder=folder) as (process, port):
        request = spawn(_get_or_not, port, "/stubborn")
        process.wait_line("in the gate")
        for told in ("stopping", "hurrying"):
            process.kill(signal.SIGINT)
            process.wait_line(told)
        process.kill(signal.SIGINT)
        assert process.wait() == -signal.SIGINT
        with fail_after(PATIENCE_S):
            request.join()


def _get_or_not(port: int, path: str) -> None:
    try:
        get(port, path)
    except OSError:
        pass


def test_a_signal_while_the_application_starts_ends_that(folder: Path) -> None:
    (folder / "app.py").write_text(
        "import sys, time\n"
        "from photon import Photon\n"
        "def database():\n"
        "    try:\n"
        "        print('connecting', file=sys.stderr, flush=True)\n"
        "        time.sleep(600)\n"
        "        yield\n"
        "    finally:\n"
        "        print('cleaned up', file=sys.stderr, flush=True)\n"
        "app = Photon(lifespan=database)\n"
    )
    with photon("run", "app", "--port", "0", folder=folder) as process:
        process.wait_line("connecting")
        assert process.stop() == ExitCode.OK
        assert "cleaned up" in process.stderr


def test_sighup_ends_nothing_where_no_terminal_is(folder: Path) -> None:
    with serving(folder=folder) as (process, port):
        process.kill(signal.SIGHUP)
        process.wait_line("SIGHUP does nothing")
        assert get(port, "/")[0] == 200


def test_sighup_does_not_count_among_the_signals_that_end(folder: Path) -> None:
    with serving(folder=folder) as (process, port):
        for _ in range(2):  # log rotation, a day apart
            process.kill(signal.SIGHUP)
            process.wait_line("SIGHUP does nothing")
        request = spawn(get, port, "/gate")
        process.wait_line("in the gate")
        process.kill(signal.SIGTERM)
        process.wait_line("SIGTERM: stopping; requests in progress: 1")
        (folder / "open").touch()
        with fail_after(PATIENCE_S):
            request.join()
        assert request.result == (200, b"through")
        assert process.wait() == ExitCode.OK


# Logs...


def test_the_access_log_has_a_line_for_each_request(folder: Path) -> None:
    with serving("--access-log", folder=folder) as (process, port):
        get(port, "/?q=1")
        get(port, "/nothing")
        line = json.loads(process.wait_line("photon.access", "/?q=1"))
        assert process.stop() == ExitCode.OK
    assert (line["method"], line["target"], line["status"]) == ("GET", "/?q=1", 200)
    assert line["duration_ms"] > 0
    assert '"target":"/nothing","status":404' in process.stderr


def test_no_access_log_is_written_unasked(folder: Path) -> None:
    with serving(folder=folder) as (process, port):
        get(port, "/")
        process.stop()
    assert "photon.access" not in process.stderr


def test_a_failed_request_is_logged_with_its_id_as_json(folder: Path) -> None:
    with serving("--log-format", "json", "--access-log", folder=folder) as (process, port):
        status, body = get(port, "/fails")
        process.stop()
    lines = [json.loads(line) for line in process.stderr.splitlines()]
    (failure,) = [line for line in lines if line["level"] == "error"]
    (access,) = [line for line in lines if line["logger"] == "photon.access"]
    assert status == 500
    assert failure["request_id"] == access["request_id"] == json.loads(body)["request_id"]
    assert (failure["method"], failure["path"]) == ("GET", "/fails")
    assert failure["exception"].endswith("ValueError: the shelf is\nempty")
    assert failure["exception"].count("  File ") == 1


def test_structlog_events_of_an_application_come_out_alike(folder: Path) -> None:
    (folder / "app.py").write_text(
        "import structlog\n"
        "from photon import Photon\n"
        "app = Photon()\n"
        "log = structlog.get_logger()\n"
        "@app.get('/')\n"
        "def index():\n"
        "    log.info('sold', item='hat', count=2)\n"
    )
    with serving(folder=folder) as (process, port):
        get(port, "/")
        line = json.loads(process.wait_line("sold"))
    assert (line["event"], line["item"], line["count"]) == ("sold", "hat", 2)


def test_a_terminal_gets_colours_and_no_json(folder: Path) -> None:
    mine, its = pty.openpty()
    try:
        with photon("run", "app:app", "--port", "0", folder=folder, stderr=its) as process:
            seen = b""
            with fail_after(PATIENCE_S), os.fdopen(os.dup(mine), "rb", 0) as terminal:
                while b"(Ctrl+C stops)" not in seen:
                    seen += os.read(terminal.fileno(), 4096)
            assert b"\x1b[" in seen
            assert not seen.startswith(b"{")
            process.kill(signal.SIGTERM)
            assert process.process.wait() == ExitCode.OK
    finally:
        os.close(mine)
        os.close(its)


def test_a_stderr_that_nobody_reads_holds_nothing_up(folder: Path) -> None:
    read_end, write_end = os.pipe()
    port = _free_port()
    target = "/?" + "x" * 7000
    try:
        arguments = ("run", "app:app", "--port", str(port), "--access-log")
        with photon(*arguments, folder=folder, stderr=write_end) as process:
            _wait_until_accepted(port)
            for _ in range(300):  # 2 MB: more than the pipe and what is kept for it
                assert get(port, target)[0] == 200
            process.kill(signal.SIGTERM)
            with fail_after(PATIENCE_S):
                assert process.process.wait() == ExitCode.OK
    finally:
        os.close(read_end)
        os.close(write_end)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _wait_until_accepted(port: int) -> None:
    with fail_after(PATIENCE_S):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except ConnectionRefusedError:
                sleep(0.01)
