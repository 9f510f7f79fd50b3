"""`{% flush %}`: what of a page stands before it is sent while the rest is still being made.

minijinja gives a page only when it is whole, but a filter over a part of it is called as soon as
that part is done. So a layout

    <head>...</head>{% flush %}<body>{% block main %}{% endblock %}</body>

is read as if it said

    {% filter photon_flush("base.html", 1) %}<head>...</head>{% endfilter %}<body>...

and the filter hands its text to whoever streams the page; for all others it changes nothing. No
line moves, so that the numbers in messages stay right, and what a part sets, imports or defines
is seen by those after it.

Parts must come in the order of the page. So a `{% flush %}` counts only in the outermost layout,
the one that no other template goes around, and stands in none of its other tags.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from photon.runtime.greenlets import spawn
from photon.runtime.hub import current_hub, getcurrent
from photon.templating.errors import TemplateBroken, TemplatingError

FILTER = "photon_flush"

# Comments and raw text first, so that nothing is found within.
_TAGS = re.compile(
    r"""\{\#.*?\#\}
      | \{%[-+]?\s*raw\s*[-+]?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\}
      | \{%(?P<left>[-+]?)\s*(?P<word>flush|extends)\b(?P<rest>.*?)(?P<right>[-+]?)%\}
    """,
    re.VERBOSE | re.DOTALL,
)


def rewrite(name: str, source: str, place: str) -> str:
    """The source as minijinja shall read it.   Raises: TemplateBroken: a misplaced flush."""
    if "flush" not in source:
        return source
    tags = [match for match in _TAGS.finditer(source) if match["word"] is not None]
    flushes = [match for match in tags if match["word"] == "flush"]
    if not flushes:
        return source
    problem = ""
    if len(tags) > len(flushes):
        problem = "{% flush %} belongs into the layout, not into a page that extends one"
    elif any(match["rest"].strip() for match in flushes):
        problem = "{% flush %} takes nothing"
    if problem:
        line = source.count("\n", 0, flushes[0].start()) + 1
        raise TemplateBroken(name, problem, place=place, line=line, source=source)
    parts, begin = [], 0
    for number, match in enumerate(flushes, 1):
        start = f"{{% filter {FILTER}({json.dumps(name)}, {number}) %}}"
        end = f"{{%{match['left']} endfilter {match['right']}%}}"
        parts += [start, source[begin : match.start()], end]
        begin = match.end()
    return "".join([*parts, source[begin:]])


def without(source: str) -> str:
    """The source with each flush made a comment: to tell whose fault a syntax error is."""
    return _TAGS.sub(lambda match: "{##}" if match["word"] == "flush" else match[0], source)


class Pieces:
    """The parts of one page on their way from the greenlet that renders to the one that sends.

    There are as many as the layout has flushes, so neither side waits for the other to keep up.

    Args: layout: the name of the template whose flushes count; None for none.
    """

    def __init__(self, layout: str | None) -> None:
        self._layout = layout
        self._number = 1
        self._ready: deque[str] = deque()
        self._over = False
        self._error: Exception | None = None
        self._reader: Any = None
        self._hub = current_hub()

    def flush(self, text: str, layout: str, number: int) -> str:
        """Take a part, and leave nothing of it; or leave it as it is, if it is none of ours."""
        if layout != self._layout or number != self._number:
            return text
        self._number += 1
        self._put(text)
        return ""

    def _put(self, text: str) -> None:
        if text:
            self._ready.append(text)
        if self._reader is not None:
            self._hub.run_soon(self._wake, self._reader)

    def _wake(self, reader: Any) -> None:
        # It may have been interrupted since, and wait for something else now.
        if reader is self._reader:
            reader.switch()

    def rendered_by(self, render: Callable[[], str]) -> Iterator[str]:
        """The parts as they become ready. When this is closed, the rendering is cancelled.

        Raises: what `render` raises.
        """
        handle = spawn(self._run, render)
        try:
            while True:
                while self._ready:
                    yield self._ready.popleft()
                if self._over:
                    break
                self._reader = getcurrent()
                try:
                    self._hub.park()
                finally:
                    self._reader = None
        finally:
            handle.cancel("nobody takes the page any more")
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # its traceback holds this frame

    def _run(self, render: Callable[[], str]) -> None:
        # What it is if a Cancelled passes: that was meant for this greenlet alone.
        self._error = TemplatingError("the rendering of the page was cancelled")
        try:
            self._put(render())
            self._error = None
        except Exception as error:
            self._error = error
        finally:
            self._over = True
            self._put("")
