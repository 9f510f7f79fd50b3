"""A real browser: headless Chromium, told what to do by the DevTools protocol.

    with Browser.launch() as page, serve(app) as server:
        page.goto(server.url)
        page.click("button")
        assert page.wait_for("document.querySelector('output').textContent") == "done"
        assert page.errors == []

The protocol's other end is a socket that the browser has as its descriptors 3 and 4; messages
are JSON, each ended by a NUL. So nothing listens on a port, and the browser leaves when we do.
Every wait ends: by what the browser tells, or after PATIENCE_S.
Source: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from photon.runtime.cancel import fail_after, move_on_after

PATIENCE_S = 20.0
"""How long anything is waited for; no test takes that long unless it fails."""

NAMES = ("chromium", "chromium-browser", "google-chrome")

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--mute-audio",
    "--window-size=1280,900",
    # Should anything ask another host, it gets nowhere, and not only where there is no network.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)

# Puts the socket where the browser looks for it.
_LAUNCHER = """
import os, sys
fd = int(sys.argv[1])
os.dup2(fd, 3)
os.dup2(fd, 4)
os.execv(sys.argv[2], sys.argv[2:])
"""


class BrowserError(AssertionError):
    """The browser did not do what it was told."""


def require_browser() -> str:
    """The path of a browser. Without one the test is skipped.

    PHOTON_REQUIRE_BROWSER=1 has it fail in place of that, for machines that must have one.
    """
    for name in NAMES:
        path = shutil.which(name)
        if path is not None:
            return path
    why = f"no browser on the PATH: none of {', '.join(NAMES)} (Debian: apt-get install chromium)"
    if os.environ.get("PHOTON_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{why}, and PHOTON_REQUIRE_BROWSER=1 says that there is one")
    pytest.skip(why)


class Browser:
    """One page of a browser.

    Attributes:
        errors: what the console shows as an error: exceptions, failed loads, what a policy forbade.
        requests: URLs asked for, in order, without data: and blob:.
        process_group: what its processes are known by.
    """

    def __init__(self, pipe: socket.socket, process_group: int, log: Path) -> None:
        self._pipe = pipe
        self._log = log
        self.process_group = process_group
        self._unread = b""
        self._numbers = itertools.count(1)
        self._session = ""
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._loaded: set[str] = set()

    @staticmethod
    @contextmanager
    def launch() -> Iterator[Browser]:
        """A browser with a profile of its own, and a blank page. It is gone after the block."""
        path = require_browser()
        # Its helpers write into the profile while they end.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            profile = Path(name)
            with _process(path, profile) as (pipe, process_group):
                browser = Browser(pipe, process_group, profile / _LOG)
                browser._open_page()
                try:
                    yield browser
                finally:
                    browser._ask_to_close()

    def _open_page(self) -> None:
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._call(f"{domain}.enable")
        self._call("Page.setLifecycleEventsEnabled", enabled=True)

    def _ask_to_close(self) -> None:
        self._session = ""
        self._send("Browser.close", {})
        self._pipe.close()

    # What a user does...

    def goto(self, url: str) -> None:
        """Open a URL, and wait until all of the page is loaded."""
        answer = self._call("Page.navigate", url=url)
        if "errorText" in answer:
            raise BrowserError(f"{url}: {answer['errorText']}")
        if "loaderId" in answer:  # none for another fragment of the same page
            self._wait(lambda: answer["loaderId"] in self._loaded, f"{url} to be loaded")

    def click(self, selector: str) -> None:
        """Click on the first such element, once it rests and nothing covers its middle."""
        x, y = self._wait_for_place(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, selector: str, text: str) -> None:
        """Write into the first such element, in place of what it holds."""
        self.click(selector)
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self._call("Input.insertText", text=text)

    def prefer_dark(self, dark: bool = True) -> None:
        """Have pages see a user who likes it dark."""
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[feature])

    # What a user sees...

    def wait_for(self, expression: str) -> Any:
        """Wait until a JavaScript expression, or what it promises, is true.

        It is looked at with every frame. While it fails it counts as false. When another page comes
        meanwhile, it is looked at there.
        Returns: its value, as JSON has it; True for an element.
        """
        while True:
            try:
                return self._wait_for(expression)
            except BrowserError as error:
                if "Inspected target navigated" not in str(error):
                    raise

    def _wait_for(self, expression: str) -> Any:
        return self._evaluate(
            f"""new Promise(done => {{
                const look = async () => {{
                    let value;
                    try {{ value = await ({expression}); }} catch {{}}
                    if (value) done(value instanceof Node || value);
                    else requestAnimationFrame(look);
                }};
                look();
            }})""",
            expression,
        )

    def wait_for_text(self, text: str) -> None:
        """Wait until the page shows `text`."""
        self.wait_for(f"document.body.innerText.includes({json.dumps(text)})")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        return self._evaluate(expression, expression)

    def screenshot(self, path: Path) -> None:
        """Save what the window shows as a PNG."""
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))

    def _wait_for_place(self, selector: str) -> tuple[float, float]:
        found = self.wait_for(
            f"""(async () => {{
                const element = document.querySelector({json.dumps(selector)});
                element.scrollIntoView({{block: "center", behavior: "instant"}});
                const middle = () => {{
                    const box = element.getBoundingClientRect();
                    return [box.x + box.width / 2, box.y + box.height / 2];
                }};
                const before = middle();
                await new Promise(requestAnimationFrame);
                const at = middle();
                const rests = at[0] === before[0] && at[1] === before[1];
                return rests && element.contains(document.elementFromPoint(...at)) && at;
            }})()"""
        )
        return found[0], found[1]

    def _evaluate(self, expression: str, what: str) -> Any:
        answer = self._call(
            "Runtime.evaluate",
            what,
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in answer:
            raise BrowserError(f"{what}: {_exception(answer['exceptionDetails'])}")
        return answer["result"].get("value")

    # The protocol...

    def _call(self, method: str, what: str = "", /, **parameters: Any) -> dict[str, Any]:
        """Have the browser do something; its answer."""
        number = self._send(method, parameters)
        answers: list[dict[str, Any]] = []

        def is_answered() -> bool:
            return bool(answers)

        self._wait(is_answered, what or method, {number: answers})
        (answer,) = answers
        if "error" in answer:
            raise BrowserError(f"{what or method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _send(self, method: str, parameters: dict[str, Any]) -> int:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        try:
            self._pipe.sendall(json.dumps(message).encode() + b"\0")
        except OSError:
            pass  # it ended; who waits for the answer is told so
        return number

    def _wait(
        self,
        condition: Callable[[], bool],
        what: str,
        answers: dict[int, list[dict[str, Any]]] | None = None,
    ) -> None:
        """Read what the browser tells until `condition` is true."""
        with move_on_after(PATIENCE_S):
            while not condition():
                message = self._read()
                if "id" in message:
                    (answers or {}).get(message["id"], []).append(message)
                else:
                    self._note(message["method"], message["params"])
            return
        raise BrowserError(
            f"waited {PATIENCE_S:g} s in vain for {what}; the console's errors: {self.errors}"
        )

    def _read(self) -> dict[str, Any]:
        pieces = [self._unread]
        while b"\0" not in pieces[-1]:
            try:
                piece = self._pipe.recv(1 << 18)
            except ConnectionResetError:  # it had not read what we sent
                piece = b""
            if not piece:
                raise BrowserError(f"the browser ended: {self._log.read_text('utf-8', 'replace')}")
            pieces.append(piece)
        text, _, self._unread = b"".join(pieces).partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message

    def _note(self, event: str, about: dict[str, Any]) -> None:
        if event == "Page.lifecycleEvent" and about["name"] == "load":
            self._loaded.add(about["loaderId"])
        elif event == "Network.requestWillBeSent":
            url = about["request"]["url"]
            if not url.startswith(("data:", "blob:")):
                self.requests.append(url)
        elif event == "Runtime.exceptionThrown":
            self.errors.append(_exception(about["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
            words = (str(a.get("value", a.get("description", ""))) for a in about["args"])
            self.errors.append(" ".join(words))
        elif event == "Log.entryAdded" and about["entry"]["level"] == "error":
            entry = about["entry"]
            self.errors.append(f"{entry['text']} ({entry.get('url', '')})")


def _exception(details: dict[str, Any]) -> str:
    thrown = details.get("exception", {})
    return str(thrown.get("description", thrown.get("value", details["text"])))


_LOG = "stderr.txt"


@contextmanager
def _process(path: str, profile: Path) -> Iterator[tuple[socket.socket, int]]:
    """The browser as a process: our end of its pipe, its group. It is gone after the block."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs, (profile / _LOG).open("wb") as log:
            os.set_blocking(theirs.fileno(), True)  # as the browser expects it; the patch has not
            process = subprocess.Popen(
                [
                    *(sys.executable, "-ISc", _LAUNCHER, str(theirs.fileno()), path),
                    *_FLAGS,
                    f"--user-data-dir={profile}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, "HOME": str(profile)},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # a group of its own, to be ended as one
            )
        try:
            yield ours, process.pid
            with move_on_after(5.0):
                process.wait()
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # all of it ended by itself
            with fail_after(PATIENCE_S):
                process.wait()
