"""A failure as an HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby

from photon.http.request import Request
from photon.runtime.errors import Cancelled, DeadlineExceeded
from photon.telemetry.debug_page.asked import Rows, clean_target, request_rows, surroundings
from photon.telemetry.debug_page.failure import CAUSE, Failure
from photon.telemetry.debug_page.frames import Frame, Line
from photon.telemetry.debug_page.highlight import highlighted
from photon.telemetry.debug_page.markup import document, section, table, told
from photon.telemetry.debug_page.secrets import Redactor
from photon.telemetry.debug_page.values import Values

# In characters: what all of the page's functions, and variables, have together; and all of it.
_SOURCE_CHARS = 90_000
_VALUES_CHARS = 40_000
_MOST_VARIABLES = 30
_MOST_OPEN = 6


class Page:
    """One page about one failure.

    Args: status: that it is answered with; text: what "copy as text" copies.
    """

    def __init__(
        self, request: Request, failure: Failure, status: int, text: str, redactor: Redactor
    ) -> None:
        self._request = request
        self._failure = failure
        self._status = status
        self._text = text
        self._redactor = redactor
        self._values = Values(redactor)
        self._source_left = _SOURCE_CHARS
        self._values_left = _VALUES_CHARS
        self._open_left = _MOST_OPEN

    def html(self, nonce: str) -> str:
        """The page. Args: nonce: by which its style and script may run."""
        # Values first: a secret among them is left out of all texts that come after.
        variables = {id(f): self._variables(f) for f in self._failure.all_frames()}
        asked = request_rows(self._request, self._values, self._redactor)
        leaf = self._failure.leaf
        body = [
            self._head(leaf),
            "<main>",
            self._chain(self._failure, variables),
            '<div class="facts">',
            *(section(title, table(self._clean(rows))) for title, rows in asked),
            section("Surroundings", table(self._clean(surroundings())), is_open=False),
            "</div>",
            section(
                "As text",
                f'<pre id="text">{told(self._clean_text(self._text))}</pre>',
                is_open=False,
            ),
            "</main>",
        ]
        title = f"{leaf.kind}: {self._clean_text(leaf.message)[:80]}"
        return document(title, body, nonce)

    # The head...

    def _head(self, leaf: Failure) -> str:
        target = clean_target(self._request, self._redactor)
        culprit = leaf.culprit
        message = told(self._clean_text(leaf.message)) or "(without a message)"
        place = (
            f'<p class="place">in <b>{told(culprit.function)}</b>, {self._place(culprit)}</p>'
            if culprit is not None
            else ""
        )
        more = ""
        if leaf is not self._failure:
            count = sum(1 for _ in _leaves(self._failure))
            others = f" (and {count - 1} more, see below)" if count > 1 else ""
            more = f'<p class="lead">In a nursery or another group of exceptions{others}:</p>'
        return (
            f'<header><div class="bar"><span class="status s{self._status // 100}">{self._status}'
            f'</span><span class="asked"><b>{told(self._request.method)}</b> {told(target)}</span>'
            '<span class="tools"><button id="copy" type="button">Copy as text</button>'
            '<button id="theme" type="button" title="light or dark">◐</button></span></div>'
            f"{more}<h1>{told(leaf.kind)}</h1>"
            f'<p class="message">{message}</p>'
            f"{self._waited(leaf)}{place}{self._notes(leaf)}</header>"
        )

    def _waited(self, leaf: Failure) -> str:
        """Of what was stopped, where it waited."""
        if not isinstance(leaf.error, Cancelled | DeadlineExceeded):
            return ""
        stop = leaf.stop
        culprit = stop.culprit if stop is not None else None
        if culprit is None:
            return ""
        what = "The deadline came" if isinstance(leaf.error, DeadlineExceeded) else "It was stopped"
        return (
            f'<p class="waited">{what} while it waited at {self._place(culprit)}: '
            f"<code>{highlighted(self._clean_source(culprit.text))}</code></p>"
        )

    def _notes(self, failure: Failure) -> str:
        return "".join(
            f'<p class="note">{told(self._clean_text(note))}</p>' for note in failure.notes
        )

    # The exceptions...

    def _chain(self, failure: Failure, variables: dict[int, Rows]) -> str:
        """An exception, and below it what it hangs on."""
        pieces = []
        found: Failure | None = failure
        how = ""
        while found is not None:
            pieces.append(self._exception(found, how, variables))
            if found.is_cut:
                pieces.append('<p class="lead">Further exceptions are left out.</p>')
            how, found = found.before if found.before is not None else ("", None)
        return "".join(pieces)

    def _exception(self, failure: Failure, how: str, variables: dict[int, Rows]) -> str:
        lead = ""
        if how:
            said = "Which was caused by" if how == CAUSE else "Which came while this was handled"
            lead = f'<p class="lead">{said}:</p>'
        spawned = "".join(
            f"<li>in <b>{told(function)}</b>, <code>{told(place)}</code></li>"
            for place, function in failure.spawned_at
        )
        if spawned:
            spawned = f'<div class="spawned">This function was spawned<ol>{spawned}</ol></div>'
        parts = "".join(
            f'<div class="part">{self._chain(part, variables)}</div>' for part in failure.parts
        )
        if parts:
            parts = f'<div class="parts">{parts}</div>'
        return (
            f'{lead}<section class="exception"><h2><span class="kind">{told(failure.kind)}</span> '
            f"<span>{told(self._clean_text(_first_line(failure.message)))}</span></h2>"
            f"{self._stack(failure, variables)}{spawned}{parts}</section>"
        )

    def _stack(self, failure: Failure, variables: dict[int, Rows]) -> str:
        """The frames, the innermost first; those that are not the user's in folds."""
        pieces = []
        if failure.syntax is not None:
            file, line, lines = failure.syntax
            frame = Frame(file, file, line, "", "yours", lines, None, {})
            pieces.append(self._frame(frame, []))
        for is_yours, group in groupby(reversed(failure.frames), lambda f: f.whose == "yours"):
            frames = list(group)
            if is_yours:
                pieces += [self._frame(f, variables.get(id(f), [])) for f in frames]
            else:
                pieces.append(self._fold(frames))
        if failure.left_out:
            pieces.append(f'<p class="lead">{failure.left_out} frames are left out.</p>')
        return "".join(pieces)

    def _fold(self, frames: list[Frame]) -> str:
        whose = {frame.whose for frame in frames}
        names = " and ".join(
            name for key, name in (("library", "libraries"), ("photon", "Photon")) if key in whose
        )
        count = f"{len(frames)} frame{'s'[: len(frames) > 1]}"
        inner = "".join(
            f'<div class="brief"><b>{told(f.function)}</b> <span>{told(f.place)}</span>'
            f"<code>{highlighted(self._clean_source(f.text))}</code></div>"
            for f in frames
        )
        return f'<details class="fold"><summary>{count} of {names}</summary>{inner}</details>'

    def _frame(self, frame: Frame, variables: Rows) -> str:
        self._open_left -= 1
        shown = self._source(frame)
        table_of = (
            '<details class="values" open><summary>Variables</summary>'
            f"{table(self._clean(variables))}</details>"
            if variables
            else ""
        )
        named = f"<b>{told(frame.function)}</b> " if frame.function else ""
        return (
            f'<details class="frame"{" open" if self._open_left >= 0 else ""}><summary>{named}'
            f"{self._place(frame)}</summary>{shown}{table_of}</details>"
        )

    def _source(self, frame: Frame) -> str:
        lines = frame.lines
        size = sum(len(line.text) + 60 for line in lines)
        if size > self._source_left:
            lines = [line for line in lines if abs(line.number - frame.line) <= 1]
            size = sum(len(line.text) + 60 for line in lines)
        self._source_left -= size
        if not lines or self._source_left < 0:
            return '<p class="lead">No source.</p>'
        has_more = any(not line.is_near for line in lines)
        button = '<button class="whole" type="button">whole function</button>' if has_more else ""
        indent = min((len(li.text) - len(li.text.lstrip()) for li in lines if li.text), default=0)
        inner = "".join(self._line(line, frame, indent) for line in lines)
        return f'<div class="source">{button}<pre>{inner}</pre></div>'

    def _line(self, line: Line, frame: Frame, indent: int) -> str:
        is_it = line.number == frame.line
        text = self._clean_source(line.text[indent:])
        code = highlighted(text) or " "
        if is_it and frame.marked is not None and text == line.text[indent:]:
            start, end = (max(0, at - indent) for at in frame.marked)
            code = (
                f"{highlighted(text[:start])}<mark>{escape(text[start:end])}</mark>"
                f"{highlighted(text[end:])}"
            )
        kind = "it" if is_it else ("" if line.is_near else "far")
        return f'<span class="line {kind}"><i class="no">{line.number}</i>{code}\n</span>'

    def _place(self, frame: Frame) -> str:
        return f'<code class="place" title="{told(frame.file)}">{told(frame.place)}</code>'

    # Values, and what is left out of texts...

    def _variables(self, frame: Frame) -> Rows:
        rows: Rows = []
        for name, value in frame.variables.items():
            if len(rows) >= _MOST_VARIABLES or self._values_left <= 0:
                rows.append(("…", f"{len(frame.variables) - len(rows)} more"))
                break
            text = self._values.shown(value, name)
            self._values_left -= len(text) + len(name) + 60
            rows.append((name, text))
        return rows

    def _clean(self, rows: Rows) -> Rows:
        return [(name, self._redactor.without_known(value)) for name, value in rows]

    def _clean_text(self, text: str) -> str:
        return self._redactor.clean(text)

    def _clean_source(self, text: str) -> str:
        return self._redactor.without_known(text)


def _first_line(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= 200 else f"{line[:200]}…"


def _leaves(failure: Failure) -> Iterator[Failure]:
    if not failure.parts:
        yield failure
    for part in failure.parts:
        yield from _leaves(part)
