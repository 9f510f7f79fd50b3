"""What `photon dev` says in the terminal: a start screen, and a line for each reload."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import photon
from photon.telemetry.dev_lines import duration

_RESET, _DIM, _BOLD = "\x1b[0m", "\x1b[2m", "\x1b[1m"
_RED, _GREEN, _YELLOW, _CYAN = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"
_MOST_NAMES = 3


class Screen:
    """Writes to stderr. Args: colours: None for what the terminal, and NO_COLOR, say."""

    def __init__(self, *, colours: bool | None = None) -> None:
        if colours is None:
            is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
            colours = is_terminal and not os.environ.get("NO_COLOR")
        self._colours = colours
        self._last_error = ""

    def start(self, name: str, address: str, docs: str, watched: Sequence[str]) -> None:
        """The application is there, or not yet, but will be at this address.

        Args: docs: the URL of its page, "" for none; watched: folders, none for no reload.
        """
        rows = [("serving", self._paint(address, _BOLD + _CYAN))]
        if docs:
            rows.append(("docs", self._paint(docs, _CYAN)))
        rows.append(("watching", ", ".join(map(_shown, watched)) or "nothing (--no-reload)"))
        rows.append(("stop", "Ctrl+C" if sys.stderr.isatty() else "SIGTERM"))
        title = f"{self._paint(f'Photon {photon.__version__}', _BOLD + _GREEN)} serves {name}"
        lines = ["", f"  {title}", ""]
        lines += [f"    {self._paint(f'{what:<9}', _DIM)} {value}" for what, value in rows]
        self._write("\n".join([*lines, ""]))

    def reloaded(self, changed: Sequence[str], seconds: float) -> None:
        """New code serves. Args: seconds: since the file was saved."""
        self._last_error = ""
        mark = self._paint("reloaded", _GREEN)
        self._write(f"{self._what(changed)}: {mark} in {duration(seconds)}")

    def restarted(self) -> None:
        """A worker serves again, though nobody changed a file."""
        self._last_error = ""
        self._write(self._paint("serving again", _GREEN))

    def starts_slowly(self, name: str, seconds: float) -> None:
        """A worker is not ready, and requests wait for it. Args: seconds: for so long."""
        self.note(
            f"{name} has been starting for {duration(seconds)}, and requests wait for it; "
            "if it never ends, mend it and save"
        )

    def pages_reload(self, changed: Sequence[str], *, styles: bool) -> None:
        """Only what pages are made of has changed."""
        then = "style sheets are changed in the open pages" if styles else "open pages reload"
        self._write(f"{self._what(changed)}: {then}")

    def broken(self, changed: Sequence[str], text: str, *, is_served: bool) -> None:
        """The newest code does not work. Args: is_served: whether the code of before is."""
        then = "the code of before is served" if is_served else "pages show why"
        what = self._what(changed) if changed else "the application"
        is_known = text == self._last_error
        self._last_error = text
        told = self._paint("does not work", _RED)
        if is_known:
            self._write(f"{what}: {self._paint('still', _RED)} {told}, as above; {then}")
            return
        body = "\n".join(f"  {line}" if line else "" for line in text.strip().split("\n"))
        self._write(f"{what}: {told}; {then}\n\n{body}\n")

    def note(self, text: str) -> None:
        """A sentence to be seen."""
        self._write(f"{self._paint('note', _YELLOW)}: {text}")

    def stopped(self) -> None:
        """All is over."""
        self._write(self._paint("stopped", _DIM))

    def _what(self, changed: Sequence[str]) -> str:
        names = [self._paint(_shown(path), _BOLD) for path in changed[:_MOST_NAMES]]
        more = len(changed) - len(names)
        if more > 0:
            return f"{', '.join(names)} and {more} more changed"
        return f"{' and '.join(names)} changed" if names else "a change"

    def _paint(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colours else text

    def _write(self, text: str) -> None:
        data = memoryview(f"{text}\n".encode("utf-8", "backslashreplace"))
        try:
            while data:
                data = data[os.write(2, data) :]
        except OSError:
            pass  # nobody reads it; what is served does not depend on that


def _shown(path: str) -> str:
    """A path as one reads it, which cannot write to the terminal."""
    seen = os.path.relpath(path)
    text = "." if seen == "." else (path if seen.startswith("..") else seen)
    return text if text.isprintable() else repr(text)
