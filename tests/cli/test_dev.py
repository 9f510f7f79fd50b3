"""`photon dev` as one has it: a real process, files that are saved, requests meanwhile."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from photon.cli.exits import ExitCode
from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import spawn
from tests.clients import wait_until
from tests.processes import PATIENCE_S, Photon, photon, photon_ends

APP = """
import os
from photon import Photon, Response

app = Photon(title="Shop")
VERSION = {version!r}

@app.get("/")
def index():
    return {{"version": VERSION, "dev": os.environ.get("PHOTON_DEV"), "pid": os.getpid()}}

@app.get("/page")
def page():
    return Response.html(f"<title>{{VERSION}}</title><body><h1>{{VERSION}}</h1></body>")

@app.get("/fails")
def fails():
    raise ValueError("the shelf is empty")
"""

BROKEN = "def index(:\n"


def save(folder: Path, version: str, name: str = "shop.py") -> None:
    (folder / name).write_text(APP.format(version=version))


@contextmanager
def developing(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> Iterator[tuple[Photon, int]]:
    """As `photon dev shop:app`, on a free port, once its start screen is there."""
    given = ("dev", "shop:app", "--port", "0", "--control", "none", *arguments)
    with photon(*given, folder=folder, env=env) as process:
        found = re.search(r":(\d+)$", process.wait_line("serving", "http://").strip())
        assert found is not None
        process.wait_line("stop")
        yield process, int(found[1])


def get(port: int, path: str = "/", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def about(port: int) -> dict[str, Any]:
    status, text = get(port)
    assert status == 200, text
    found: dict[str, Any] = json.loads(text)
    return found


def version(port: int) -> Any:
    return about(port)["version"]


# The start...


def test_the_start_screen(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port):
        assert "serves shop:app" in process.stderr
        assert f"docs      http://127.0.0.1:{port}/docs" in process.stderr
        assert "watching  ." in process.stderr
        assert about(port)["dev"] == "1"
        assert process.stop() == ExitCode.OK
        assert "\x1b" not in process.stderr


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="Linux tells who has a socket")
def test_who_opens_the_browser_does_not_keep_the_port(tmp_path: Path) -> None:
    save(tmp_path, "one")
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\nls -l /proc/$PPID/fd > seen.new\nmv seen.new seen\n")
    browser.chmod(0o755)
    env = {"BROWSER": f"{browser} %s", "DISPLAY": ":0"}
    with developing(tmp_path, "--open", env=env) as (_, port):
        wait_until((tmp_path / "seen").exists)
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        (listening,) = [
            each[9] for each in sockets if each[1].endswith(f":{port:04X}") and each[3] == "0A"
        ]
        seen = (tmp_path / "seen").read_text()
        assert "/dev/" in seen or "pipe:" in seen
        assert f"socket:[{listening}]" not in seen


def test_requests_are_told_in_a_line_each(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port):
        get(port, "/?a=b")
        assert re.match(r"\d\d:\d\d:\d\d 200 GET    /\?a=b  ", process.wait_line("/?a=b"))


def test_the_debug_page_is_there(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port):
        status, text = get(port, "/fails", accept="text/html", **{"sec-fetch-dest": "document"})
        assert status == 500
        assert "the shelf is empty" in text
        assert "/__photon__/live.js" in text
        process.wait_line("ValueError: the shelf is empty")


def test_what_pages_ask_because_of_us_is_not_told(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port):
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as page:
            page.sendall(b"GET /__photon__/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert page.recv(65536).startswith(b"HTTP/1.1 200")
        for _ in range(3):  # while which it is seen to have left
            assert get(port)[0] == 200
        process.wait_line("200 GET")
        assert process.stop() == ExitCode.OK
        assert "__photon__" not in process.stderr


def test_what_cannot_be_found_is_shown_too(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("application = 1\n")
    with developing(tmp_path) as (process, port):
        process.wait_line("has no attribute 'app'")
        assert get(port)[0] == 503
        save(tmp_path, "one")
        process.wait_line("reloaded")
        assert version(port) == "one"


@pytest.mark.parametrize("arguments", [(), ("--reload-dir", "nowhere")])
def test_wrong_arguments(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = photon_ends("dev", *arguments, folder=tmp_path)
    assert ended.code == ExitCode.USAGE


def test_an_address_in_use(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = photon_ends("dev", "shop:app", "--port", port, folder=tmp_path)
    assert ended.code == ExitCode.CANNOT_LISTEN
    assert "in use" in ended.err


# Changes...


@pytest.mark.parametrize("arguments", [(), ("--poll",)], ids=["told", "polled"])
def test_a_change_is_served(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    save(tmp_path, "one")
    with developing(tmp_path, *arguments) as (process, port):
        assert version(port) == "one"
        save(tmp_path, "two")
        assert "shop.py changed: reloaded in" in process.wait_line("reloaded")
        assert version(port) == "two"


def test_two_versions_of_one_size_within_a_second(tmp_path: Path) -> None:
    save(tmp_path, "v00")
    with developing(tmp_path) as (process, port):
        for number in range(1, 5):
            save(tmp_path, f"v{number:02}")
            process.wait_line("reloaded")
            assert version(port) == f"v{number:02}"


def replaced(folder: Path) -> None:
    """As vim, and many others: another file, and its name."""
    save(folder, "two", "shop.py.tmp")
    os.replace(folder / "shop.py.tmp", folder / "shop.py")


def backed_up(folder: Path) -> None:
    os.rename(folder / "shop.py", folder / "shop.py~")
    save(folder, "two")
    os.unlink(folder / "shop.py~")


def truncated(folder: Path) -> None:
    with (folder / "shop.py").open("w") as file:
        file.flush()
        file.write(APP.format(version="two"))


def twice(folder: Path) -> None:
    save(folder, "between")
    save(folder, "two")


def with_a_hundred_others(folder: Path) -> None:
    for number in range(100):
        (folder / f"part{number}.py").write_text(f"N = {number}\n")
    save(folder, "two")


def deleted_and_back(folder: Path) -> None:
    os.unlink(folder / "shop.py")
    save(folder, "two")


@pytest.mark.parametrize(
    "way", [replaced, backed_up, truncated, twice, with_a_hundred_others, deleted_and_back]
)
def test_however_it_is_saved_the_newest_code_serves_in_the_end(tmp_path: Path, way: Any) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port):
        way(tmp_path)
        with fail_after(PATIENCE_S):
            while version(port) != "two":
                process.wait_line("changed:")
        # What came of it came to an end, too: a marker is told after all that was before it.
        (tmp_path / "marker.py").write_text("")
        process.wait_line("marker.py changed: reloaded")
        assert version(port) == "two"
        assert process.stderr.count("changed:") <= 6


def test_saved_during_a_restart(tmp_path: Path) -> None:
    save(tmp_path, "one")
    slow = "import os, time\nopen('booting', 'w').close()\n"
    wait = "while not os.path.exists('go'): time.sleep(0.01)\n"
    with developing(tmp_path) as (process, port):
        (tmp_path / "shop.py").write_text(slow + wait + APP.format(version="two"))
        wait_until((tmp_path / "booting").exists)
        save(tmp_path, "three")
        process.wait_line("reloaded")
        assert version(port) == "three"


def test_a_request_that_comes_meanwhile_waits_for_the_new_code(tmp_path: Path) -> None:
    save(tmp_path, "one")
    slow = "import os, time\nopen('booting', 'w').close()\n"
    wait = "while not os.path.exists('go'): time.sleep(0.01)\n"
    with developing(tmp_path) as (_, port):
        (tmp_path / "shop.py").write_text(slow + wait + APP.format(version="two"))
        wait_until((tmp_path / "booting").exists)
        asked = spawn(version, port)
        (tmp_path / "go").touch()
        asked.join()
        assert asked.result == "two"


def test_other_files_change_nothing(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port):
        first = about(port)["pid"]
        (tmp_path / "data.json").write_text("{}")
        (tmp_path / "site.css").write_text("")
        assert "style sheets" in process.wait_line("site.css changed")
        (tmp_path / "site.js").write_text("")
        assert "open pages reload" in process.wait_line("site.js changed")
        assert about(port)["pid"] == first


def test_without_reload(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with developing(tmp_path, "--no-reload") as (process, port):
        save(tmp_path, "two")
        assert version(port) == "one"
        assert "--no-reload" in process.stderr


def test_variables_of_a_file_are_read_again(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GREETING=one\nOTHER=x\n")
    app = APP.replace("VERSION = {version!r}", "VERSION = os.environ.get('GREETING')")
    (tmp_path / "shop.py").write_text(app.format())
    with developing(tmp_path) as (process, port):
        assert version(port) == "one"
        (tmp_path / ".env").write_text("GREETING=two\n")
        process.wait_line(".env changed: reloaded")
        assert version(port) == "two"


# What does not work...


def test_a_broken_file_keeps_the_code_of_before(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port):
        (tmp_path / "shop.py").write_text(BROKEN)
        assert "the code of before is served" in process.wait_line("does not work")
        process.wait_line("SyntaxError")
        assert version(port) == "one"
        save(tmp_path, "two")
        process.wait_line("reloaded")
        assert version(port) == "two"


def test_a_lifespan_that_fails_keeps_it_too(tmp_path: Path) -> None:
    save(tmp_path, "one")
    failing = "\n@app.lifespan\ndef open_all():\n    raise OSError('no database')\n    yield\n"
    with developing(tmp_path) as (process, port):
        (tmp_path / "shop.py").write_text(APP.format(version="two") + failing)
        process.wait_line("OSError: no database")
        process.wait_line("failed to start")
        assert version(port) == "one"


def test_without_code_that_works_pages_say_why(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(BROKEN)
    with developing(tmp_path) as (process, port):
        process.wait_line("SyntaxError")
        status, text = get(port, accept="text/html")
        assert status == 503
        assert "The application cannot be served" in text
        assert "SyntaxError" in text
        status, text = get(port)
        assert status == 503
        assert "SyntaxError" in str(json.loads(text)["debug"])
        (tmp_path / "shop.py").write_text(BROKEN + "\n")
        assert "pages show why" in process.wait_line("shop.py changed")
        save(tmp_path, "one")
        process.wait_line("reloaded")
        assert version(port) == "one"


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port):
        os.kill(about(port)["pid"], signal.SIGKILL)
        process.wait_line("serving again")
        assert version(port) == "one"


# The end...


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_though_browsers_are_connected(tmp_path: Path, which: signal.Signals) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port):
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as live:
            live.sendall(b"GET /__photon__/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"text/event-stream" in live.recv(65536)
            with socket.create_connection(("127.0.0.1", port), PATIENCE_S):
                process.kill(which)
                assert process.wait() == ExitCode.OK
        assert process.stderr.endswith("stopped\n")


def test_nothing_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port):
        process.kill(signal.SIGKILL)
        # Its end of stderr is closed when the last of its children has ended.
        process.wait()
        socket.create_server(("127.0.0.1", port)).close()


def test_a_module_that_never_ends_is_given_up_when_it_is_saved_again(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port):
        (tmp_path / "shop.py").write_text("open('booting', 'w').close()\nwhile True: pass\n")
        wait_until((tmp_path / "booting").exists)
        process.wait_line("shop:app has been starting for 3.0 s", "mend it and save")
        save(tmp_path, "two")
        process.wait_line("reloaded")
        assert version(port) == "two"


def test_no_request_is_lost_however_often_it_reloads(tmp_path: Path) -> None:
    save(tmp_path, "v0")
    with developing(tmp_path) as (process, port):
        seen: list[str] = []
        is_over = False

        def ask() -> None:
            while not is_over:
                seen.append(version(port))

        asking = [spawn(ask) for _ in range(3)]
        for number in range(1, 6):
            save(tmp_path, f"v{number}")
            process.wait_line("reloaded")
        is_over = True
        for each in asking:
            each.join()
            assert each.error is None
        assert seen[-1] == "v5"
        assert len(seen) > 20


def children_of(pid: int) -> set[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return {int(child) for child in text.split()}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks /proc for children")
def test_a_watcher_that_dies_is_replaced_by_one_that_looks(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port):
        (watcher,) = children_of(process.process.pid) - {about(port)["pid"]}
        os.kill(watcher, signal.SIGKILL)
        process.wait_line("looking at the files instead")
        save(tmp_path, "two")
        process.wait_line("reloaded")
        assert version(port) == "two"


def test_a_debug_page_is_not_for_everybody(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port):
        _, text = get(port, "/fails", accept="text/html", host="evil.com")
        assert "debug" not in json.loads(text)
        process.wait_line("the debug page was not shown", "evil.com")
        status, text = get(port, "/__photon__/live", host="evil.com")
        assert (status, "generation" in text) == (403, False)


def test_its_own_certificate(tmp_path: Path) -> None:
    save(tmp_path, "one")
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    given = ("dev", "shop:app", "--port", "0", "--control", "none", "--tls")
    with photon(*given, folder=tmp_path, env=home) as process:
        found = re.search(r"https://[^ ]+:(\d+)$", process.wait_line("serving").strip())
        assert found is not None, process.stderr
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        raw = socket.create_connection(("127.0.0.1", int(found[1])), PATIENCE_S)
        with context.wrap_socket(raw, server_hostname="localhost") as secured:
            secured.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert b"200 OK" in secured.recv(65536)
        save(tmp_path, "two")
        process.wait_line("reloaded")
